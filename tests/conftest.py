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


@pytest.hookimpl(trylast=True)  # after they were shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests go first: one that begins last is waited for by all other workers."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
