"""Too much of one: a profile, a batch, facts that come late. Nothing is unready, and the others do not notice."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx

from contracts.limits import BATCH_EVENTS, EVENT_BYTES, OTHER_ATTRIBUTES
from tests.support.actors import ago
from tests.support.eventually import eventually
from tests.support.hostile_requests import many_traits
from tests.support.installation import Installation

FLOOD = 30  # identify calls of 28 KB
LATE_EVENTS = 3_000


async def an_oversized_profile(here: Installation) -> None:
    """One visitor with a megabyte of attributes."""
    async with here.client() as client, here.others("beside the oversized"):
        for wide in (900, 30):  # the largest values, then the most
            for _ in range(FLOOD // 2):
                await _sent(client, here, "/v1/identify", {"userId": "oversized", "traits": many_traits(wide)})
        await _sent(
            client,
            here,
            "/v1/identify",
            {"userId": "oversized", "traits": {"city": "Delft"}, "messageId": "the last of it"},
        )
        await here.asks_for_a_demo("after-the-oversized")
        await here.everybody_is_referred_once()

        async def is_known() -> None:
            person = (await client.get(f"/v1/people/{await here.person(client, 'oversized')}")).json()
            assert person["degraded"] == []
            assert person["profile"]["city"]["value"] == "Delft"  # what the product knows by name has room
            assert OTHER_ATTRIBUTES < len(person["profile"]) < OTHER_ATTRIBUTES + 50  # and the others are bounded

        await eventually(is_known, within=30)


async def a_context_bomb(here: Installation) -> None:
    """A batch whose context would be written with each of its events, a body that unpacks to a thousand times its size,
    an event too large.
    """
    before = await here.settled()
    events = [
        {"type": "track", "event": "Clicked", "userId": "bomber", "messageId": f"bomb-{number}"}
        for number in range(BATCH_EVENTS)
    ]
    bomb = {"batch": events, "context": {"app": {"name": "y" * (EVENT_BYTES - 2_000)}}}
    packed = gzip.compress(b'{"batch": [' + b" " * 10_000_000 + b"]}")
    large = {"type": "track", "event": "Clicked", "userId": "bomber", "properties": {"text": "z" * EVENT_BYTES}}
    async with here.client() as client:
        answer = await client.post("/v1/batch", json=bomb, auth=here.write_key)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (413, "context"), answer.text
        answer = await client.post(
            "/v1/batch", content=packed, headers={"content-encoding": "gzip"}, auth=here.write_key
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (413, "body"), answer.text
        await here.is_still(before)  # not one of them was kept
        async with here.others("beside the bomb"):
            kept = {"type": "track", "event": "Clicked", "userId": "bomber", "messageId": "small enough"}
            answer = await client.post("/v1/batch", json={"batch": [large, kept]}, auth=here.write_key)
            assert (answer.status_code, [one["index"] for one in answer.json()["rejected"]]) == (200, [0]), answer.text
            await here.asks_for_a_demo("after-the-bomb")
            await here.everybody_is_referred_once()
    assert await here.timeline("bomber") == ["small enough"]


async def a_late_flood(here: Installation) -> None:
    """A device that was away for months sends all it has; others go on at the same time."""
    async with here.client() as client:
        await _sent(
            client, here, "/v1/identify", {"userId": "flooded", "traits": {"email": "flooded@tidewater.example"}}
        )
        async with here.others("beside the flood"):
            for half in (0, 1):
                late = [_late(number) for number in range(half, LATE_EVENTS, 2)]
                await _sent(client, here, "/v1/batch", {"batch": late})
            await here.asks_for_a_demo("in-the-flood")
            await here.everybody_is_referred_once()
    await here.settled()
    visits = "SELECT count(*), count(DISTINCT interaction_id) FROM fact WHERE user_id = 'flooded' AND kind = 'page'"
    assert await here.rows("scoring", visits) == [(LATE_EVENTS, LATE_EVENTS)]
    points = (
        "SELECT count(*) FROM fact f JOIN receipt r ON r.cause_id = f.interaction_id WHERE f.user_id = 'flooded' AND"
        " f.kind = 'page'"
    )
    assert await here.rows("scoring", points) == [(LATE_EVENTS,)]


def _late(number: int) -> dict[str, Any]:
    page = {"path": "/pricing", "url": "https://www.tidewater.example/pricing"}
    # so long ago that the points have faded: thousands of fresh ones lose one every few
    # minutes, and scoring would say so at any time
    happened = {"messageId": f"late-{number}", "timestamp": ago(days=300, minutes=-number)}
    return {"type": "page", "userId": "flooded", "name": "/pricing", "properties": page, **happened}


async def _sent(client: httpx.AsyncClient, here: Installation, path: str, body: dict[str, Any]) -> None:
    answer = await client.post(path, json=body, auth=here.write_key)
    assert answer.status_code == 200, answer.text
    assert not json.loads(answer.text).get("rejected"), answer.text
