"""Two people are merged by hand and split again while captures are in flight; all is as if it had never been."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.support.eventually import eventually
from tests.support.suite import Suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(360)]

AS_OF = "2026-03-10T12:00:00Z"
PAGES = ("/pricing", "/docs", "/demo", "/pricing/enterprise", "/careers", "/blog")


def story(world: str, who: str) -> list[dict[str, Any]]:
    """What one person does, the same in every world: visits, an identify, a form, more visits."""
    person = {"anonymousId": f"{world}-{who}-browser", "userId": f"{world}-{who}"}
    traits = {
        "email": f"{who}@{world}.example",
        "name": f"{who.title()} Ibsen",
        "title": "VP Logistics",
        "company": {"name": "Fjord", "employees": 80},
    }
    events = [
        {"type": "page", "properties": {"path": path}, "anonymousId": person["anonymousId"]} for path in PAGES[:3]
    ]
    events += [
        {"type": "identify", "traits": traits, **person},
        {"type": "track", "event": "Demo Form Submitted", **person},
    ]
    events += [{"type": "page", "properties": {"path": path}, **person} for path in PAGES[3:]]
    return [
        {**event, "messageId": f"{world}-{who}-{number}", "timestamp": f"2026-03-0{1 + number}T10:00:00Z"}
        for number, event in enumerate(events)
    ]


async def send(client: httpx.AsyncClient, suite: Suite, events: list[dict[str, Any]]) -> None:
    answer = await client.post(
        "/v1/batch", json={"batch": events}, headers={"authorization": f"Bearer {suite.write_key}"}
    )
    assert answer.json() == {"success": True}, answer.text


async def person_of(client: httpx.AsyncClient, user_id: str) -> dict[str, Any]:
    found = (await client.get("/v1/people", params={"user_id": user_id})).json()["items"]
    assert len(found) == 1, (user_id, found)
    return dict(found[0])


async def seen(client: httpx.AsyncClient, person_id: str) -> int:
    answer = await client.get(f"/v1/people/{person_id}/timeline", params={"limit": "100"})
    assert answer.status_code == 200, answer.text
    return len(answer.json()["items"])


async def view(client: httpx.AsyncClient, world: str, who: str) -> dict[str, Any]:
    """What is known and computed about a person at AS_OF, without what names the world."""
    person_id = (await person_of(client, f"{world}-{who}"))["person_id"]
    answer = await client.get(f"/v1/people/{person_id}", params={"as_of": AS_OF})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["degraded"] == []
    account_id = body["profile"].pop("account_id")["value"]  # derives from the domain, which names the world
    account = (await client.get(f"/v1/accounts/{account_id}")).json()
    receipts = (
        await client.get(f"/v1/people/{person_id}/receipts", params={"limit": "200", "owner": "scoring"})
    ).json()["items"]
    return {
        "identifiers": sorted(each["value"].replace(world, "world") for each in body["identifiers"]),
        "profile": {name: str(fact["value"]).replace(world, "world") for name, fact in body["profile"].items()},
        "account": account["domain"].replace(world, "world"),
        "scores": body["scores"],
        "engagement": sorted(
            (each["rule"], each["at"], str(each["contribution"]))
            for each in receipts
            if each["kind"] == "score.engagement"
        ),
        "fit": booked(receipts),
        "interactions": await seen(client, person_id),
    }


def booked(receipts: list[dict[str, Any]]) -> dict[str, float]:
    """What receipts of fit come to, rule by rule: bookings and counter-bookings tell of the merge, and only their sums
    may not.
    """
    totals: Counter[str] = Counter()
    for each in receipts:
        if each["kind"] == "score.fit":
            totals[each["rule"]] += each["contribution"]["points"]
    return {rule: points for rule, points in totals.items() if points}


async def test_merge_and_split_leave_no_trace_in_identity_or_scores(suite: Suite) -> None:
    async with suite.client() as client:
        for world in ("control", "merged"):
            for who in ("nora", "tove"):
                await send(client, suite, story(world, who)[:4])
        nora = await eventually(lambda: person_of(client, "merged-nora"), within=10)
        tove = await eventually(lambda: person_of(client, "merged-tove"), within=10)

        merged = await client.post(
            f"/v1/people/{nora['person_id']}:merge", json={"with_person_id": tove["person_id"], "reason": "same desk"}
        )
        assert merged.status_code == 200, merged.text
        rest = [
            send(client, suite, story(world, who)[4:]) for world in ("control", "merged") for who in ("nora", "tove")
        ]
        await asyncio.gather(*rest)  # in flight while the split is made
        links = (await client.get(f"/v1/people/{nora['person_id']}/links")).json()["links"]
        manual = [link["link_id"] for link in links if link["strength"] == "manual"]
        split = await client.post(
            f"/v1/people/{nora['person_id']}:split", json={"link_ids": manual, "reason": "two people after all"}
        )
        assert split.status_code == 200, split.text

        async def all_arrived() -> None:
            for world in ("control", "merged"):
                for who in ("nora", "tove"):
                    person = await person_of(client, f"{world}-{who}")
                    assert await seen(client, person["person_id"]) == len(story(world, who))

        await eventually(all_arrived, within=20)
        for who in ("nora", "tove"):
            assert await view(client, "merged", who) == await view(client, "control", who)


async def test_an_absorbed_id_answers_with_the_survivor(suite: Suite) -> None:
    async with suite.client() as client:
        for who in ("liv", "gro"):
            await send(client, suite, story("absorbed", who))
        liv = await eventually(lambda: person_of(client, "absorbed-liv"), within=10)
        gro = await eventually(lambda: person_of(client, "absorbed-gro"), within=10)
        survivor, absorbed = sorted((liv["person_id"], gro["person_id"]))
        answer = await client.post(
            f"/v1/people/{absorbed}:merge", json={"with_person_id": survivor, "reason": "married"}
        )
        assert answer.status_code == 200, answer.text

        async def one_view() -> None:
            body = (await client.get(f"/v1/people/{absorbed}")).json()
            assert body["person_id"] == survivor
            assert await seen(client, absorbed) == 2 * len(story("absorbed", "liv"))

        await eventually(one_view, within=10)
