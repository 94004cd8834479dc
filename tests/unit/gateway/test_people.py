"""The view of a person: put together from the services, and honest about what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from people_kernel.api.pages import from_id_cursor, to_id_cursor
from tests.unit.gateway.running import Answer, Door, PlayedService


def known(person_id: str, **others: Any) -> dict[str, Any]:
    return {
        "person_id": person_id,
        "identifiers": [{"kind": "email", "value": f"{person_id}@b.co"}],
        "is_test": False,
    } | others


def scored(person_id: str, engagement: int = 7) -> dict[str, Any]:
    return {
        "person_id": person_id,
        "name": "Ada",
        "profile": {"title": {"value": "CTO"}},
        "scores": {"engagement": engagement, "cell": "A1"},
    }


PARTS: dict[str, dict[str, Any]] = {
    "lifecycle": {
        "stage": "mql",
        "title": "Marketing qualified lead",
        "since": "2026-03-01T08:00:00Z",
        "entered_at": "2026-03-01T08:00:01Z",
        "clocks": [{"name": "acceptance", "due_at": "2026-03-02T08:00:00Z"}],
        "possible": ["recycle"],
        "receipt": None,
    },
    "routing": {
        "owner": {"rep_id": "rep_1", "name": "Ana Ruiz", "since": "2026-03-01T08:00:00Z", "referral_id": "ref_1"},
        "referral": {"referral_id": "ref_1", "state": "accepted", "rep_id": "rep_1", "due_at": None},
    },
    "nurture": {
        "buying_stage": "decision",
        "treatment": {
            "treatment_id": "trt_1",
            "name": "Talk to us",
            "at": "2026-03-01T08:00:00Z",
            "sentence": "Is ready.",
        },
    },
    "metrics": {
        "first_touch": {"campaign_id": "cmp_1", "name": "Spring", "occurred_at": "2026-02-01T08:00:00Z"},
        "last_touch": {"campaign_id": "cmp_2", "name": "Fair", "occurred_at": "2026-02-09T08:00:00Z"},
        "revenue": {"amount": "12500.00", "currency": "EUR"},
    },
}
SHOWN_BY = {
    "scoring": "scores",
    "lifecycle": "lifecycle",
    "routing": "owner",
    "nurture": "treatment",
    "metrics": "revenue",
}


def looked_up(*items: dict[str, Any], **current: str) -> dict[str, Any]:
    return {"items": list(items), "current": {item["person_id"]: item["person_id"] for item in items} | current}


async def test_a_list_asks_each_service_once_whatever_its_length(
    door: Door, identity: PlayedService, scoring: PlayedService
) -> None:
    identity.says("GET", "/v1/people", {"items": [known("per_1"), known("per_2")], "next_cursor": "per_2"})
    scoring.says("POST", "/v1/scoring/people:lookup", looked_up(scored("per_1")))
    answer = await door.api("GET", "/v1/people", params={"email": "a@b.co", "limit": 2})
    assert answer.status_code == 200, answer.text
    page = answer.json()
    first, second = page["items"]
    assert (first["person_id"], first["profile"]["title"]["value"], first["scores"]["cell"]) == ("per_1", "CTO", "A1")
    assert (second["profile"], second["scores"], second["lifecycle"], second["owner"]) == (None, None, None, None)
    assert (page["next_cursor"], page["degraded"]) == ("per_2", [])
    assert [asked[:2] for asked in identity.asked] == [("GET", "/v1/people?email=a@b.co&limit=2")]
    assert [asked[2] for asked in scoring.asked] == [b'{"person_ids": ["per_1", "per_2"]}']


async def test_what_had_happened_by_a_moment_and_who_was_known_by_a_moment_are_two_questions(
    door: Door, identity: PlayedService, scoring: PlayedService, lifecycle: PlayedService, routing: PlayedService
) -> None:
    identity.says("GET", "/v1/people/per_9", known("per_1"))  # per_9 was absorbed
    scoring.says("POST", "/v1/scoring/people:lookup", looked_up(scored("per_1")))
    answer = await door.api(
        "GET", "/v1/people/per_9", params={"as_of": "2026-03-01T08:00:00Z", "known_at": "2026-04-01T08:00:00Z"}
    )
    assert answer.json()["person_id"] == "per_1"
    assert answer.json()["scores"]["engagement"] == 7
    assert "known_at=2026-04-01" in identity.asked[0][1]
    assert b'"as_of": "2026-03-01' in scoring.asked[0][2]
    assert b'"as_of": "2026-03-01' in lifecycle.asked[0][2]
    assert b"as_of" not in routing.asked[0][2]


async def test_a_person_is_what_all_services_know(door: Door, services: dict[str, PlayedService]) -> None:
    services["identity"].says(
        "GET", "/v1/people/per_1", known("per_1", account_id="acc_1", consent={"email": "granted"}, is_test=True)
    )
    services["scoring"].says("POST", "/v1/scoring/people:lookup", looked_up(scored("per_1")))
    for name, item in PARTS.items():
        services[name].says("POST", f"/v1/{name}/people:lookup", looked_up({"person_id": "per_1", **item}))
    person = (await door.api("GET", "/v1/people/per_1")).json()
    assert (person["account_id"], person["consent"], person["is_test"], person["degraded"]) == (
        "acc_1",
        {"email": "granted"},
        True,
        [],
    )
    assert person["lifecycle"] == PARTS["lifecycle"]
    assert person.items() >= (PARTS["routing"] | PARTS["nurture"] | PARTS["metrics"]).items()


@pytest.mark.parametrize("failing", ["scoring", "lifecycle", "routing", "nurture", "metrics"])
async def test_each_part_may_fail_alone(door: Door, services: dict[str, PlayedService], failing: str) -> None:
    services["identity"].says("GET", "/v1/people/per_1", known("per_1"))
    services["scoring"].says("POST", "/v1/scoring/people:lookup", looked_up(scored("per_1")))
    for name, item in PARTS.items():
        services[name].says("POST", f"/v1/{name}/people:lookup", looked_up({"person_id": "per_1", **item}))
    services[failing].says("POST", f"/v1/{failing}/people:lookup", {"title": "Unexpected"}, 500)
    person = (await door.api("GET", "/v1/people/per_1")).json()
    there = {name for name, field in SHOWN_BY.items() if person[field] is not None}
    assert (person["degraded"], there) == ([failing], SHOWN_BY.keys() - {failing})


async def test_people_in_a_stage_are_those_lifecycle_names_in_its_order(
    door: Door, identity: PlayedService, scoring: PlayedService, lifecycle: PlayedService
) -> None:
    lifecycle.says(
        "GET",
        "/v1/lifecycle/people",
        {"items": [{"person_id": name} for name in ("per_9", "per_3", "per_1")], "next_cursor": "more"},
    )
    # lifecycle will hear of the merge
    identity.says("POST", "/v1/people:lookup", looked_up(known("per_1"), known("per_3"), per_9="per_1"))
    scoring.says("POST", "/v1/scoring/people:lookup", looked_up(scored("per_1")))
    page = (await door.api("GET", "/v1/people", params={"stage": "mql", "limit": 3})).json()
    assert [item["person_id"] for item in page["items"]] == ["per_1", "per_3"]
    assert (page["items"][0]["scores"]["cell"], page["next_cursor"]) == ("A1", "more")
    await door.api("GET", "/v1/people", params={"stage": "mql", "cursor": "more"})
    assert [asked[1] for asked in lifecycle.asked if asked[0] == "GET"] == [
        "/v1/lifecycle/people?stage=mql&limit=3",
        "/v1/lifecycle/people?stage=mql&limit=50&cursor=more",
    ]


async def test_a_stage_stands_alone_and_a_wrong_one_is_told_as_lifecycle_tells_it(
    door: Door, lifecycle: PlayedService
) -> None:
    beside = await door.api("GET", "/v1/people", params={"stage": "mql", "q": "ada", "email": "a@b.co"})
    assert (beside.status_code, beside.json()["detail"]) == (422, "stage cannot be combined with email, q")
    lifecycle.says("GET", "/v1/lifecycle/people", {"title": "Bad input", "errors": [{"field": "query.stage"}]}, 422)
    wrong = await door.api("GET", "/v1/people", params={"stage": "warm"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "query.stage")
    lifecycle.says("GET", "/v1/lifecycle/people", {}, 500)
    assert (await door.api("GET", "/v1/people", params={"stage": "mql"})).status_code == 503


async def test_a_service_that_heard_of_a_merge_first_still_answers(
    door: Door, identity: PlayedService, scoring: PlayedService
) -> None:
    identity.says("GET", "/v1/people/per_2", known("per_2"))
    scoring.says("POST", "/v1/scoring/people:lookup", looked_up(scored("per_1"), per_2="per_1"))
    answer = (await door.api("GET", "/v1/people/per_2")).json()
    assert (answer["person_id"], answer["scores"]["cell"]) == ("per_2", "A1")


async def test_a_part_that_fails_is_named_and_the_rest_is_there(
    door: Door, identity: PlayedService, scoring: PlayedService
) -> None:
    identity.says("GET", "/v1/people", {"items": [known("per_1")], "next_cursor": None})
    identity.says("GET", "/v1/people/per_1", known("per_1"))
    scoring.says("POST", "/v1/scoring/people:lookup", {"title": "Unexpected"}, 500)
    page = (await door.api("GET", "/v1/people")).json()
    person = (await door.api("GET", "/v1/people/per_1")).json()
    assert page["degraded"] == person["degraded"] == ["scoring"]
    assert page["items"][0]["identifiers"] == person["identifiers"] == known("per_1")["identifiers"]


async def test_without_identity_a_person_is_what_others_know(
    door: Door, identity: PlayedService, scoring: PlayedService
) -> None:
    async def broken(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPBadGateway

    identity.answers["GET", "/v1/people/per_1"] = broken
    scoring.says("POST", "/v1/scoring/people:lookup", looked_up(scored("per_1")))
    answer = await door.api("GET", "/v1/people/per_1")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["degraded"], answer.json()["identifiers"], answer.json()["scores"]["cell"]) == (
        ["identity"],
        [],
        "A1",
    )
    scoring.says("POST", "/v1/scoring/people:lookup", looked_up())
    assert (await door.api("GET", "/v1/people/per_1")).status_code == 503


async def test_nobody_is_not_found_and_a_wrong_value_is_told_as_identity_tells_it(
    door: Door, identity: PlayedService
) -> None:
    identity.says("GET", "/v1/people", {"title": "Bad input", "status": 422}, 422)
    assert (await door.api("GET", "/v1/people", params={"phone": "x"})).status_code == 422
    assert (await door.api("GET", "/v1/people/per_1")).status_code == 404
    for wrong in ("per_1%2F..%2Flinks", "per%20"):
        assert (await door.api("GET", f"/v1/people/{wrong}")).status_code in (404, 422)
    assert (await door.api("GET", "/v1/people", params={"emial": "a@b.co"})).status_code == 422


@dataclass
class Base:
    """Who is found by identity, and who by scoring; both answer a page after an id, as the services do."""

    by_identifier: set[str]
    by_name: set[str]
    absorbed: dict[str, str] = field(default_factory=dict)

    def plays(self, identity: PlayedService, scoring: PlayedService) -> None:
        for service, path, found in (
            (identity, "/v1/people", self.by_identifier),
            (scoring, "/v1/scoring/people", self.by_name),
        ):
            service.answers["GET", path] = self._page_of(found)
        identity.answers["POST", "/v1/people:lookup"] = self._look_up
        scoring.answers["POST", "/v1/scoring/people:lookup"] = self._look_up

    def _page_of(self, found: set[str]) -> Answer:
        async def play(request: web.Request) -> web.StreamResponse:
            after, limit = from_id_cursor(request.query.get("cursor")) or "", int(request.query["limit"])
            page = sorted(one for one in found if one > after)
            items = [known(one) for one in page[:limit]]
            cursor = to_id_cursor(page[limit - 1]) if len(page) > limit else None
            return web.json_response({"items": items, "next_cursor": cursor})

        return play

    async def _look_up(self, request: web.Request) -> web.StreamResponse:
        asked = (await request.json())["person_ids"]
        if len(asked) > 200:
            return web.json_response({"title": "Bad input"}, status=422)
        current = {one: self.absorbed.get(one, one) for one in asked}
        return web.json_response({"items": [known(one) for one in sorted(set(current.values()))], "current": current})


async def pages_of(door: Door, limit: int) -> list[list[str]]:
    pages: list[list[str]] = []
    query: dict[str, Any] = {"q": "tide", "limit": limit}
    while True:
        answer = await door.api("GET", "/v1/people", params=query)
        assert answer.status_code == 200, answer.text
        pages.append([item["person_id"] for item in answer.json()["items"]])
        assert "scoring" not in answer.json()["degraded"]
        if answer.json()["next_cursor"] is None:
            return pages
        query["cursor"] = answer.json()["next_cursor"]


def numbered(*numbers: int) -> set[str]:
    return {f"per_{number:03}" for number in numbers}


@pytest.mark.parametrize("limit", [1, 7, 50, 200])
async def test_pages_of_a_text_hold_at_most_what_was_asked_and_everybody_once(
    door: Door, identity: PlayedService, scoring: PlayedService, limit: int
) -> None:
    small = limit < 50
    by_identifier = numbered(*(range(0, 30, 3) if small else range(0, 500, 2)))
    by_name = numbered(*(range(0, 30, 2) if small else range(0, 500, 3)))
    Base(by_identifier, by_name).plays(identity, scoring)
    pages = await pages_of(door, limit)
    assert max(map(len, pages)) <= limit
    assert [one for page in pages for one in page] == sorted(by_identifier | by_name)


async def test_who_was_absorbed_a_moment_ago_is_not_told_twice(
    door: Door, identity: PlayedService, scoring: PlayedService
) -> None:
    Base(numbered(1, 2, 3), numbered(2, 5, 6, 9), absorbed={"per_005": "per_001", "per_009": "per_006"}).plays(
        identity, scoring
    )
    for limit in (1, 2, 3, 50):
        people = [one for page in await pages_of(door, limit) for one in page]
        assert sorted(people) == sorted(numbered(1, 2, 3, 6)), limit


async def test_a_cursor_that_is_none_is_refused(door: Door, identity: PlayedService, scoring: PlayedService) -> None:
    Base(set(), set()).plays(identity, scoring)
    assert (await door.api("GET", "/v1/people", params={"q": "ada", "cursor": "no cursor"})).status_code == 422


async def test_beside_other_filters_a_text_is_looked_for_among_identifiers(
    door: Door, identity: PlayedService, scoring: PlayedService
) -> None:
    Base(numbered(1), numbered(1, 2)).plays(identity, scoring)
    answer = await door.api("GET", "/v1/people", params={"q": "ada", "email": "a@b.co"})
    assert [item["person_id"] for item in answer.json()["items"]] == ["per_001"]


async def test_what_identity_refuses_is_refused_also_beside_a_text(
    door: Door, identity: PlayedService, scoring: PlayedService
) -> None:
    identity.says("GET", "/v1/people", {"title": "Bad input", "errors": [{"field": "query.email"}]}, 422)
    scoring.says("GET", "/v1/scoring/people", {"items": [], "next_cursor": None})
    answer = await door.api("GET", "/v1/people", params={"q": "ada", "email": "nobody"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.email")


async def test_a_text_is_looked_for_among_identifiers_alone_while_scoring_is_away(
    door: Door, identity: PlayedService
) -> None:
    identity.says("GET", "/v1/people", {"items": [known("per_1")], "next_cursor": None})
    page = (await door.api("GET", "/v1/people", params={"q": "ada"})).json()
    assert ([item["person_id"] for item in page["items"]], page["degraded"]) == (["per_1"], ["scoring"])
