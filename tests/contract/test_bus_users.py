"""Each service's bus user may do just what its subscriptions need."""

from __future__ import annotations

import importlib

import pytest

from embedded.nats_config import BUS_USERS, BusUser

SERVICES = [user for user in BUS_USERS if user.name != "gateway"]


@pytest.mark.parametrize("user", SERVICES, ids=lambda user: user.name)
def test_a_service_may_hear_exactly_what_it_subscribes_to(user: BusUser) -> None:
    handlers = importlib.import_module(f"services.{user.name}.handlers")
    heard = {event.wire_name.partition(".")[0] for subscription in handlers.SUBSCRIPTIONS for event in subscription.event_types}
    assert heard == set(user.hears)


def test_nobody_writes_on_a_stream_of_another() -> None:
    owners = [owner for user in BUS_USERS for owner in user.says]
    assert len(owners) == len(set(owners))
