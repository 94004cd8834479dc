"""What every test may ask for."""

from __future__ import annotations

pytest_plugins = ["tests.support.disk", "tests.support.nats", "tests.support.postgres", "tests.support.stores", "tests.support.suite"]
