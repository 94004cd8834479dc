"""Kill -9 any process under load and let it come back: every acknowledged capture ends in one profile, once, and every
decision is made once.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from typing import Any

import aiohttp
import pytest

from tests.support.actors import Rep, hire, said_on
from tests.support.eventually import eventually
from tests.support.suite import PROCESSES, Suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(720)]

PEOPLE = 25
AFTER_SECONDS = 1.0
SENDERS = 8


async def test_every_acknowledged_capture_ends_in_exactly_one_profile_once(own_suite: Suite) -> None:
    acknowledged: dict[str, str] = {}
    numbers = itertools.count()
    rep = await hire(own_suite, "Ana Ruiz")
    for process in PROCESSES:
        await load_while_killing(own_suite, process, acknowledged, numbers)
    assert len(acknowledged) > 100, "the load was too small to mean anything"

    async def all_is_well() -> None:
        await profiles_hold_exactly(own_suite, acknowledged)
        await everybody_was_referred_once(own_suite, rep)

    await eventually(all_is_well, within=60)


async def load_while_killing(
    suite: Suite, process: str, acknowledged: dict[str, str], numbers: itertools.count[int]
) -> None:
    """Send, kill `process` meanwhile and send on for AFTER_SECONDS; then wait until it is back and one more capture is
    acknowledged.
    """
    is_enough = asyncio.Event()
    key = {"authorization": aiohttp.encode_basic_auth(suite.write_key, "")}
    async with aiohttp.ClientSession(headers=key, timeout=aiohttp.ClientTimeout(total=20)) as session:
        senders = [
            asyncio.create_task(send_until(session, suite, is_enough, acknowledged, numbers)) for _ in range(SENDERS)
        ]
        before = len(acknowledged)
        await eventually(lambda: len(acknowledged) > before + 20, within=20)
        killed = suite.kill(process)
        await asyncio.sleep(AFTER_SECONDS)
        is_enough.set()
        await asyncio.gather(*senders)
        await eventually(lambda: suite.pid(process) not in (0, killed), within=20)
        await eventually(lambda: send_one(session, suite, acknowledged, numbers), within=30)


async def send_until(
    session: aiohttp.ClientSession,
    suite: Suite,
    is_enough: asyncio.Event,
    acknowledged: dict[str, str],
    numbers: itertools.count[int],
) -> None:
    while not is_enough.is_set():
        if not await send_one(session, suite, acknowledged, numbers):
            await asyncio.sleep(0.02)  # as an SDK would, before it tries anew


async def send_one(
    session: aiohttp.ClientSession, suite: Suite, acknowledged: dict[str, str], numbers: itertools.count[int]
) -> bool:
    """One capture, sent twice when the first answer does not come (as SDKs do, with the same messageId)."""
    number = next(numbers)
    user_id, message_id = f"user-{number % PEOPLE}", f"message-{number}"
    event = {
        "type": "track",
        "event": "Demo Requested",
        "userId": user_id,
        "anonymousId": f"browser-{number % (3 * PEOPLE)}",
        "messageId": message_id,
        "context": {"traits": {"email": f"{user_id}@tidewater.example", "title": "VP Sales", "employees": 800}},
    }
    for _ in range(2):
        try:
            async with session.post(f"{suite.url}/v1/track", json=event) as answer:
                if answer.status == 200:
                    acknowledged[message_id] = user_id
                    return True
                assert answer.status == 503, await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            continue
    return False


async def profiles_hold_exactly(suite: Suite, acknowledged: dict[str, str]) -> None:
    """Every acknowledged message is in the timeline of its user, once, and in nobody else's."""
    seen: Counter[str] = Counter()
    owner: dict[str, str] = {}
    async with suite.client() as client:
        for number in range(PEOPLE):
            user_id = f"user-{number}"
            found = (await client.get("/v1/people", params={"user_id": user_id})).json()["items"]
            assert len(found) == 1, user_id
            async for item in timeline(client, found[0]["person_id"]):
                seen[item["message_id"]] += 1
                owner[item["message_id"]] = user_id
    assert [message for message, times in seen.items() if times > 1] == []
    assert set(acknowledged) - set(seen) == set()
    assert {message for message, user in acknowledged.items() if owner[message] != user} == set()


async def everybody_was_referred_once(suite: Suite, rep: Rep) -> None:
    """Each person entered each stage once, was treated, offered to the only rep once, and raised one alert; and the
    reports say the same.
    """
    moves = [body for name, body in await said_on(suite, "LIFECYCLE") if name == "lifecycle.stage.entered.v1"]
    entered = Counter((body["person_id"], body["stage"]) for body in moves)
    assert [move for move, times in entered.items() if times > 1] == []
    ready = {person_id for person_id, stage in entered if stage == "mql"}
    assert len(ready) == PEOPLE
    referrals = [body for name, body in await said_on(suite, "ROUTING") if name == "routing.referral.offered.v1"]
    assert Counter(body["person_id"] for body in referrals) == Counter(ready)
    alerts = await said_on(suite, "ALERTS")
    assert Counter(body["person_id"] for _, body in alerts) == Counter(ready)
    treated = {
        body["person_id"] for name, body in await said_on(suite, "NURTURE") if name == "nurture.treatment.selected.v1"
    }
    assert treated >= ready
    async with suite.client() as client:
        funnel = (await client.get("/v1/reports/funnel")).json()
        assert {row["stage"]: row["entered"] for row in funnel["rows"]}["mql"] == PEOPLE
    told = await rep.next_alerts(PEOPLE)
    assert Counter(json.loads(alert.data)["person_id"] for alert in told) == Counter(ready)


async def timeline(client: Any, person_id: str) -> Any:
    cursor: str | None = None
    while True:
        page = (
            await client.get(
                f"/v1/people/{person_id}/timeline", params={"limit": "200", **({"cursor": cursor} if cursor else {})}
            )
        ).json()
        for item in page["items"]:
            yield item
        cursor = page["next_cursor"]
        if cursor is None:
            return
