"""Which treatment fits: what a page may ask and sees, what a key sees, and what happens when nobody knows who it is."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.unit.gateway.running import WRITE_KEY, Door, PlayedService

SELECT = "/v1/treatments:select"
FOR_BROWSER = "/v1/browsers:select-treatment"
BROWSERS = "/v1/browsers:lookup"
CARD: dict[str, Any] = {"profile": {}, "scores": {"cell": "D3"}, "is_named": False}
GUIDE = {
    "treatment_id": "trt_1",
    "revision": 2,
    "name": "Guide",
    "channel": "web",
    "content": {"headline": "Ninety days"},
}
CHOSEN: dict[str, Any] = {
    "person_id": "per_1",
    "buying_stage": "decision",
    "stage": "mql",
    "treatment": GUIDE,
    "alternatives": [
        {
            "treatment_id": "trt_2",
            "name": "Case study",
            "channel": "web",
            "rank": 2,
            "why": "lower priority 40 < 60",
            "content": {"headline": "How"},
        },
        {
            "treatment_id": "trt_4",
            "name": "Comparison",
            "channel": "web",
            "rank": 3,
            "why": "lower priority 30 < 60",
            "content": None,
        },
    ],
    "why_not": [{"treatment_id": "trt_3", "reasons": ["consent was withdrawn"]}],
    "receipt": {"sentence": "Because they are ready."},
    "selection_id": "sel_1",
}


@pytest.fixture(autouse=True)
def catalogue(nurture: PlayedService) -> None:
    nurture.says("POST", SELECT, CHOSEN)
    nurture.says("POST", FOR_BROWSER, CHOSEN)


@pytest.fixture(autouse=True)
def browser(identity: PlayedService, scoring: PlayedService) -> None:
    identity.says("POST", BROWSERS, {"anonymous_id": "a-1", "fragment_id": "frg_1"})
    scoring.says("POST", BROWSERS, CARD)


async def a_server_key(door: Door) -> tuple[str, str]:
    """The key of a source whose names are believed."""
    made = await door.api("POST", "/v1/sources", json={"name": "backend", "kind": "server"})
    return made.json()["write_key"], ""


def knowing(identity: PlayedService, **people: str) -> None:
    """Identity finds `people` (kind of name -> person), and nobody else."""

    async def answer(request: web.Request) -> web.StreamResponse:
        found = [people[kind] for kind in request.query if kind in people]
        return web.json_response({"items": [{"person_id": person_id} for person_id in found], "next_cursor": None})

    identity.answers["GET", "/v1/people"] = answer


def asked_of(nurture: PlayedService) -> dict[str, Any]:
    asked: dict[str, Any] = orjson.loads(nurture.asked[-1][2])
    return asked


async def test_a_page_sees_the_catalogue_and_nothing_of_the_person(
    door: Door, identity: PlayedService, scoring: PlayedService, nurture: PlayedService
) -> None:
    knowing(identity, anonymous_id="per_1")
    answer = await door.send(SELECT, {"anonymous_id": "a-1", "channel": "web", "context": {"page": "/pricing"}})
    assert answer.status_code == 200, answer.text
    shown = {key: GUIDE[key] for key in ("treatment_id", "name", "channel", "content")}
    second = {"treatment_id": "trt_2", "name": "Case study", "channel": "web", "content": {"headline": "How"}}
    assert answer.json() == {"treatment": shown, "alternatives": [second]}
    assert asked_of(nurture) == {
        "limit": 1,
        "context": {"page": "/pricing"},
        "browser": {"fragment_id": "frg_1", **CARD},
    }
    assert [asked[1] for asked in (*identity.asked, *scoring.asked, *nurture.asked)] == [
        BROWSERS,
        BROWSERS,
        FOR_BROWSER,
    ]
    assert (nurture.callers[-1].subject, nurture.callers[-1].roles) == ("source:src_default", frozenset({"site"}))
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_any_page_may_ask_with_its_key_wherever_it_puts_it(door: Door, identity: PlayedService) -> None:
    knowing(identity)
    asks: list[dict[str, Any]] = [
        {"json": {}, "auth": (WRITE_KEY, "")},
        {"json": {}, "headers": {"authorization": f"Bearer {WRITE_KEY}"}},
        {"json": {}, "params": {"writeKey": WRITE_KEY}},
        {"content": orjson.dumps({"writeKey": WRITE_KEY}), "headers": {"content-type": "text/plain"}},
    ]
    assert [(await door.client.post(SELECT, **ask)).status_code for ask in asks] == [200] * 4
    preflight = await door.client.options(
        SELECT, headers={"origin": "https://any.example", "access-control-request-method": "POST"}
    )
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "https://any.example")
    refused = await door.client.post(SELECT, json={})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")


async def test_nothing_fits(door: Door, nurture: PlayedService) -> None:
    nurture.says("POST", FOR_BROWSER, CHOSEN | {"treatment": None, "alternatives": []})
    assert (await door.send(SELECT, {})).json() == {"treatment": None, "alternatives": []}


async def test_a_key_sees_everything(door: Door) -> None:
    assert (await door.api("POST", SELECT, json={"person_id": "per_1"})).json() == CHOSEN | {"degraded": []}


async def test_the_strongest_name_that_somebody_goes_by_decides(
    door: Door, identity: PlayedService, nurture: PlayedService
) -> None:
    names, backend = {"anonymous_id": "a-1", "email": "ada@example.com", "user_id": "u-1"}, await a_server_key(door)
    knowing(identity, email="per_2", anonymous_id="per_1")
    answer = await door.send(SELECT, names, auth=backend)
    assert answer.json()["treatment"]["treatment_id"] == "trt_1"
    assert "person_id" not in answer.json()  # its key is answered with the catalogue too
    assert asked_of(nurture)["person_id"] == "per_2"
    assert sorted(asked[1] for asked in identity.asked) == [
        "/v1/people?anonymous_id=a-1&limit=1",
        "/v1/people?email=ada@example.com&limit=1",
        "/v1/people?user_id=u-1&limit=1",
    ]
    knowing(identity)
    await door.send(SELECT, names, auth=backend)
    assert "person_id" not in asked_of(nurture)


async def test_while_identity_or_scoring_is_away_everybody_is_a_stranger(
    door: Door, identity: PlayedService, scoring: PlayedService, nurture: PlayedService
) -> None:
    identity.says("GET", "/v1/people", {}, 500)
    assert (await door.api("POST", SELECT, json={"email": "ada@example.com"})).json()["degraded"] == ["identity"]
    scoring.says("POST", BROWSERS, {}, 500)
    assert (await door.send(SELECT, {"anonymous_id": "a-1"})).status_code == 200
    assert "browser" not in asked_of(nurture)
    scoring.says("POST", BROWSERS, CARD)
    identity.says("POST", BROWSERS, {}, 500)
    assert (await door.send(SELECT, {"anonymous_id": "a-1"})).status_code == 200
    assert "browser" not in asked_of(nurture)
    identity.says("POST", BROWSERS, {"anonymous_id": "a-1", "fragment_id": None})  # it was never heard of
    assert (await door.send(SELECT, {"anonymous_id": "a-1"})).status_code == 200
    assert "browser" not in asked_of(nurture)


async def test_a_test_source_selects_as_a_test(door: Door, nurture: PlayedService) -> None:
    made = (await door.api("POST", "/v1/sources", json={"name": "trial", "is_test": True})).json()
    await door.send(SELECT, {}, auth=(made["write_key"], ""))
    assert asked_of(nurture)["is_test"] is True
    await door.send(SELECT, {})
    assert "is_test" not in asked_of(nurture)


async def test_what_a_write_key_may_not_ask(door: Door, identity: PlayedService, nurture: PlayedService) -> None:
    public: list[tuple[dict[str, Any], str]] = [
        ({"person_id": "per_1"}, "body.person_id"),
        ({"dry_run": True}, "body.dry_run"),
        ({"email": "mara@tidewater.example"}, "body.email"),
        ({"anonymous_id": "a-1", "user_id": "u-1"}, "body.user_id"),
        ({"anonymous_id": "a-1", "channel": "email"}, "body.channel"),
        ({"channel": "any"}, "body.channel"),
    ]
    for body, field in public:
        answer = await door.send(SELECT, body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, field)
        assert answer.json()["errors"][0].get("remedy") or answer.json().get("remedy"), answer.json()
    backend = await a_server_key(door)
    for body, field in public[:2]:
        answer = await door.send(SELECT, body, auth=backend)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, field)
    assert (identity.asked, nurture.asked) == ([], [])
    assert (await door.send(SELECT, {"channel": "email"}, auth=backend)).status_code == 200


WRONG: list[tuple[Any, int, str]] = [
    (b"{", 400, ""),
    ([], 422, "body"),
    ({"emial": "a@b.co"}, 422, "body.emial"),
    ({"channel": "fax"}, 422, "body.channel"),
    ({"limit": True}, 422, "body.limit"),
    ({"limit": 6}, 422, "body.limit"),
    ({"context": []}, 422, "body.context"),
    ({"context": {"a": "x" * 40_000}}, 413, "body"),
]


@pytest.mark.parametrize(("body", "status", "field"), WRONG, ids=[str(number) for number in range(len(WRONG))])
async def test_a_wrong_question_is_told_by_its_field(door: Door, body: Any, status: int, field: str) -> None:
    answer = await door.send(SELECT, body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert [error["field"] for error in answer.json().get("errors", [])] == ([field] if field else [])


async def test_a_name_that_nobody_can_have_and_a_person_with_names_beside(door: Door, identity: PlayedService) -> None:
    identity.says("GET", "/v1/people", {"title": "Bad input"}, 422)
    identity.says("POST", BROWSERS, {"title": "Bad input"}, 422)
    for name, body in (("email", "nobody"), ("anonymous_id", "undefined")):
        wrong = await door.send(SELECT, {name: body}, auth=await a_server_key(door))
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, f"body.{name}")
    wrong = await door.send(SELECT, {"anonymous_id": "undefined"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "body.anonymous_id")
    both = await door.api("POST", SELECT, json={"person_id": "per_1", "email": "ada@example.com"})
    assert (both.status_code, both.json()["errors"][0]["field"]) == (422, "body.person_id")


async def test_what_nurture_refuses_and_that_it_is_away(door: Door, nurture: PlayedService) -> None:
    nurture.says("POST", FOR_BROWSER, {"title": "Bad input", "errors": [{"field": "body.context"}]}, 422)
    assert (await door.send(SELECT, {})).json()["errors"] == [{"field": "body.context"}]
    nurture.says("POST", FOR_BROWSER, {}, 500)
    assert (await door.send(SELECT, {})).status_code == 503
