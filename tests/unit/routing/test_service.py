"""Routing with a real NATS and real stores: over HTTP, on two streams, and for two who answer at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from chassis.app import Service
from chassis.bus.broker import Broker
from chassis.store.migrate import drift
from chassis.web.auth import Principal
from contracts.events.routing import AlertRaised, ReferralAccepted
from services.routing.store.tables import Table
from tests.chassis.app.bus_words import Stored, stored
from tests.support.eventually import eventually
from tests.support.people import merged, per
from tests.support.service import RunningService, running, tell, token
from tests.support.stores import prepare
from tests.unit.routing.builders import entered, rep_id

NOW = datetime.now(UTC)
ANA = {
    "name": "Ana Ruiz",
    "external_id": "Ana Ruiz",
    "email": "ana.ruiz@rapport.example",
    "teams": ["west", "enterprise", "west"],
}


@pytest_asyncio.fixture
async def routing(broker: Broker, service: Service) -> AsyncIterator[RunningService]:
    async with running(service) as routing:
        yield routing


@pytest.fixture
def client(routing: RunningService) -> httpx.AsyncClient:
    return routing.client


def a_rep(name: str) -> dict[str, str]:
    """The headers of a rep's request."""
    return {"authorization": f"Bearer {token(Principal(name, frozenset({'sales'}), rep_id(name)))}"}


async def hire(client: httpx.AsyncClient, *names: str, **fields: Any) -> None:
    for name in names:
        answer = await client.post("/v1/reps", json={"name": name, "external_id": name, **fields})
        assert answer.status_code == 201, answer.text


async def referred(client: httpx.AsyncClient, number: int = 1, state: str = "offered") -> dict[str, Any]:
    """The referral of somebody, once it is in this state."""

    async def look() -> dict[str, Any]:
        items: list[dict[str, Any]] = (
            await client.get("/v1/referrals", params={"person_id": per(number), "state": state})
        ).json()["items"]
        assert items
        return items[0]

    return await eventually(look, within=15)


async def alerts_on(broker: Broker, stream: str, number: int) -> list[Stored]:
    async def enough() -> list[Stored]:
        alerts = [
            message for message in await stored(broker, stream) if message.headers["ce-type"] == AlertRaised.wire_name
        ]
        assert len(alerts) >= number
        return alerts

    return await eventually(enough, within=15)


async def test_a_lead_comes_in_by_nats_is_offered_and_accepted_over_http(
    broker: Broker, client: httpx.AsyncClient
) -> None:
    await hire(client, "Ana Ruiz")
    await tell(broker, entered(1, at=NOW))
    referral = await referred(client)
    assert referral["person"] == {
        "person_id": per(1),
        "name": "Mara Lindqvist",
        "title": "Head of Logistics",
        "company": "Tidewater Freight",
    }
    assert referral["rep"] == {"rep_id": rep_id("Ana Ruiz"), "name": "Ana Ruiz"}
    path = f"/v1/referrals/{referral['referral_id']}"
    assert (await client.post(f"{path}:see", headers=a_rep("Ana Ruiz"))).json()["state"] == "seen"
    accepted = await client.post(f"{path}:accept", json={"note": "Calling."}, headers=a_rep("Ana Ruiz"))
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert (await client.post(f"{path}:accept", headers=a_rep("Ana Ruiz"))).json()["answered_at"] == accepted.json()[
        "answered_at"
    ]
    detail = (await client.get(path)).json()
    assert [(offer["outcome"], offer["note"], offer["by"]) for offer in detail["trail"]] == [
        ("accepted", "Calling.", "Ana Ruiz")
    ]
    assert [receipt["kind"] for receipt in detail["receipts"]] == [
        "stage.move",
        "referral.assignment",
        "referral.answer",
    ]
    assert detail["profile"]["title"]["value"] == "Head of Logistics"
    receipts = (await client.get(f"/v1/routing/people/{per(1)}/receipts")).json()["items"]
    assert [receipt["kind"] for receipt in receipts] == ["referral.answer", "referral.assignment"]


async def test_an_alert_is_on_both_streams_under_one_id(broker: Broker, client: httpx.AsyncClient) -> None:
    await hire(client, "Ana Ruiz")
    await tell(broker, entered(1, at=NOW), entered(2, at=NOW, is_test=True))
    on_routing, on_alerts = await alerts_on(broker, "ROUTING", 2), await alerts_on(broker, "ALERTS", 2)
    assert [alert.headers["ce-id"] for alert in on_routing] == [alert.headers["ce-id"] for alert in on_alerts]
    assert [alert.body for alert in on_routing] == [alert.body for alert in on_alerts]
    assert {alert.subject for alert in on_routing} == {"routing.alert.raised.v1.0"}
    ana = rep_id("Ana Ruiz")
    assert [alert.subject for alert in on_alerts] == [f"alerts.rep.{ana}.offered", f"alerts.sink.{ana}.offered"]


async def test_of_two_who_accept_at_once_one_has_it(broker: Broker, client: httpx.AsyncClient) -> None:
    names = [f"Rep {number}" for number in range(6)]
    await tell(broker, entered(1, at=NOW))
    referral = await referred(client, state="unassigned")
    assert (await client.get("/v1/status")).json()["figures"] == {"unassigned_leads": 1}
    assert 'rapport_unassigned_leads{service="routing"} 1.0' in (await client.get("/metrics")).text
    await hire(client, *names, weight=0)
    path = f"/v1/referrals/{referral['referral_id']}:accept"
    answers = await asyncio.gather(*(client.post(path, headers=a_rep(name)) for name in names))
    # who comes too late is told who has it, or, a moment later, may not see it any more
    assert sorted(answer.status_code for answer in answers)[0] == 200
    late = {answer.json()["detail"] for answer in answers if answer.status_code != 200}
    winner = next(answer for answer in answers if answer.status_code == 200).json()["rep"]["name"]
    gone = f"There is no referral {referral['referral_id']}"
    assert all(one == gone or f"{winner} took this referral over" in one for one in late)
    assert {answer.status_code for answer in answers} <= {200, 404, 409}
    await eventually(lambda: said_accepted(broker))
    messages = await stored(broker, "ROUTING")
    assert [message.headers["ce-type"] for message in messages].count(ReferralAccepted.wire_name) == 1


async def said_accepted(broker: Broker) -> bool:
    return any(message.headers["ce-type"] == ReferralAccepted.wire_name for message in await stored(broker, "ROUTING"))


async def test_turns_are_fair_when_leads_and_answers_come_from_all_sides_at_once(
    broker: Broker, client: httpx.AsyncClient
) -> None:
    names = ["Ana Ruiz", "Tomo Arai", "Ines Amaral"]
    await hire(client, *names)
    await asyncio.gather(*(tell(broker, entered(number, at=NOW)) for number in range(1, 31)))

    async def all_offered() -> None:
        items = (await client.get("/v1/referrals", params={"limit": 200})).json()["items"]
        assert len(items) == 30

    await eventually(all_offered, within=20)
    reps = (await client.get("/v1/reps")).json()["items"]
    assert [rep["open_referrals"] for rep in reps] == [10, 10, 10]


async def test_reps_are_created_once_per_external_id_and_changed(client: httpx.AsyncClient) -> None:
    created = await client.post("/v1/reps", json=ANA)
    assert (created.status_code, created.json()["teams"], created.json()["weight"]) == (201, ["enterprise", "west"], 1)
    again = await client.post("/v1/reps", json={**ANA, "weight": 3})
    assert (again.status_code, again.json()["rep_id"], again.json()["weight"]) == (200, created.json()["rep_id"], 3)
    path = f"/v1/reps/{created.json()['rep_id']}"
    changed = (await client.patch(path, json={"capacity": 12, "is_active": False})).json()
    assert (changed["capacity"], changed["is_active"], changed["weight"], changed["name"]) == (12, False, 3, "Ana Ruiz")
    assert (await client.patch(path, json={"capacity": None})).json()["capacity"] is None
    assert (await client.get(path)).json()["is_active"] is False
    await hire(client, "Tomo Arai", "Ines Amaral")
    first = (await client.get("/v1/reps", params={"limit": 2})).json()
    rest = (await client.get("/v1/reps", params={"cursor": first["next_cursor"]})).json()
    assert [rep["name"] for rep in (*first["items"], *rest["items"])] == ["Ana Ruiz", "Tomo Arai", "Ines Amaral"]
    assert rest["next_cursor"] is None
    assert [
        rep["name"] for rep in (await client.get("/v1/reps", params={"external_id": "Tomo Arai"})).json()["items"]
    ] == ["Tomo Arai"]
    assert [rep["name"] for rep in (await client.get("/v1/reps", params={"is_active": False})).json()["items"]] == [
        "Ana Ruiz"
    ]


async def test_a_rep_who_is_not_one_is_refused_by_field(client: httpx.AsyncClient) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({}, "body.name"),
        ({"name": " "}, "body.name"),
        ({"name": "Ana", "weight": 101}, "body.weight"),
        ({"name": "Ana", "weight": True}, "body.weight"),
        ({"name": "Ana", "capacity": -1}, "body.capacity"),
        ({"name": "Ana", "teams": ["any"]}, "body.teams"),
        ({"name": "Ana", "email": "ana"}, "body.email"),
        ({"name": "Ana", "is_active": 1}, "body.is_active"),
        ({"name": "Ana", "team": "west"}, "body.team"),
    ]
    for body, field in refused:
        answer = await client.post("/v1/reps", json=body)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert (await client.get("/v1/reps")).json()["items"] == []


async def test_what_a_patch_leaves_out_stays_and_what_may_not_be_empty_is_refused(client: httpx.AsyncClient) -> None:
    await hire(client, "Ana Ruiz", teams=["west"])
    path = f"/v1/reps/{rep_id('Ana Ruiz')}"
    assert (await client.patch(path, json={})).json()["teams"] == ["west"]
    for name in ("name", "weight", "teams", "is_active"):
        assert (await client.patch(path, json={name: None})).status_code == 422
    assert (await client.patch("/v1/reps/rep_nobody", json={})).status_code == 404


async def test_an_account_has_an_owner_or_none(client: httpx.AsyncClient) -> None:
    await hire(client, "Ana Ruiz")
    path = "/v1/accounts/acc_1/owner"
    assert (await client.get(path)).json() == {
        "account_id": "acc_1",
        "rep_id": None,
        "name": None,
        "since": None,
        "by": None,
        "displaced": [],
    }
    given = (await client.put(path, json={"rep_id": rep_id("Ana Ruiz")})).json()
    assert (given["name"], given["by"]) == ("Ana Ruiz", "tester")
    assert (await client.get(path)).json() == given
    refused = await client.put(path, json={"rep_id": "rep_nobody"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.rep_id")
    assert (await client.put(path, json={"rep_id": None})).json()["rep_id"] is None


async def test_a_rep_sees_what_is_theirs_and_what_nobody_has(broker: Broker, client: httpx.AsyncClient) -> None:
    await tell(broker, entered(1, at=NOW))
    unassigned = await referred(client, 1, "unassigned")
    await hire(client, "Ana Ruiz", "Tomo Arai", weight=0, capacity=1)
    await client.put("/v1/accounts/acc_a/owner", json={"rep_id": rep_id("Ana Ruiz")})
    await tell(broker, entered(2, at=NOW, account_id="acc_a"))
    anas = await referred(client, 2)
    listed = (await client.get("/v1/referrals", headers=a_rep("Ana Ruiz"))).json()["items"]
    assert {item["referral_id"] for item in listed} == {anas["referral_id"], unassigned["referral_id"]}
    listed = (await client.get("/v1/referrals", headers=a_rep("Tomo Arai"))).json()["items"]
    assert [item["referral_id"] for item in listed] == [unassigned["referral_id"]]
    hidden = await client.get(f"/v1/referrals/{anas['referral_id']}", headers=a_rep("Tomo Arai"))
    assert (hidden.status_code, hidden.json()["detail"]) == (404, f"There is no referral {anas['referral_id']}")
    assert (await client.get(f"/v1/referrals/{anas['referral_id']}", headers=a_rep("Ana Ruiz"))).status_code == 200
    refused = await client.post(f"/v1/referrals/{anas['referral_id']}:accept", headers=a_rep("Tomo Arai"))
    assert (refused.status_code, refused.json()["detail"]) == (404, f"There is no referral {anas['referral_id']}")
    # a colleague sees it, and is told whose it is
    for name in ("Ana Ruiz", "Tomo Arai"):
        await client.patch(f"/v1/reps/{rep_id(name)}", json={"teams": ["west"]})
    refused = await client.post(f"/v1/referrals/{anas['referral_id']}:accept", headers=a_rep("Tomo Arai"))
    assert (refused.status_code, refused.json()["detail"]) == (403, "Ana Ruiz is asked about this referral, not you")
    # somebody in charge, for her
    assert (await client.post(f"/v1/referrals/{anas['referral_id']}:accept")).json()["rep"]["name"] == "Ana Ruiz"


async def test_reps_do_not_manage(client: httpx.AsyncClient) -> None:
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/v1/reps", {"name": "Leo"}),
        ("PATCH", "/v1/reps/rep_1", {}),
        ("PUT", "/v1/accounts/acc_1/owner", {"rep_id": None}),
        ("POST", "/v1/referrals/ref_1:reassign", {"rep_id": "rep_1"}),
    ]
    for method, path, body in attempts:
        assert (await client.request(method, path, json=body, headers=a_rep("Ana Ruiz"))).status_code == 403


async def test_what_did_not_happen_yet_is_refused(broker: Broker, client: httpx.AsyncClient) -> None:
    await hire(client, "Ana Ruiz")
    await tell(broker, entered(1, at=NOW))
    path = f"/v1/referrals/{(await referred(client))['referral_id']}:accept"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    refused = await client.post(path, json={"occurred_at": tomorrow}, headers=a_rep("Ana Ruiz"))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.occurred_at")
    earlier = (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0)
    assert (
        await client.post(path, json={"occurred_at": earlier.isoformat()}, headers=a_rep("Ana Ruiz"))
    ).status_code == 200
    await eventually(lambda: said_accepted(broker))
    (told,) = [
        message
        for message in await stored(broker, "ROUTING")
        if message.headers["ce-type"] == ReferralAccepted.wire_name
    ]
    event = ReferralAccepted.from_wire(told.headers, told.body)
    assert (event.occurred_at, event.meta.causation_id) == (earlier, None)
    assert event.meta.at > earlier + timedelta(hours=1)


async def test_there_is_no_such_referral(client: httpx.AsyncClient) -> None:
    await hire(client, "Ana Ruiz")
    for verb, body in (
        ("see", None),
        ("accept", None),
        ("return", {"reason": "other"}),
        ("reassign", {"rep_id": rep_id("Ana Ruiz")}),
    ):
        answer = await client.post(f"/v1/referrals/ref_nothing:{verb}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/referral-not-found")
    assert (await client.get("/v1/referrals/ref_nothing")).status_code == 404


async def test_people_are_looked_up_with_who_takes_care_of_them(broker: Broker, client: httpx.AsyncClient) -> None:
    await hire(client, "Ana Ruiz")
    await tell(broker, entered(1, at=NOW), entered(3, "engaged", at=NOW))
    referral = await referred(client)
    accepted = (await client.post(f"/v1/referrals/{referral['referral_id']}:accept", headers=a_rep("Ana Ruiz"))).json()
    await tell(broker, merged([1, 2], 2, NOW))

    async def is_merged() -> dict[str, Any]:
        answer = (
            await client.post("/v1/routing/people:lookup", json={"person_ids": [per(1), per(2), per(3), per(9)]})
        ).json()
        assert answer["current"] == {per(1): per(1), per(2): per(1), per(3): per(3), per(9): per(9)}
        return dict(answer)

    first, third, stranger = (await eventually(is_merged, within=15))["items"]
    assert first["owner"] == {
        "rep_id": rep_id("Ana Ruiz"),
        "name": "Ana Ruiz",
        "since": accepted["answered_at"],
        "referral_id": referral["referral_id"],
    }
    assert (first["referral"]["state"], first["person_id"]) == ("accepted", per(1))
    assert third == {"person_id": per(3), "owner": None, "referral": None}
    assert stranger == {"person_id": per(9), "owner": None, "referral": None}
    assert [
        item["referral_id"]
        for item in (await client.get("/v1/referrals", params={"person_id": per(2)})).json()["items"]
    ] == [referral["referral_id"]]


async def test_pages_of_referrals_hold_each_once_the_newest_first_and_tests_only_on_request(
    broker: Broker, client: httpx.AsyncClient
) -> None:
    await hire(client, "Ana Ruiz")
    await tell(broker, *(entered(number, at=NOW) for number in range(1, 6)), entered(6, at=NOW, is_test=True))
    await referred(client, 6)
    pages: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get("/v1/referrals", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        pages += [item["person"]["person_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(pages) == [per(number) for number in range(1, 6)]
    assert len((await client.get("/v1/referrals", params={"include_test": True})).json()["items"]) == 6


async def test_the_rulebook_can_send_leads_to_a_team(broker: Broker, client: httpx.AsyncClient) -> None:
    await hire(client, "Ana Ruiz", teams=["enterprise"])
    await hire(client, "Tomo Arai", teams=["west"])
    text = (
        (await client.get("/v1/rulebooks/routing/1"))
        .json()["text"]
        .replace("{team: any, answer", "{team: west, answer")
        .replace("team: any", "team: west")
    )
    draft = (await client.post("/v1/rulebooks/routing", json={"text": text})).json()
    assert (await client.post(f"/v1/rulebooks/routing/{draft['version']}:activate")).status_code == 200
    await tell(broker, entered(1, at=NOW))
    referral = await referred(client)
    assert (referral["rep"]["name"], referral["team"]) == ("Tomo Arai", "west")


async def test_without_a_seed_nobody_gets_credentials_and_is_told_why(client: httpx.AsyncClient) -> None:
    await hire(client, "Ana Ruiz")
    answer = await client.post(f"/v1/reps/{rep_id('Ana Ruiz')}/credentials")
    assert (answer.status_code, "ROUTING_CALLOUT_SEED" in answer.json()["detail"]) == (409, True)


async def test_the_tables_are_what_the_migrations_make(store_url: str) -> None:
    await prepare(store_url, "services.routing.migrations")
    assert await drift(store_url, Table.metadata) == []
