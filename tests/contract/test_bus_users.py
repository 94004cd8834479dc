"""Each service's bus user may do just what its subscriptions need."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from embedded.nats_config import BUS_USERS

ROOT = Path(__file__).resolve().parents[2]
USERS = {user.name: user for user in BUS_USERS}
RUNNABLE = sorted(path.parent.name for path in (ROOT / "services").glob("*/main.py"))


def test_whatever_can_be_run_is_a_bus_user() -> None:
    processes = {line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()} - {"nats"}
    assert {*RUNNABLE, *processes} <= set(USERS)
    assert {"identity", "scoring"} <= set(RUNNABLE)


@pytest.mark.parametrize("service", RUNNABLE)
def test_a_service_may_hear_exactly_what_it_subscribes_to(service: str) -> None:
    handlers = importlib.import_module(f"services.{service}.handlers")
    heard = {event.wire_name.partition(".")[0] for subscription in handlers.SUBSCRIPTIONS for event in subscription.event_types}
    assert heard == set(USERS[service].hears)


def test_nobody_writes_on_a_stream_of_another() -> None:
    owners = [owner for user in BUS_USERS for owner in user.says]
    assert len(owners) == len(set(owners))


def test_whom_somebody_hears_somebody_is() -> None:
    owners = {owner for user in BUS_USERS for owner in user.says}
    assert {owner for user in BUS_USERS for owner in (*user.hears, *user.browses, *user.hosts)} <= owners
