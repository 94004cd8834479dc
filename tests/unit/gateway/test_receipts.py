"""Receipts of several services as one list: nothing is left out, nothing comes twice, and who did not answer is
named.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import Receipt
from gateway.people.receipts import ServicePage, merged
from people_kernel.api.pages import from_cursor, to_cursor
from tests.unit.gateway.running import Door, PlayedService

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
OWNERS = ("scoring", "lifecycle", "nurture", "routing")


def receipt(owner: str, name: str, minute: int) -> Receipt:
    return Receipt(
        receipt_id=f"rcp_{name}",
        at=AT + timedelta(minutes=minute),
        owner=owner,
        kind="stage.move",
        person_id="per_1",
        fragment_id="frg_1",
        cause_id="int_1",
        rule="rule",
        rulebook=f"{owner}@1",
        sentence="Because.",
    )


def place_of(one: Receipt) -> tuple[datetime, str]:
    return one.at, one.receipt_id


def page_of(receipts: Sequence[Receipt], cursor: str | None, limit: int) -> ServicePage:
    """What a service answers that holds `receipts`."""
    place = from_cursor(cursor)
    after = [one for one in sorted(receipts, key=place_of, reverse=True) if place is None or place_of(one) < place]
    return ServicePage(after[:limit], len(after) > limit)


HELD = st.lists(st.tuples(st.sampled_from(OWNERS), st.integers(0, 5)), max_size=25)


@given(held=HELD, limit=st.integers(1, 7))
def test_paging_through_all_services_gives_every_receipt_once_newest_first(
    held: list[tuple[str, int]], limit: int
) -> None:
    shelves = {
        owner: [receipt(owner, f"{number:02}", minute) for number, (whose, minute) in enumerate(held) if whose == owner]
        for owner in OWNERS
    }
    seen: list[Receipt] = []
    cursor: str | None = None
    while True:
        items, cursor = merged([page_of(receipts, cursor, limit) for receipts in shelves.values()], limit)
        seen += items
        if cursor is None:
            break
        assert len(items) == limit
    assert seen == sorted((one for receipts in shelves.values() for one in receipts), key=place_of, reverse=True)


def holding(service: PlayedService, owner: str, *receipts: Receipt) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        page = page_of(receipts, request.query.get("cursor"), int(request.query["limit"]))
        cursor = to_cursor(*place_of(page.receipts[-1])) if page.has_more else None
        return web.json_response(
            {"items": [one.model_dump(mode="json") for one in page.receipts], "next_cursor": cursor}
        )

    service.answers["GET", f"/v1/{owner}/people/per_1/receipts"] = answer


async def told(door: Door, **query: Any) -> Any:
    answer = await door.api("GET", "/v1/people/per_1/receipts", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_all_that_decide_are_asked_with_the_same_cursor_and_moment(
    door: Door, services: dict[str, PlayedService]
) -> None:
    for minute, owner in enumerate(OWNERS):
        holding(
            services[owner],
            owner,
            receipt(owner, f"{owner}_late", 10 + minute),
            receipt(owner, f"{owner}_early", minute),
        )
    first = await told(door, limit=5, as_of="2026-04-01T00:00:00Z")
    assert [one["owner"] for one in first["items"]] == ["routing", "nurture", "lifecycle", "scoring", "routing"]
    rest = await told(door, limit=5, cursor=first["next_cursor"])
    assert [one["receipt_id"] for one in rest["items"]] == [
        "rcp_nurture_early",
        "rcp_lifecycle_early",
        "rcp_scoring_early",
    ]
    assert (rest["next_cursor"], rest["degraded"]) == (None, [])
    for owner in OWNERS:
        first_asked, then_asked = [asked[1] for asked in services[owner].asked]
        assert "as_of=2026-04-01" in first_asked
        assert f"cursor={first['next_cursor']}" in then_asked


async def test_one_service_s_receipts_can_be_asked_for_alone(door: Door, services: dict[str, PlayedService]) -> None:
    holding(services["lifecycle"], "lifecycle", receipt("lifecycle", "a", 1))
    assert [one["owner"] for one in (await told(door, owner="lifecycle"))["items"]] == ["lifecycle"]
    assert [services[owner].asked for owner in ("scoring", "nurture", "routing")] == [[], [], []]
    assert (await door.api("GET", "/v1/people/per_1/receipts", params={"owner": "metrics"})).status_code == 422


async def test_who_fails_is_named_and_who_never_heard_of_them_is_not(
    door: Door, services: dict[str, PlayedService]
) -> None:
    holding(services["scoring"], "scoring", receipt("scoring", "a", 1))
    services["routing"].says("GET", "/v1/routing/people/per_1/receipts", {}, 500)
    page = await told(door)
    assert ([one["receipt_id"] for one in page["items"]], page["degraded"]) == (["rcp_a"], ["routing"])


async def test_nobody_knows_them_or_nobody_answers(door: Door, services: dict[str, PlayedService]) -> None:
    unknown = await door.api("GET", "/v1/people/per_1/receipts")
    assert (unknown.status_code, unknown.json()["title"]) == (404, "Person not found")
    services["nurture"].says("GET", "/v1/nurture/people/per_1/receipts", {}, 500)
    assert (await door.api("GET", "/v1/people/per_1/receipts")).status_code == 503


async def test_a_wrong_question_is_answered_here(door: Door, services: dict[str, PlayedService]) -> None:
    wrong = ({"cursor": "nonsense"}, {"limit": 0}, {"as_of": "yesterday"}, {"ownr": "scoring"})
    fields = [
        (await door.api("GET", "/v1/people/per_1/receipts", params=query)).json()["errors"][0]["field"]
        for query in wrong
    ]
    assert fields == ["query.cursor", "query.limit", "query.as_of", "query.ownr"]
    assert (await door.api("GET", "/v1/people/per%201/receipts")).status_code == 422
    assert [service.asked for service in services.values()] == [[]] * len(services)
