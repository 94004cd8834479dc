"""What every test may ask for."""

from __future__ import annotations

import pytest
from hypothesis import settings

# how long an example takes says something of the machine, nothing of the code
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# so that what they assert says what it saw
pytest.register_assert_rewrite("tests.support.installation", "tests.faults.states")

pytest_plugins = [
    "tests.support.disk",
    "tests.support.nats",
    "tests.support.postgres",
    "tests.support.stores",
    "tests.support.suite",
]
