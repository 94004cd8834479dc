"""Companies over HTTP: all their names, and what humans change about them."""

from __future__ import annotations

from typing import Any

import httpx

from chassis.bus.broker import Broker
from chassis.message import OutMessage
from chassis.web.auth import Principal
from contracts.events.gateway import InteractionReceived
from contracts.values import AccountClaim, InteractionKind
from tests.support.eventually import eventually
from tests.support.service import token
from tests.unit.identity.world import a_capture


def as_role(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token(Principal('ada', frozenset({role})))}"}


def a_group(number: int, group_id: str, domain: str, **traits: Any) -> InteractionReceived:
    claim = AccountClaim(group_id=group_id, domain=domain, name=group_id.title(), traits=traits)
    user_id = f"u-{group_id}"
    return a_capture(number, user_id=user_id, kind=InteractionKind.GROUP, account=claim, server=True)


async def accounts(client: httpx.AsyncClient, number: int) -> dict[str, dict[str, Any]]:
    async def found() -> dict[str, dict[str, Any]]:
        items = (await client.get("/v1/accounts")).json()["items"]
        assert len(items) == number
        return {one["name"]: one for one in items}

    return await eventually(found, within=10)


async def account_of(client: httpx.AsyncClient, user_id: str) -> str:
    (person,) = (await client.get("/v1/people", params={"user_id": user_id})).json()["items"]
    return str(person["account_id"])


async def test_two_companies_are_merged_and_parted_again_by_hand(client: httpx.AsyncClient, broker: Broker) -> None:
    told = (a_group(1, "acme", "acme.com", employees=900), a_group(2, "sub", "sub.com", industry="Rail"))
    await broker.publish_batch([OutMessage(one.subjects(1)[0], one.headers(), one.body()) for one in told])
    before = await accounts(client, 2)
    acme, sub = before["Acme"]["account_id"], before["Sub"]["account_id"]
    assert [(one["kind"], one["value"]) for one in before["Acme"]["keys"]] == [
        ("group_id", "acme"),
        ("domain", "acme.com"),
    ]
    path, body = f"/v1/accounts/{sub}:merge", {"with_account_id": acme, "reason": "one group"}
    assert (await client.post(path, json=body, headers=as_role("agent"))).status_code == 403
    dry = (await client.post(path, json=body, headers=as_role("sales"), params={"dry_run": True})).json()
    assert (dry["dry_run"], len(dry["accounts"])) == (True, 1)
    assert await accounts(client, 2) == before
    merged = (await client.post(path, json=body, headers=as_role("sales"))).json()
    assert merged["accounts"] == dry["accounts"]
    assert merged["sentence"] == "ada merged the two: one group"
    (whole,) = merged["accounts"]
    assert (whole["account_id"], whole["facts"]["industry"]["value"], whole["traits"]["employees"]) == (
        acme,
        "Rail",
        900,
    )
    assert (await client.get(f"/v1/accounts/{sub}")).json()["account_id"] == acme
    assert await account_of(client, "u-sub") == acme
    assert (await client.post(path, json=body, headers=as_role("sales"))).status_code == 409
    keys = [{"kind": "group_id", "value": "sub"}, {"kind": "domain", "value": "sub.com"}]
    split = f"/v1/accounts/{acme}:split"
    unknown = {"keys": [{"kind": "domain", "value": "else.com"}], "reason": "no"}
    refused = await client.post(split, json=unknown, headers=as_role("sales"))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.keys.0")
    assert (await client.post(split, json={"keys": keys, "reason": "two"}, headers=as_role("sales"))).status_code == 200
    after = await accounts(client, 2)
    assert after == before
    assert await account_of(client, "u-sub") == sub
    assert await account_of(client, "u-acme") == acme
    assert (await client.post("/v1/accounts/acc_none:merge", json=body, headers=as_role("sales"))).status_code == 404
