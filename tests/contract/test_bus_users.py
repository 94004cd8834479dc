"""Each service's bus user may do just what its subscriptions need."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from contracts.limits import LANES
from deployment.nats_accounts import HOUSE
from deployment.nats_config import BUS_USERS, NatsPlan, access, static_users

ROOT = Path(__file__).resolve().parents[2]
USERS = {user.name: user for user in BUS_USERS}
RUNNABLE = sorted(path.parent.name for path in (ROOT / "services").glob("*/main.py"))


def test_whatever_can_be_run_is_a_bus_user() -> None:
    processes = {line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()} - {"nats", "watchdog"}
    assert {*RUNNABLE, *processes} <= set(USERS)
    assert {"identity", "scoring"} <= set(RUNNABLE)


@pytest.mark.parametrize("service", RUNNABLE)
def test_a_service_may_hear_exactly_what_it_subscribes_to(service: str) -> None:
    events = importlib.import_module(f"services.{service}.events")
    heard = {
        event.wire_name.partition(".")[0] for subscription in events.SUBSCRIPTIONS for event in subscription.event_types
    }
    assert heard == set(USERS[service].hears)


def test_nobody_writes_on_a_stream_of_another() -> None:
    owners = [owner for user in BUS_USERS for owner in user.says]
    assert len(owners) == len(set(owners))


def test_whom_somebody_hears_somebody_is() -> None:
    owners = {owner for user in BUS_USERS for owner in user.says}
    assert {owner for user in BUS_USERS for owner in (*user.hears, *user.browses, *user.looks, *user.hosts)} <= owners


@pytest.mark.parametrize("service", sorted(set(RUNNABLE) - {"gateway"}))
def test_a_service_looks_after_the_durables_that_it_had_with_other_lanes_and_after_nobody_else_s(service: str) -> None:
    passwords = dict.fromkeys(static_users(), "x")
    accounts = (
        access(NatsPlan(4222, 8222, Path("/var"), passwords, "issuer", lanes=2))
        .removeprefix("accounts ")
        .partition("\nauthorization")[0]
    )
    (allowed,) = [
        user["permissions"]["publish"]["allow"]
        for user in json.loads(accounts)[HOUSE]["users"]
        if user["user"] == service
    ]
    own = {service, *(f"{service}-{lane}" for lane in range(LANES))}
    streams = {owner.upper() for owner in USERS[service].hears}
    for call in ("INFO", "DELETE"):
        subjects = {
            tuple(subject.split(".")[4:]) for subject in allowed if subject.startswith(f"$JS.API.CONSUMER.{call}.")
        }
        assert {subject for subject in subjects if subject[0] in streams} == {
            (stream, name) for stream in streams for name in own
        }
    read = {
        name
        for subject in allowed
        if subject.startswith("$JS.API.CONSUMER.MSG.NEXT.")
        for name in subject.split(".")[6:]
    }
    assert read == {service, f"{service}-0", f"{service}-1"}
