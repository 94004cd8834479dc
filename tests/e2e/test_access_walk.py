"""Every operation, with no key, a wrong key, the key of each role, and on another rep's lead, against the table."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gateway.access.policy import ROLES, SALES, About, Door, Operation
from gateway.access.table import POLICY
from tests.support.access_town import MISSING, Town, body_of, lead_of, leave, path_of, settle, status_of
from tests.support.actors import Json, everything
from tests.support.eventually import eventually
from tests.support.suite import Suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LOCKED = [
    one for one in POLICY.operations if one.door not in (Door.OPEN, Door.WRITE_KEY) and "reports/{" not in one.path
]
ON_A_LEAD = [
    one
    for one in LOCKED
    if one.about in (About.PERSON, About.DEAL) or (one.about is About.REFERRAL and "{" in one.path)
]
_SAID_OF_ONE = ("trace_id", "instance", "request_id")


@pytest.fixture(scope="module")
def town(suite: Suite) -> Iterator[Town]:
    built = asyncio.run(settle(suite))
    yield built
    asyncio.run(leave(built))


async def test_every_operation_that_is_offered_stands_in_the_table(town: Town) -> None:
    async with town.client(None) as nobody:
        document = (await nobody.get("/openapi.json")).json()
    offered = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    assert [one for one in offered if POLICY.of(*one) is None] == []


async def test_nobody_is_let_in_without_a_key_or_with_a_wrong_one(town: Town) -> None:
    let_in = []
    for api_key in (None, "rk_nobody_has_this_key", town.suite.write_key):
        async with town.client(api_key) as stranger:
            for one in LOCKED:
                if one.door is Door.EITHER and api_key == town.suite.write_key:
                    continue
                status = await status_of(stranger, one, town.bos.named)
                let_in += [] if status == 401 else [f"{one.method} {one.path} with {api_key}: {status}"]
    assert let_in == []


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_what_the_table_says(town: Town, role: str) -> None:
    otherwise = []
    async with town.client(town.keys[role]) as client:
        for one in LOCKED:
            status = await status_of(client, one, {"rep_id": town.ana.rep_id} if one.about is About.REP else {})
            is_let_in = status not in (401, 403)
            if is_let_in is not _may(one, role):
                otherwise.append(f"{one.method} {one.path}: {status}")
    assert otherwise == []


def _may(operation: Operation, role: str) -> bool:
    # an account that is not there is none of a rep's
    return role in operation.roles and not (operation.about is About.ACCOUNT and role == SALES)


async def test_another_s_lead_is_as_if_it_were_not_there(town: Town) -> None:
    otherwise = []
    async with town.ana.client() as ana:
        for one in (operation for operation in ON_A_LEAD if SALES in operation.roles):
            his, none = await _told(ana, one, town.bos.named), await _told(ana, one, MISSING)
            if his != none or his[0] != 404:
                otherwise.append(f"{one.method} {one.path}: {his} / {none}")
    assert otherwise == []


async def _told(client: httpx.AsyncClient, operation: Operation, named: Json) -> tuple[int, Any]:
    """Status and words of an answer, without the ids that were asked for."""
    answer = await client.request(operation.method, path_of(operation, named), json=body_of(operation, named))
    text = answer.text
    for name in ("person_id", "opportunity_id", "referral_id"):
        text = text.replace(named[name], "<id>")
    said = json.loads(text)
    kept = {name: value for name, value in said.items() if name not in _SAID_OF_ONE} if isinstance(said, dict) else said
    return answer.status_code, kept


async def test_whose_lead_it_is_is_let_through(town: Town) -> None:
    otherwise = []
    for api_key in (town.bo.api_key, town.keys["manager of the west"], town.keys["manager"], town.keys["agent"]):
        async with town.client(api_key) as client:
            for one in ON_A_LEAD:
                if one.method != "GET" or "why-not" in one.path:  # that one has no receipt of the kind
                    continue
                status = await status_of(client, one, town.bos.named)
                otherwise += [] if status == 200 else [f"{one.path}: {status}"]
    async with town.bo.client() as bo:  # what moves them is refused for what it says, not for whom it is about
        for one in (operation for operation in ON_A_LEAD if SALES in operation.roles and operation.method != "GET"):
            body = {**(body_of(one, town.bos.named) or {}), "nonsense": 1}
            answer = await bo.request(one.method, path_of(one, town.bos.named), json=body)
            otherwise += [f"{one.path}: {answer.status_code}"] if answer.status_code in (401, 403, 404) else []
    assert otherwise == []


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/people", {}),
        ("/v1/people", {"q": "lead"}),
        ("/v1/people", {"email": "lead@westerly.example"}),
        ("/v1/people", {"stage": "opportunity"}),
        ("/v1/scoring/people", {"q": "lead"}),
        ("/v1/scoring/people", {}),
        ("/v1/lifecycle/people", {}),
        ("/v1/lifecycle/people", {"stage": "opportunity"}),
        ("/v1/opportunities", {}),
        ("/v1/referrals", {}),
    ],
)
async def test_a_list_holds_whom_its_reader_sees(town: Town, path: str, params: dict[str, str]) -> None:
    async def found(api_key: str) -> set[str]:
        async with town.client(api_key) as client:
            items = await everything(client, path, **params)
        people = [str(item.get("person_id") or item["person"]["person_id"]) for item in items]
        assert len(people) == len(set(people)) or path in ("/v1/opportunities", "/v1/referrals")
        return {town.anas.person_id, town.bos.person_id} & set(people)

    own = {town.bos.person_id}
    assert await found(town.bo.api_key) == own
    assert await found(town.keys["manager of the west"]) == own
    assert town.bos.person_id not in await found(town.ana.api_key)
    assert own <= await found(town.keys["marketing"])


async def test_a_lead_is_not_told_of_by_another_name(town: Town) -> None:
    both = {"person_ids": [town.anas.person_id, town.bos.person_id]}
    async with town.ana.client() as ana:
        looked_up = (await ana.post("/v1/scoring/people:lookup", json=both)).json()
        assert [item["person_id"] for item in looked_up["items"]] == [town.anas.person_id]
        assert looked_up["current"] == {town.anas.person_id: town.anas.person_id}
        wish: Json = {"email": town.bos.email, "channel": "any", "dry_run": True}
        chosen = (await ana.post("/v1/treatments:select", json=wish)).json()
        assert (chosen["person_id"], chosen["receipt"]) == (None, None)
        wish = {"person_id": town.bos.person_id, "dry_run": True}
        assert (await ana.post("/v1/treatments:select", json=wish)).status_code == 404
        filtered = await ana.get("/v1/opportunities", params={"person_id": town.bos.person_id})
        assert filtered.status_code == 404
        # the last of two fields of one name counts, for whoever reads it
        twice = f'{{"with_person_id":"{MISSING["person_id"]}","with_person_id":"{town.bos.person_id}","reason":"x"}}'
        path = f"/v1/people/{town.anas.person_id}:merge"
        for text in (twice, json.dumps({"with_person_id": town.bos.person_id, "reason": "x"})):
            stolen = await ana.post(path, content=text, headers={"content-type": "application/json"})
            assert stolen.status_code == 404
        utf16 = json.dumps({"with_person_id": town.bos.person_id, "reason": "x"}).encode("utf-16")
        stolen = await ana.post(path, content=utf16, headers={"content-type": "application/json"})
        assert stolen.status_code == 400


async def test_accounts_and_reps_of_others_are_seen_and_left(town: Town) -> None:
    async with town.ana.client() as ana:
        assert (await ana.get(f"/v1/accounts/{town.bos.named['account_id']}")).status_code == 200
        body = {"with_account_id": town.bos.named["account_id"], "reason": "walk"}
        merged = await ana.post(f"/v1/accounts/{town.anas.named['account_id']}:merge", json=body)
        assert (merged.status_code, "no account of yours" in merged.text) == (403, True)
        assert (await ana.post(f"/v1/reps/{town.bo.rep_id}/credentials")).status_code == 403
    async with town.client(town.keys["manager of the west"]) as manager:
        listening = POLICY.of("GET", "/v1/alerts/stream")
        assert listening is not None
        async with manager.stream("GET", listening.path, params={"rep_id": town.ana.rep_id}) as refused:
            assert refused.status_code == 403
        async with manager.stream("GET", listening.path, params={"rep_id": town.bo.rep_id}) as heard:
            assert heard.status_code == 200


async def test_rights_follow_at_once(town: Town) -> None:
    hers, his = await asyncio.gather(
        lead_of(town.suite, town.ana, "northerly"), lead_of(town.suite, town.bo, "southerly")
    )
    path, referral = f"/v1/people/{his.person_id}", f"/v1/referrals/{his.named['referral_id']}"
    async with town.suite.client() as office, town.ana.client() as ana, town.bo.client() as bo:
        await office.patch(f"/v1/reps/{town.ana.rep_id}", json={"teams": ["walk-east", "walk-west"]})
        assert (await ana.get(path)).status_code == 200  # a colleague's
        await office.patch(f"/v1/reps/{town.ana.rep_id}", json={"teams": ["walk-east"]})
        assert (await ana.get(path)).status_code == 404
        await office.put(f"/v1/accounts/{his.named['account_id']}/owner", json={"rep_id": None})
        given = await office.post(f"{referral}:reassign", json={"rep_id": town.ana.rep_id})
        assert given.status_code == 200, given.text
        assert [(await client.get(path)).status_code for client in (ana, bo)] == [200, 404]
        assert (await bo.get(referral)).status_code == 200  # he was asked, and may read what became of it
        assert (await bo.post(f"{referral}:accept")).status_code == 409

        # both are hers now, so she may join them; then Bo, who is given one, has both
        body = {"with_person_id": his.person_id, "reason": "one and the same"}
        joined = await ana.post(f"/v1/people/{hers.person_id}:merge", json=body)
        assert joined.status_code == 200, joined.text

        async def is_one() -> bool:
            live = await everything(ana, "/v1/referrals", person_id=his.person_id)
            return len([one for one in live if one["state"] in ("offered", "seen", "accepted")]) == 1

        await eventually(is_one, within=60)
        (left,) = (
            one
            for one in await everything(ana, "/v1/referrals", person_id=his.person_id)
            if one["state"] in ("offered", "seen", "accepted")
        )
        await office.put(f"/v1/accounts/{hers.named['account_id']}/owner", json={"rep_id": None})
        await office.post(f"/v1/referrals/{left['referral_id']}:reassign", json={"rep_id": town.bo.rep_id})
        for one in (hers, his):
            asked = f"/v1/people/{one.person_id}"
            assert [(await client.get(asked)).status_code for client in (ana, bo)] == [404, 200]
