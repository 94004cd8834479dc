"""What robots did is nobody's, until a human says that somebody did it after all; then it is as if it had been from the
start.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from chassis.app import Service
from chassis.bus.broker import Broker
from chassis.store.database import Database
from chassis.web.auth import Principal
from contracts.envelope import Event
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import (
    ConsentChanged,
    InteractionRecognized,
    InteractionReleased,
    InteractionWithheld,
    PersonCreated,
)
from contracts.limits import WITHHELD_DAYS
from contracts.values import Flag, InteractionKind, WithheldReason
from services.identity.domain.workspace import told_apart
from services.identity.store import queries, write
from tests.support.eventually import eventually
from tests.support.service import running, token
from tests.support.stores import prepare
from tests.unit.identity.test_service import capture, recognized, said
from tests.unit.identity.world import DAWN, World, a_capture

GOOGLEBOT = {"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
BROWSER = {"userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"}


def a_trapped_form(number: int, **told: Any) -> InteractionReceived:
    """Ines asks for a demo, and something filled in a field that she cannot see."""
    told = {"email": "ines@quayside.example", "traits": {"newsletter": "on"}, "context": BROWSER} | told
    return a_capture(number, kind=InteractionKind.FORM, name="Request a demo", flags=(Flag.HONEYPOT,), **told)


def test_a_robot_is_nobody_and_refers_to_nobody() -> None:
    world = World().hears(
        a_capture(1, anonymous_id="a1", context=GOOGLEBOT, kind=InteractionKind.PAGE),
        a_trapped_form(2, anonymous_id="a1"),
        a_capture(3, anonymous_id="a2", email="ines@quayside.example", context=BROWSER),
    )
    assert [type(event) for event in world.said if not isinstance(event, PersonCreated)][:2] == [
        InteractionWithheld
    ] * 2
    assert [(one.reason, one.sign) for one in world.heard(InteractionWithheld)] == [
        (WithheldReason.CRAWLER, "Googlebot/"),
        (WithheldReason.HONEYPOT, "a field that no human sees was filled in"),
    ]
    assert [one.interaction.message_id for one in world.recognized()] == ["m3"]
    assert world.names() == {frozenset({("email", "ines@quayside.example"), ("anonymous_id", "a2")})}  # and not a1
    assert world.consents == {}


async def listed(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/interactions/withheld", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_what_is_released_is_recognized_as_it_would_have_been(client: httpx.AsyncClient, broker: Broker) -> None:
    trapped = a_trapped_form(2, anonymous_id="a1", occurred_at=DAWN - timedelta(hours=3))
    story = [a_capture(1, anonymous_id="a1", context=BROWSER), trapped, a_capture(3, user_id="u9", context=BROWSER)]
    await capture(broker, *story)
    await recognized(broker, [story[0], story[2]])
    (kept,) = await eventually_listed(client, 1)
    assert (kept["reason"], kept["release"], kept["identifiers"][0]["value"]) == (
        "honeypot",
        None,
        "ines@quayside.example",
    )
    assert (await client.get("/v1/people", params={"email": "ines@quayside.example"})).json()["items"] == []

    path = f"/v1/interactions/{kept['interaction_id']}:release"
    done = await client.post(path, json={"reason": "She called"})
    assert done.status_code == 200, done.text
    again = await client.post(path, json={"reason": "Somebody else says so too"})
    assert again.json() == done.json()
    assert done.json()["release"]["reason"] == "She called"
    events = await recognized(broker, story)
    (ines,) = (await client.get("/v1/people", params={"email": "ines@quayside.example"})).json()["items"]
    assert ines["person_id"] == done.json()["release"]["person_id"]
    assert {one["value"] for one in ines["identifiers"]} == {"ines@quayside.example", "a1"}
    (released,) = [event for event in events if isinstance(event, InteractionReleased)]
    assert (released.released_by, released.reason, released.was) == ("tester", "She called", WithheldReason.HONEYPOT)

    told = next(
        event
        for event in events
        if isinstance(event, InteractionRecognized)
        and event.strength == "claimed"
        and event.interaction.interaction_id == kept["interaction_id"]
    )
    assert told.meta.at == released.meta.at  # clocks and offers run from the release
    assert told.interaction == a_trapped_form(2, anonymous_id="a1").interaction.model_copy(
        update={"flags": (), "occurred_at": DAWN - timedelta(hours=3)}
    )

    # word for word what would have been said of it, had the trap been empty
    clean = a_trapped_form(2, anonymous_id="a1", occurred_at=DAWN - timedelta(hours=3))
    clean = clean.model_copy(update={"interaction": clean.interaction.model_copy(update={"flags": ()})})
    control = World().hears(story[0], clean, story[2])
    for kind in (InteractionRecognized, ConsentChanged, PersonCreated):
        expected = sorted((event.headers()["ce-id"], event.body()) for event in control.heard(kind))

        async def is_told(kind: type[Event] = kind, expected: list[tuple[str, bytes]] = expected) -> None:
            told = [event for event in await recognized(broker, story) if isinstance(event, kind)]
            assert sorted((event.headers()["ce-id"], event.body()) for event in told) == expected

        await eventually(is_told)


async def test_the_list_is_filtered_and_paged_from_the_newest(client: httpx.AsyncClient, broker: Broker) -> None:
    story = [a_capture(n, anonymous_id=f"a{n}", context=GOOGLEBOT) for n in range(5)]
    story += [a_trapped_form(9, email=f"b{n}@spam.example", server=True) for n in range(1)]
    await capture(broker, *story, *story[:3])  # and a retry
    found = await eventually_listed(client, 6)
    assert [one["interaction_id"] for one in found] == sorted((one["interaction_id"] for one in found), reverse=True)
    assert {one["reason"] for one in await listed(client, source_id="src_web")} == {"crawler"}
    assert [one["source_id"] for one in await listed(client, reason="honeypot")] == ["src_server"]
    assert await listed(client, reason="monitor") == []
    first = (await client.get("/v1/interactions/withheld", params={"limit": 4})).json()
    rest = (await client.get("/v1/interactions/withheld", params={"limit": 4, "cursor": first["next_cursor"]})).json()
    assert [*first["items"], *rest["items"]] == found
    assert rest["next_cursor"] is None
    assert len([event for event in await said(broker) if isinstance(event, InteractionWithheld)]) == 6


async def test_who_may_release_what(service: Service, broker: Broker) -> None:
    async with running(service) as identity:
        await capture(broker, a_trapped_form(1))
        (kept,) = await eventually_listed(identity.client, 1)
        path, agent = f"/v1/interactions/{kept['interaction_id']}:release", Principal("eve", frozenset({"agent"}))
        headers = {"authorization": f"Bearer {token(agent)}"}
        for asked, body, as_whom, status in (
            (path, {"reason": "x"}, headers, 403),
            (path, {}, None, 422),
            (path, {"reason": ""}, None, 422),
            ("/v1/interactions/int_01JNQ5M0E8K3V7ZJ4T9XW2RBCD:release", {"reason": "x"}, None, 404),
        ):
            answer = await identity.client.post(asked, json=body, headers=as_whom)
            assert answer.status_code == status, answer.text
        assert (await listed(identity.client))[0]["release"] is None


async def test_a_flood_pushes_out_the_oldest_of_its_own_source_alone(store_url: str) -> None:
    await prepare(store_url, "services.identity.migrations")
    async with Database(store_url) as database:
        for wave in (range(3), range(10, 14), range(20, 34)):  # a server's, then a site's
            story = [a_trapped_form(n, server=n < 10) for n in wave]
            async with database.begin() as session:
                await write.withheld(session, told_apart(story)[1], most=5)
        async with database.read() as session:
            kept = await queries.withheld(session, {}, None, 100)
        by_source = [one.capture.interaction.source_id for one in kept]
        assert (by_source.count("src_server"), by_source.count("src_web")) == (3, 5)

        late = a_trapped_form(40, at=DAWN + timedelta(days=WITHHELD_DAYS, hours=1))
        async with database.begin() as session:
            await write.withheld(session, told_apart([late])[1])
        async with database.read() as session:
            assert [one.interaction_id for one in await queries.withheld(session, {}, None, 100)] == [
                late.interaction.interaction_id
            ]


async def eventually_listed(client: httpx.AsyncClient, count: int) -> list[dict[str, Any]]:
    async def all_of_them() -> list[dict[str, Any]]:
        found = await listed(client, limit=200)
        assert len(found) == count
        return found

    return await eventually(all_of_them, within=10)
