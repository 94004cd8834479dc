"""One lead's story, from an anonymous visit to money, told by the parts that its people touch."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.support.actors import Json, Rep, Visitor, ago, everything, hire, said_on
from tests.support.eventually import eventually
from tests.support.suite import Suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(540)]

UTM = {"name": "spring", "source": "newsletter", "medium": "email"}
FORM = {
    "email": "mara.lindqvist@tidewater.example",
    "name": "Mara Lindqvist",
    "title": "Head of Marketing",
    "company": "Tidewater Freight",
    "employees": "450",
    "phone": "+46 8 555 010 10",
    "newsletter": "yes",
}


async def test_a_lead_walks_from_an_anonymous_visit_to_money(own_suite: Suite) -> None:
    async with own_suite.client() as office:
        campaign_id = await plan_campaign(office)
        ana = await hire(own_suite, "Ana Ruiz")
        mara = Visitor(own_suite, "browser-of-mara", own_suite.write_key, UTM)

        await mara.looks_at("/blog/freight", ago(days=12))
        person_id = await known_as(office, anonymous_id=mara.anonymous_id)
        await stage_becomes(office, person_id, "anonymous")

        await mara.fills_in("default", FORM)
        person_id = await known_as(office, email=FORM["email"])
        await stage_becomes(office, person_id, "known", "engaged")

        await mara.looks_at("/pricing", ago(minutes=3))
        await mara.does("Demo Requested", ago(minutes=2))
        await stage_becomes(office, person_id, "mql")

        alert = await the_alert_arrives(ana, person_id)
        await ana_takes_over(office, ana, person_id, alert)
        deal = await a_deal_is_made(office, ana, person_id)
        await stage_becomes(office, person_id, "customer")

        await the_money_is_counted(office, campaign_id, deal)
        await every_decision_has_its_receipt(own_suite, office, person_id)
        await the_view_tells_all(office, ana, person_id, campaign_id)


async def plan_campaign(office: httpx.AsyncClient) -> str:
    planned = await office.post(
        "/v1/campaigns",
        json={"name": "Spring", "channel": "email", "purpose": "promotional", "is_direct": True, "matches": [UTM]},
    )
    assert planned.status_code == 201, planned.text
    campaign_id: str = planned.json()["campaign_id"]
    cost = {
        "campaign_id": campaign_id,
        "amount": {"amount": "2000.00", "currency": "EUR"},
        "incurred_on": ago(days=14)[:10],
    }
    paid = await office.post("/v1/costs", json=cost)
    assert paid.status_code == 201, paid.text
    return campaign_id


async def known_as(office: httpx.AsyncClient, **name: str) -> str:
    async def is_there() -> Any:
        found = (await office.get("/v1/people", params=name)).json()["items"]
        return found[0]["person_id"] if len(found) == 1 else None

    person_id: str = await eventually(is_there, within=20)
    return person_id


async def stage_becomes(office: httpx.AsyncClient, person_id: str, *stages: str) -> None:
    async def is_so() -> None:
        person = (await office.get(f"/v1/people/{person_id}")).json()
        assert person["degraded"] == []
        assert (person["lifecycle"] or {}).get("stage") in stages

    await eventually(is_so, within=20)


async def the_alert_arrives(ana: Rep, person_id: str) -> Json:
    """On NATS with Ana's own credentials, and on SSE, with the same id and the whole card; and again after a
    reconnect.
    """
    [message] = await ana.next_alerts(1)
    alert: Json = json.loads(message.data)
    assert alert["person_id"] == person_id
    assert alert["kind"] == "offered"
    assert alert["attributes"]["email"]["value"] == FORM["email"]
    assert alert["attributes"]["title"]["value"] == FORM["title"]
    assert alert["scores"]["cell"][0] in "AB"
    assert {"referral.assignment", "stage.move", "score.engagement"} <= {
        receipt["kind"] for receipt in alert["because"]
    }
    assert "Mara Lindqvist" in alert["headline"]
    async with ana.alert_stream(since="all") as alerts:
        streamed = await asyncio.wait_for(anext(alerts), 60)
    alert_id = (message.headers or {})["ce-id"]
    assert streamed["data"]["alert_id"] == alert_id
    assert {name: value for name, value in streamed["data"].items() if name != "alert_id"} == alert
    async with ana.alert_stream(last_event_id=str(int(streamed["id"]) - 1)) as alerts:
        resumed = await asyncio.wait_for(anext(alerts), 60)
    assert resumed == streamed
    return alert


async def ana_takes_over(office: httpx.AsyncClient, ana: Rep, person_id: str, alert: Json) -> None:
    method, path = alert["actions"]["see"].split(" ")
    assert (await ana.does(method, path))["state"] == "seen"
    method, path = alert["actions"]["accept"].split(" ")
    assert (await ana.does(method, path, {"note": "Calls her today."}))["state"] == "accepted"
    await stage_becomes(office, person_id, "sal")
    await ana.does("POST", f"/v1/lifecycle/people/{person_id}:qualify", {"note": "Budget and date are clear."})
    await stage_becomes(office, person_id, "sql")


async def a_deal_is_made(office: httpx.AsyncClient, ana: Rep, person_id: str) -> Json:
    deal = await ana.does(
        "POST",
        "/v1/opportunities",
        {"person_id": person_id, "name": "Tidewater: 40 seats", "amount": {"amount": "12000", "currency": "EUR"}},
    )
    await stage_becomes(office, person_id, "opportunity")
    await ana.does("POST", f"/v1/opportunities/{deal['opportunity_id']}:advance", {"step": "proposal"})
    return await ana.does(
        "POST", f"/v1/opportunities/{deal['opportunity_id']}:win", {"amount": {"amount": "12500.00", "currency": "EUR"}}
    )


async def the_money_is_counted(office: httpx.AsyncClient, campaign_id: str, deal: Json) -> None:
    assert deal["status"] == "won"

    async def is_counted() -> None:
        report = (await office.get("/v1/reports/campaigns")).json()
        [row] = [row for row in report["rows"] if row["campaign_id"] == campaign_id]
        assert Decimal(row["cost"]) == 2000
        assert Decimal(row["revenue"]) == 12500
        assert Decimal(row["roi"]) == Decimal("5.25")
        funnel = {row["stage"]: row["entered"] for row in (await office.get("/v1/reports/funnel")).json()["rows"]}
        walked = ("anonymous", "known", "mql", "sal", "sql", "opportunity", "customer")
        assert {stage: funnel[stage] for stage in walked} == dict.fromkeys(walked, 1)

    await eventually(is_counted, within=20)


async def every_decision_has_its_receipt(suite: Suite, office: httpx.AsyncClient, person_id: str) -> None:
    """What was said on the bus and what `/receipts` tells agree: no point, move, choice or assignment without its
    reason.
    """

    async def is_so() -> None:
        receipts = await everything(office, f"/v1/people/{person_id}/receipts")
        known = {receipt["receipt_id"] for receipt in receipts}
        assert len(known) == len(receipts)
        assert [(one["at"], one["receipt_id"]) for one in receipts] == sorted(
            ((one["at"], one["receipt_id"]) for one in receipts), reverse=True
        )
        assert all(
            receipt["sentence"] and receipt["rule"] and receipt["person_id"] == person_id for receipt in receipts
        )
        said = {stream: await said_on(suite, stream) for stream in ("SCORING", "LIFECYCLE", "NURTURE", "ROUTING")}
        moves = [body for name, body in said["LIFECYCLE"] if name == "lifecycle.stage.entered.v1"]
        assert [body["stage"] for body in moves] == ["known", "engaged", "mql", "sal", "sql", "opportunity", "customer"]
        choices = [body for name, body in said["NURTURE"] if name == "nurture.treatment.selected.v1"]
        offers = [
            body
            for name, body in said["ROUTING"]
            if name in ("routing.referral.offered.v1", "routing.referral.accepted.v1")
        ]
        assert choices
        assert len(offers) == 2
        assert {body["receipt"]["receipt_id"] for body in (*moves, *choices, *offers)} <= known
        points = [
            one["receipt_id"]
            for name, body in said["SCORING"]
            if name == "scoring.score.changed.v1"
            for one in body["receipts"]
        ]
        assert set(points) <= known
        await the_receipts_add_up(office, person_id, receipts)

    await eventually(is_so, within=20)


async def the_receipts_add_up(office: httpx.AsyncClient, person_id: str, receipts: list[Json]) -> None:
    fit = sum(
        Decimal(str(one["contribution"]["points"]))
        for one in receipts
        if one["contribution"] and one["contribution"]["measure"] == "fit"
    )
    person = (await office.get(f"/v1/people/{person_id}")).json()
    assert fit == Decimal(str(person["scores"]["fit"]))


async def the_view_tells_all(office: httpx.AsyncClient, ana: Rep, person_id: str, campaign_id: str) -> None:
    person = (await office.get(f"/v1/people/{person_id}")).json()
    assert person["degraded"] == []
    assert person["name"] == "Mara Lindqvist"
    assert person["owner"]["rep_id"] == ana.rep_id
    assert person["first_touch"]["campaign_id"] == campaign_id
    assert person["consent"] == {"email": "granted"} or person["consent"].get("any") == "granted"
    assert Decimal(person["revenue"]["amount"]) == 12500
    found = (await office.get("/v1/people", params={"stage": "customer"})).json()["items"]
    assert [one["person_id"] for one in found] == [person_id]
