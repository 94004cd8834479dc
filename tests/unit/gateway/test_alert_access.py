"""Whose alerts somebody may listen to, and the tickets of those who cannot send a key."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from chassis.errors import BadInput, Forbidden, Problem
from chassis.web.auth import Principal
from gateway.alerts.stream import rep_of
from gateway.store import TicketRow, all_of
from tests.support.nats import NatsServer
from tests.unit.gateway.listening import listening
from tests.unit.gateway.running import API_KEY, Door, gateway_settings, open_door

STREAM, TICKETS = "/v1/alerts/stream", "/v1/alerts/tickets"


def caller(*roles: str, rep_id: str | None = None) -> Principal:
    return Principal("ana@acme.test", frozenset(roles), rep_id)


@pytest.mark.parametrize(
    ("who", "asked", "whose"),
    [
        (caller("sales", rep_id="rep_1"), None, "rep_1"),
        (caller("sales", rep_id="rep_1"), "rep_1", "rep_1"),
        (caller("manager"), "rep_2", "rep_2"),
        (caller("admin", rep_id="rep_1"), "rep_2", "rep_2"),
    ],
    ids=["own", "own by name", "a leader's wish", "a leader who is a rep"],
)
def test_a_rep_listens_to_their_own_and_a_leader_to_anyone_s(who: Principal, asked: str | None, whose: str) -> None:
    assert rep_of(who, asked) == whose


@pytest.mark.parametrize(
    ("who", "asked", "problem"),
    [
        (caller("sales", rep_id="rep_1"), "rep_2", Forbidden),
        (caller("sales"), None, Forbidden),
        (caller("marketing", rep_id="rep_1"), None, Forbidden),
        (caller("ops"), None, BadInput),
        (caller("ops"), "*", BadInput),
        (caller("ops"), "rep_1.>", BadInput),
        (caller("sales", rep_id=">"), None, BadInput),
    ],
    ids=["another's", "no rep", "marketing", "nobody named", "wildcard", "dots", "wildcard in the key"],
)
def test_nobody_listens_to_what_is_not_theirs(who: Principal, asked: str | None, problem: type[Problem]) -> None:
    with pytest.raises(problem):
        rep_of(who, asked)


async def ticket_of(door: Door, key: str) -> str:
    made = await door.client.post(TICKETS, headers={"authorization": f"Bearer {key}"})
    assert made.status_code == 201, made.text
    return str(made.json()["ticket"])


async def status_with(door: Door, ticket: str, **query: str) -> int:
    """What a listener with this ticket is answered. One that is let in hangs up."""
    async with listening(door.app, STREAM, {"ticket": ticket, **query}, {}) as listener:
        return await listener.begun()


async def test_a_ticket_opens_one_stream(door: Door) -> None:
    ticket = await ticket_of(door, (await door.key("sales", rep_id="rep_1"))["api_key"])
    assert [await status_with(door, ticket) for _ in range(2)] == [200, 401]
    assert await status_with(door, "tkt_nobody") == 401


async def test_a_ticket_may_what_the_key_may_it_was_made_with(door: Door) -> None:
    sales, manager = await door.key("sales", rep_id="rep_1"), await door.key("manager")
    assert await status_with(door, await ticket_of(door, sales["api_key"]), rep_id="rep_2") == 403
    assert await status_with(door, await ticket_of(door, manager["api_key"]), rep_id="rep_2") == 200
    marketing = await door.key("marketing")
    refused = await door.client.post(TICKETS, headers={"authorization": f"Bearer {marketing['api_key']}"})
    assert refused.status_code == 403


async def test_a_ticket_is_good_for_a_minute(door: Door) -> None:
    key = (await door.key("sales", rep_id="rep_1"))["api_key"]
    early, late = await ticket_of(door, key), await ticket_of(door, key)
    now = door.runtime.clock()
    door.runtime.clock = lambda: now + timedelta(seconds=59)
    assert await status_with(door, early) == 200
    door.runtime.clock = lambda: now + timedelta(seconds=61)
    assert await status_with(door, late) == 401


async def test_a_ticket_of_a_revoked_key_is_worth_nothing(door: Door) -> None:
    key = await door.key("sales", rep_id="rep_1")
    ticket = await ticket_of(door, key["api_key"])
    await door.api("DELETE", f"/v1/keys/{key['key_id']}")
    assert await status_with(door, ticket) == 401


async def test_a_ticket_made_at_one_replica_is_used_up_at_all(nats_server: NatsServer, tmp_path: Path) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "g.db", refresh_seconds=0.05)
    async with open_door(settings) as one, open_door(settings) as other:
        ticket = await ticket_of(one, API_KEY)
        assert await status_with(other, ticket, rep_id="rep_1") == 200
        assert await status_with(one, ticket, rep_id="rep_1") == 401


def everything_under(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("gateway.db*"))


async def test_a_ticket_is_nowhere_in_the_store_and_old_ones_are_forgotten(door: Door, tmp_path: Path) -> None:
    key = (await door.key("sales", rep_id="rep_1"))["api_key"]
    ticket = await ticket_of(door, key)
    assert ticket.encode() not in everything_under(tmp_path)
    now = door.runtime.clock()
    door.runtime.clock = lambda: now + timedelta(minutes=2)
    await ticket_of(door, key)
    async with door.runtime.reading() as reading:
        assert len(await all_of(reading.session, TicketRow)) == 1


async def test_a_key_names_a_rep_by_a_plain_id(door: Door) -> None:
    wish = {"subject": "ana@acme.test", "roles": ["sales"], "rep_id": "*"}
    answer = await door.api("POST", "/v1/keys", json=wish)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.rep_id")
