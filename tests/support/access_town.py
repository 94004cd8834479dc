"""Two reps of two teams with a lead each, a key for each role, and a request for each operation of the API."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateway.access.policy import ROLES, Operation
from tests.support.actors import Json, Rep, Visitor, ago, hire
from tests.support.eventually import eventually
from tests.support.suite import Suite

NOWHERE = "01J0000000000000000000000A"
MISSING: Json = {
    "person_id": f"per_{NOWHERE}",
    "account_id": f"acc_{NOWHERE}",
    "opportunity_id": f"opp_{NOWHERE}",
    "referral_id": f"ref_{NOWHERE}",
    "interaction_id": f"int_{NOWHERE}",
    "candidate_id": f"cnd_{NOWHERE}",
    "webhook_id": f"whk_{NOWHERE}",
    "delivery_id": f"dlv_{NOWHERE}",
    "treatment_id": f"trt_{NOWHERE}",
    "campaign_id": f"cmp_{NOWHERE}",
    "receipt_id": f"rcp_{NOWHERE}",
    "source_id": f"src_{NOWHERE}",
    "reject_id": f"rej_{NOWHERE}",
    "key_id": f"key_{NOWHERE}",
    "rep_id": f"rep_{NOWHERE}",
    "form_id": "no-such-form",
    "version": "999999",
    "token": "no-such-token",
    "write_key": "no-such-key",
    "currency": "EUR",
    "on": "yesterday",
    "name": "funnel",
}
_NAME = re.compile(r"\{(\w+)\}")
_HOT = {"title": "VP Sales", "employees": 450}


@dataclass(frozen=True)
class Lead:
    """Somebody whom one rep is asked about: what the API names of them."""

    email: str
    named: Json

    @property
    def person_id(self) -> str:
        return str(self.named["person_id"])


@dataclass
class Town:
    """Ana and Bo are of different teams, and each has a lead of their own."""

    suite: Suite
    ana: Rep
    bo: Rep
    anas: Lead
    bos: Lead
    keys: dict[str, str] = field(default_factory=dict)

    def client(self, api_key: str | None) -> httpx.AsyncClient:
        headers = {} if api_key is None else {"authorization": f"Bearer {api_key}"}
        return httpx.AsyncClient(base_url=self.suite.url, headers=headers, timeout=120)


async def settle(suite: Suite) -> Town:
    """Hire them, and give each a lead with a deal, by an account that is theirs."""
    ana = await hire(suite, "Ana of the east", teams=["walk-east"], weight=0)
    bo = await hire(suite, "Bo of the west", teams=["walk-west"], weight=0)
    anas, bos = await asyncio.gather(lead_of(suite, ana, "easterly"), lead_of(suite, bo, "westerly"))
    town = Town(suite, ana, bo, anas, bos)
    async with suite.client() as office:
        for role in ROLES:
            wish = {"subject": f"{role} of the walk", "roles": [role], "rep_id": ana.rep_id}
            town.keys[role] = (await office.post("/v1/keys", json=wish)).json()["api_key"]
        wish = {"subject": "leads the west", "roles": ["manager"], "teams": ["walk-west"]}
        town.keys["manager of the west"] = (await office.post("/v1/keys", json=wish)).json()["api_key"]
    return town


async def leave(town: Town) -> None:
    """So that nobody else's lead is offered to them."""
    async with town.suite.client() as office:
        for rep in (town.ana, town.bo):
            await office.patch(f"/v1/reps/{rep.rep_id}", json={"is_active": False})


async def lead_of(suite: Suite, rep: Rep, name: str) -> Lead:
    """Somebody of an account that is the rep's: accepted, qualified, with a deal."""
    email = f"lead@{name}.example"
    visitor = Visitor(suite, f"browser-of-{name}", suite.write_key, {})
    await visitor.fills_in("default", {"email": email, "name": f"{name} lead", "company": f"{name} works"})
    async with suite.client() as office:

        async def person() -> Json | None:
            items = (await office.get("/v1/people", params={"email": email})).json()["items"]
            return items[0] if items and items[0]["account_id"] else None

        known = await eventually(person, within=60)
        assert known is not None
        account_id, person_id = known["account_id"], known["person_id"]
        owned = await office.put(f"/v1/accounts/{account_id}/owner", json={"rep_id": rep.rep_id})
        assert owned.is_success, owned.text
        await visitor.does("Demo Requested", ago(seconds=1), {"email": email, **_HOT})

        async def referral() -> Json | None:
            items = (await office.get("/v1/referrals", params={"person_id": person_id})).json()["items"]
            return items[0] if items and items[0]["state"] == "offered" else None

        referred = await eventually(referral, within=60)
        assert referred is not None
        assert referred["rep"]["rep_id"] == rep.rep_id
    await rep.does("POST", f"/v1/referrals/{referred['referral_id']}:accept")

    async def qualified() -> bool:
        async with rep.client() as client:
            answer = await client.post(f"/v1/lifecycle/people/{person_id}:qualify", json={})
        return answer.status_code == 200

    await eventually(qualified, within=60)
    deal = await rep.does("POST", "/v1/opportunities", {"person_id": person_id, "name": f"Deal of {name}"})
    named = {
        "person_id": person_id,
        "account_id": account_id,
        "referral_id": referred["referral_id"],
        "opportunity_id": deal["opportunity_id"],
        "rep_id": rep.rep_id,
    }
    return Lead(email, named)


def path_of(operation: Operation, named: Json) -> str:
    """The path with these names in it; of the rest nothing is there."""
    return _NAME.sub(lambda found: str({**MISSING, **named}[found[1]]), operation.path)


_ASKED_FIRST: Json = {  # what is looked at before whom it is about
    "/v1/people/{person_id}/consent-links": {"channel": "email", "consent": "granted"},
    "/v1/referrals/{referral_id}:return": {"reason": "wrong_rep"},
    "/v1/referrals/{referral_id}:reassign": {"rep_id": MISSING["rep_id"]},
}


def body_of(operation: Operation, named: Json) -> Any:
    """What is sent: no more than names somebody, so that nothing comes of it where it is let through."""
    match operation.body:
        case None:
            return None if operation.method in ("GET", "DELETE") else _ASKED_FIRST.get(operation.path, {})
        case "person_ids":
            return {"person_ids": [named["person_id"]]}
        case "with_person_id":
            return {"with_person_id": named["person_id"], "reason": "walk", "nonsense": 1}
        case "with_account_id":
            return {"with_account_id": named["account_id"], "reason": "walk", "nonsense": 1}
        case other:
            return {other: named["person_id"], "name": "walk", "nonsense": 1}


async def status_of(client: httpx.AsyncClient, operation: Operation, named: Json) -> int:
    """The answer's status alone: streams have no end."""
    known = {**MISSING, **named}
    async with client.stream(operation.method, path_of(operation, named), json=body_of(operation, known)) as answer:
        return answer.status_code
