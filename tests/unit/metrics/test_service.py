"""Metrics over HTTP and over the bus: campaigns, costs, rates, who may ask for what, and what it knows of people."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from chassis.bus.broker import Broker
from chassis.message import OutMessage
from chassis.web.auth import Principal
from contracts.events.metrics import CostRecorded
from tests.chassis.app.bus_words import stored
from tests.support.eventually import eventually
from tests.support.people import at, merged, per, split
from tests.support.service import RunningService, token
from tests.unit.metrics.builders import advanced, created, entered, euros, offered, opened, visited, walked, won
from tests.unit.metrics.world import SPRING, a_campaign, heard, report, rows

AGENT = {"authorization": f"Bearer {token(Principal('a', frozenset({'agent'})), ttl_seconds=3600)}"}
SELLER = {"authorization": f"Bearer {token(Principal('s', frozenset({'sales'})), ttl_seconds=3600)}"}


async def test_a_campaign_is_created_once_per_external_id_and_then_changed(client: httpx.AsyncClient) -> None:
    first = await client.post("/v1/campaigns", json=SPRING | {"external_id": "crm-7"})
    again = await client.post("/v1/campaigns", json=SPRING | {"external_id": "crm-7", "name": "Renamed"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["campaign_id"] == again.json()["campaign_id"]
    other = await a_campaign(client, name="Fair", channel="event", external_id="crm-8")
    (listed,) = (await client.get("/v1/campaigns", params={"channel": "email"})).json()["items"]
    assert listed["name"] == "Renamed"
    taken = await client.put(f"/v1/campaigns/{other}", json=SPRING | {"external_id": "crm-7"})
    assert taken.status_code == 409
    assert taken.json()["errors"][0]["field"] == "body.external_id"
    page = (await client.get("/v1/campaigns", params={"limit": 1})).json()
    (second,) = (await client.get("/v1/campaigns", params={"limit": 1, "cursor": page["next_cursor"]})).json()["items"]
    assert [page["items"][0]["name"], second["name"]] == ["Renamed", "Fair"]
    assert (await client.get("/v1/campaigns/cmp_nowhere")).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"matches": [{}]}, "body.matches.0"),
        ({"matches": [{"source": "  "}]}, "body.matches.0"),
        ({"name": " "}, "body.name"),
        ({"starts_on": "2026-04-01", "ends_on": "2026-03-01"}, "body"),
        ({"starts_on": 20260401}, "body.starts_on"),
        ({"starts_on": "2026-04-01T00:00:00"}, "body.starts_on"),
        ({"channel": "carrier pigeon"}, "body.channel"),
        ({"is_direct": 1}, "body.is_direct"),
        ({"colour": "red"}, "body.colour"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_campaign_that_cannot_be_is_refused_by_the_name_of_its_field(
    client: httpx.AsyncClient, wrong: dict[str, Any], field: str
) -> None:
    answer = await client.post("/v1/campaigns", json=SPRING | wrong)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_cost_is_said_once_and_never_rewritten(client: httpx.AsyncClient, broker: Broker) -> None:
    campaign_id = await a_campaign(client)
    cost = {
        "campaign_id": campaign_id,
        "amount": {"amount": "99.90", "currency": "EUR"},
        "incurred_on": "2026-03-05",
        "external_id": "inv-1",
    }
    first, again = await client.post("/v1/costs", json=cost), await client.post("/v1/costs", json=cost)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    differs = await client.post("/v1/costs", json=cost | {"incurred_on": "2026-03-06"})
    assert differs.status_code == 409
    assert "another cost" in differs.json()["errors"][0]["remedy"]
    back = await client.post(
        "/v1/costs",
        json=cost | {"amount": {"amount": "-9.90", "currency": "EUR"}, "external_id": None, "note": "discount"},
    )
    assert back.status_code == 201
    unknown = await client.post("/v1/costs", json=cost | {"campaign_id": "cmp_nowhere"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "body.campaign_id")
    listed = (await client.get("/v1/costs", params={"campaign_id": campaign_id, "limit": 1})).json()
    rest = (await client.get("/v1/costs", params={"campaign_id": campaign_id, "cursor": listed["next_cursor"]})).json()
    assert sorted(item["amount"]["amount"] for item in [*listed["items"], *rest["items"]]) == ["-9.90", "99.90"]
    (row, _) = (await report(client, "campaigns"))["rows"]
    assert row["cost"] == "90.00"

    async def two_said() -> None:
        said = [CostRecorded.from_wire(message.headers, message.body) for message in await stored(broker, "METRICS")]
        assert [str(event.amount.amount) for event in said] == ["99.90", "-9.90"]

    await eventually(two_said, within=15)


async def test_amounts_are_converted_by_the_latest_rate_on_or_before_their_day(client: httpx.AsyncClient) -> None:
    campaign_id = await a_campaign(client)
    for day in ("2026-03-01", "2026-03-10", "2026-03-20"):
        cost = {"campaign_id": campaign_id, "amount": {"amount": "100", "currency": "USD"}, "incurred_on": day}
        assert (await client.post("/v1/costs", json=cost)).status_code == 201
    for day, rate in (("2026-03-10", "0.9"), ("2026-03-15", "0.85")):
        assert (await client.put(f"/v1/rates/USD/{day}", json={"rate": rate})).status_code == 200
    answer = await report(client, "campaigns")
    assert answer["total"]["cost"] == "175.00"
    assert answer["unconverted"] == [
        {"campaign_id": campaign_id, "figure": "cost", "currency": "USD", "amount": "100.00"}
    ]
    assert any("unconverted" in note for note in answer["notes"])
    assert (await client.put("/v1/rates/USD/2026-02-01", json={"rate": "1"})).status_code == 200
    answer = await report(client, "campaigns")
    assert (answer["total"]["cost"], answer["unconverted"]) == ("275.00", [])
    assert [item["starts_on"] for item in (await client.get("/v1/rates")).json()["items"]] == [
        "2026-03-15",
        "2026-03-10",
        "2026-02-01",
    ]
    assert (await client.put("/v1/rates/EUR/2026-03-10", json={"rate": "2"})).json()["errors"][0][
        "field"
    ] == "path.currency"
    assert (await client.put("/v1/rates/USD/2026-03-10", json={"rate": "0"})).status_code == 422


async def test_people_are_looked_up_under_any_id_they_ever_had(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    spring = await a_campaign(client)
    fair = await a_campaign(client, name="Fair", channel="event", matches=[{"source": "fair"}])
    await heard(
        metrics, visited(1, 1, campaign={"name": "spring"}), visited(2, 2, when=at(2), campaign={"source": "fair"})
    )
    await heard(
        metrics,
        visited(3, 2, when=at(9), campaign={"name": "spring"}),
        opened(2, "opp_1", at(3)),
        won(2, "opp_1", at(4), amount=euros(20)),
    )
    await heard(
        metrics,
        opened(1, "opp_2", at(3)),
        advanced(1, "opp_2", at(4), amount=euros(5)),
        won(1, "opp_3", at(4), amount=euros(7, "USD")),
    )
    await heard(metrics, merged([1, 2], 2, at(10)))
    body = {"person_ids": [per(1), per(2), per(9)]}
    answer = (await client.post("/v1/metrics/people:lookup", json=body)).json()
    assert answer["current"] == {per(1): per(1), per(2): per(1), per(9): per(9)}
    person, stranger = answer["items"]
    assert stranger == {"person_id": per(9), "first_touch": None, "last_touch": None, "revenue": None}
    assert person["first_touch"] == {
        "campaign_id": spring,
        "name": "Spring newsletter",
        "occurred_at": "2026-03-02T09:00:00Z",
    }
    assert person["last_touch"]["campaign_id"] == fair
    assert person["revenue"] == {"amount": "20.00", "currency": "EUR"}
    await heard(metrics, split([[1], [2]], 3, at(11)))
    first, second, _ = (await client.post("/v1/metrics/people:lookup", json=body)).json()["items"]
    assert (first["revenue"], second["first_touch"]["campaign_id"], second["revenue"]["amount"]) == (
        None,
        fair,
        "20.00",
    )


async def test_reports_say_how_far_each_stream_was_heard(
    metrics: RunningService, client: httpx.AsyncClient, broker: Broker
) -> None:
    events = [created(1), visited(1, 1), *walked(1, "anonymous", "known"), offered(1, "rep_a", at(3))]
    for of_one_stream in (events[:2], events[2:4], events[4:]):
        await broker.publish_batch(
            [OutMessage(event.subjects(1)[0], event.headers(), event.body()) for event in of_one_stream]
        )

    async def all_heard() -> None:
        answer = await report(client, "referrals")
        assert answer["complete_up_to"] == {
            "identity": "2026-03-02T09:00:00Z",
            "lifecycle": "2026-03-03T09:00:00Z",
            "nurture": None,
            "routing": "2026-03-05T09:00:00Z",
        }

    await eventually(all_heard, within=15)
    assert (await rows(client, "funnel", "stage"))["known"]["entered"] == 1


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"from": "2026-03-02", "to": "2026-03-02"}, "query.to"),
        ({"from": "20260302"}, "query.from"),
        ({"from": "2026-03-02T00:00:00"}, "query.from"),
        ({"by": "guess"}, "query.by"),
        ({"colour": "red"}, "query.colour"),
    ],
    ids=lambda value: str(value),
)
async def test_a_report_that_cannot_be_made_is_refused_by_the_name_of_its_parameter(
    client: httpx.AsyncClient, params: dict[str, str], field: str
) -> None:
    answer = await client.get("/v1/reports/funnel", params=params)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)


async def test_a_bare_date_is_midnight_of_the_reporting_time_zone(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    await heard(metrics, entered(1, "known", at(hours=14)))  # 2026-03-02T23:00Z is midnight in Berlin
    assert (await rows(client, "funnel", "stage", **{"from": "2026-03-03"}))["known"]["entered"] == 1
    assert (await rows(client, "funnel", "stage", **{"from": "2026-03-02T23:00:00.000001Z"}))["known"]["entered"] == 0
    for edge in ("0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert (await client.get("/v1/reports/campaigns", params={"from": edge})).status_code == 200


async def test_reading_and_writing_need_their_roles(client: httpx.AsyncClient) -> None:
    for path in ("/v1/campaigns", "/v1/costs", "/v1/rates", "/v1/reports/funnel", "/v1/reports/campaigns"):
        assert (await client.get(path, headers=AGENT)).status_code == 403
        assert (await client.get(path, headers=SELLER)).status_code == 200
    assert (await client.post("/v1/campaigns", json=SPRING, headers=SELLER)).status_code == 403
    assert (await client.put("/v1/rates/USD/2026-03-10", json={"rate": "1"}, headers=SELLER)).status_code == 403
    assert (await client.get("/v1/reports/funnel", params={"campaign_id": "cmp_nowhere"})).status_code == 404
