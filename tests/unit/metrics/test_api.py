"""Metrics over HTTP and over the bus: campaigns, costs, rates, reports, and what it knows of people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from chassis.auth import Principal
from chassis.bus.broker import Broker
from chassis.message import OutMessage
from contracts.envelope import Event
from contracts.events.metrics import CostRecorded
from services.metrics.main import create_service
from services.metrics.settings import MetricsSettings
from tests.chassis.app.bus_words import stored
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, RunningService, running, token
from tests.unit.metrics.builders import (
    accepted,
    advanced,
    at,
    corrected,
    created,
    entered,
    euros,
    hear,
    marked,
    merged,
    offered,
    opened,
    per,
    returned,
    split,
    treated,
    visited,
    walked,
    won,
)

SPRING: dict[str, Any] = {"name": "Spring newsletter", "channel": "email", "matches": [{"name": "spring"}]}
AGENT = {"authorization": f"Bearer {token(Principal('a', frozenset({'agent'})), ttl_seconds=3600)}"}
SELLER = {"authorization": f"Bearer {token(Principal('s', frozenset({'sales'})), ttl_seconds=3600)}"}


@pytest_asyncio.fixture
async def metrics(store_url: str, nats_server: NatsServer) -> AsyncIterator[RunningService]:
    settings = MetricsSettings(database_url=store_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY, time_zone="Europe/Berlin")
    async with running(create_service(settings)) as service:
        yield service


@pytest_asyncio.fixture
async def broker(metrics: RunningService, nats_server: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(nats_server.url, "identity")
    yield broker
    await broker.close()


@pytest.fixture
def client(metrics: RunningService) -> httpx.AsyncClient:
    return metrics.client


async def heard(metrics: RunningService, *events: Event) -> None:
    await hear(metrics.runtime.database, *events)


async def a_campaign(client: httpx.AsyncClient, **fields: Any) -> str:
    answer = await client.post("/v1/campaigns", json=SPRING | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["campaign_id"])


async def report(client: httpx.AsyncClient, name: str, **params: Any) -> dict[str, Any]:
    answer = await client.get(f"/v1/reports/{name}", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def rows(client: httpx.AsyncClient, name: str, key: str, **params: Any) -> dict[Any, dict[str, Any]]:
    return {row[key]: row for row in (await report(client, name, **params))["rows"]}


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
async def test_a_campaign_that_cannot_be_is_refused_by_the_name_of_its_field(client: httpx.AsyncClient, wrong: dict[str, Any], field: str) -> None:
    answer = await client.post("/v1/campaigns", json=SPRING | wrong)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_cost_is_said_once_and_never_rewritten(client: httpx.AsyncClient, broker: Broker) -> None:
    campaign_id = await a_campaign(client)
    cost = {"campaign_id": campaign_id, "amount": {"amount": "99.90", "currency": "EUR"}, "incurred_on": "2026-03-05", "external_id": "inv-1"}
    first, again = await client.post("/v1/costs", json=cost), await client.post("/v1/costs", json=cost)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    differs = await client.post("/v1/costs", json=cost | {"incurred_on": "2026-03-06"})
    assert differs.status_code == 409
    assert "another cost" in differs.json()["errors"][0]["remedy"]
    back = await client.post("/v1/costs", json=cost | {"amount": {"amount": "-9.90", "currency": "EUR"}, "external_id": None, "note": "discount"})
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
    assert answer["unconverted"] == [{"campaign_id": campaign_id, "figure": "cost", "currency": "USD", "amount": "100.00"}]
    assert any("unconverted" in note for note in answer["notes"])
    assert (await client.put("/v1/rates/USD/2026-02-01", json={"rate": "1"})).status_code == 200
    answer = await report(client, "campaigns")
    assert (answer["total"]["cost"], answer["unconverted"]) == ("275.00", [])
    assert [item["starts_on"] for item in (await client.get("/v1/rates")).json()["items"]] == ["2026-03-15", "2026-03-10", "2026-02-01"]
    assert (await client.put("/v1/rates/EUR/2026-03-10", json={"rate": "2"})).json()["errors"][0]["field"] == "path.currency"
    assert (await client.put("/v1/rates/USD/2026-03-10", json={"rate": "0"})).status_code == 422


async def test_a_campaign_is_credited_from_the_first_visit_to_the_money(metrics: RunningService, client: httpx.AsyncClient) -> None:
    spring = await a_campaign(client)
    fair = await a_campaign(client, name="Fair", channel="event", matches=[{"source": "fair"}])
    cost = {"campaign_id": spring, "amount": {"amount": "500", "currency": "EUR"}, "incurred_on": "2026-03-02"}
    assert (await client.post("/v1/costs", json=cost)).status_code == 201
    line = ("anonymous", "known", "engaged", "mql", "sal", "sql", "opportunity", "customer")
    await heard(metrics, visited(1, 1, campaign={"name": "SPRING"}), visited(2, 1, when=at(3), campaign={"source": "fair"}), *walked(1, *line))
    await heard(metrics, opened(1, "opp_1", at(6), amount=euros(1000)), won(1, "opp_1", at(7), amount=euros("1550.50")), treated(1, fair))
    await heard(metrics, visited(3, 2), *walked(2, "anonymous", "known"), opened(2, "opp_2", at(5), amount=euros(300)), won(2, "opp_3", at(5)))
    by_first = await rows(client, "campaigns", "name")
    mine = by_first["Spring newsletter"]
    assert [mine[name] for name in ("touched", "leads", "mqls", "sals", "sqls", "opportunities", "customers")] == [1] * 7
    assert (mine["revenue"], mine["pipeline"], mine["roi"], mine["cost_per_lead"]) == ("1550.50", "0.00", "2.1010", "500.00")
    assert (by_first["Fair"]["touched"], by_first["Fair"]["leads"], by_first["Fair"]["treatments"], by_first["Fair"]["roi"]) == (1, 0, 1, None)
    nobody = by_first["(no campaign)"]
    assert (nobody["campaign_id"], nobody["leads"], nobody["pipeline"], nobody["opportunities"]) == (None, 1, "300.00", 2)
    answer = await report(client, "campaigns", attribution="last_touch")
    assert {row["name"]: row["revenue"] for row in answer["rows"]} == {"Spring newsletter": "0.00", "Fair": "1550.50", "(no campaign)": "0.00"}
    assert (answer["total"]["touched"], answer["total"]["leads"], answer["without_amount"]) == (1, 2, ["opp_3"])
    assert [row["name"] for row in (await report(client, "campaigns", channel="event"))["rows"]] == ["Fair"]
    assert (await rows(client, "funnel", "stage", campaign_id=spring))["known"]["entered"] == 1
    assert (await rows(client, "funnel", "stage", campaign_id=fair, attribution="last_touch"))["known"]["entered"] == 1
    assert (await rows(client, "funnel", "stage"))["known"]["entered"] == 2


async def test_changed_matches_take_all_visits_with_them_that_ever_were(metrics: RunningService, client: httpx.AsyncClient) -> None:
    campaign_id = await a_campaign(client)
    await heard(metrics, visited(1, 1, campaign={"name": "autumn"}), *walked(1, "anonymous", "known"))
    assert (await rows(client, "campaigns", "name"))["(no campaign)"]["leads"] == 1
    changed = await client.put(f"/v1/campaigns/{campaign_id}", json=SPRING | {"matches": [{"name": "Autumn"}]})
    assert changed.status_code == 200
    assert (await rows(client, "campaigns", "name"))["Spring newsletter"]["leads"] == 1
    narrower = await a_campaign(client, name="Autumn by mail", matches=[{"name": "autumn", "medium": "mail"}])
    assert (await rows(client, "campaigns", "campaign_id"))[narrower]["leads"] == 0


async def test_the_funnel_says_who_went_on_and_who_was_lost_to_what(metrics: RunningService, client: httpx.AsyncClient) -> None:
    await heard(metrics, *walked(1, "anonymous", "known", "mql", "sal"), *walked(2, "anonymous", "known", "mql", "recycled"))
    await heard(metrics, *walked(3, "anonymous"), *walked(4, "anonymous", "known", when=at(20)))
    funnel = await rows(client, "funnel", "stage", **{"to": "2026-03-20"})
    assert [(stage, row["entered"], row["continued"], row["continuation"]) for stage, row in funnel.items()][:5] == [
        ("anonymous", 3, 2, "0.6667"),
        ("known", 2, 2, "1.0000"),
        ("engaged", 0, 0, None),
        ("mql", 2, 1, "0.5000"),
        ("sal", 1, 0, "0.0000"),
    ]
    assert [funnel[stage]["reached"] for stage in ("anonymous", "known", "engaged", "mql", "sal", "sql")] == [3, 2, 2, 2, 1, 0]
    assert funnel["mql"]["lost_to"] == {"recycled": 1}
    assert {stage: row["in_stage_now"] for stage, row in funnel.items() if row["in_stage_now"]} == {
        "anonymous": 1,
        "known": 1,
        "sal": 1,
        "recycled": 1,
    }
    answer = await report(client, "funnel", **{"from": "2026-03-20"})
    assert answer["total"] == {"cohort": 1, "in_stage_now": 4}
    assert answer["parameters"]["from"] == "2026-03-20"
    assert answer["parameters"]["time_zone"] == "Europe/Berlin"


async def test_a_stage_that_metrics_was_not_set_up_with_is_listed_and_named_in_a_note(metrics: RunningService, client: httpx.AsyncClient) -> None:
    await heard(metrics, *walked(1, "known", "courted", "mql"))
    answer = await report(client, "funnel")
    assert answer["rows"][-1]["stage"] == "courted"
    assert (answer["rows"][-1]["entered"], answer["rows"][-1]["continued"]) == (1, 1)
    assert any("courted" in note for note in answer["notes"])


async def test_moves_of_one_moment_are_told_apart_by_what_they_follow(metrics: RunningService, client: httpx.AsyncClient) -> None:
    """Reopened at once: recycled -> known -> engaged in one decision. By rank alone, recycled would be the last."""
    moves = walked(1, "mql", "recycled", "known", "engaged", every=timedelta(0))
    await heard(metrics, *reversed(moves))
    assert (await rows(client, "funnel", "stage"))["engaged"]["in_stage_now"] == 1


async def test_a_correction_and_a_move_that_one_capture_brought_about_are_told_apart_by_what_they_follow(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    """Both are said at the time of the capture; a correction happened when the move that it falls back on did."""
    moved_on = [
        entered(1, "known", at(-9)),
        corrected(1, "engaged", at(-5), previous="known", told_at=at(1)),
        entered(1, "mql", at(1), previous="engaged"),
    ]
    await heard(metrics, *reversed(moved_on))
    taken_back = [
        entered(2, "known", at(-9)),
        entered(2, "engaged", at(1), previous="known"),
        corrected(2, "sql", at(-5), previous="engaged", told_at=at(1)),
    ]
    await heard(metrics, *taken_back)
    funnel = await rows(client, "funnel", "stage")
    assert {stage: row["in_stage_now"] for stage, row in funnel.items() if row["in_stage_now"]} == {"mql": 1, "sql": 1}


async def test_time_in_stage_is_measured_between_happening_and_happening(metrics: RunningService, client: httpx.AsyncClient) -> None:
    for person, hours in ((1, 1), (2, 2), (3, 6), (4, 30)):
        await heard(metrics, entered(person, "mql"), entered(person, "sal", at(hours=hours), previous="mql", told_at=at(5)))
    await heard(metrics, entered(5, "mql", at(1)))
    stays = await rows(client, "time-in-stage", "stage")
    assert [stays["mql"][name] for name in ("n", "median", "p90", "mean", "still_in")] == [4, 4 * 3600.0, 30 * 3600.0, 9.75 * 3600, 1]
    assert stays["mql"]["longest_since"] == "2026-03-03T09:00:00Z"
    assert (stays["sal"]["n"], stays["sal"]["median"], stays["sal"]["still_in"]) == (0, None, 4)
    early = await rows(client, "time-in-stage", "stage", to="2026-03-02T12:00:00Z")
    assert (early["mql"]["n"], early["mql"]["median"]) == (2, 1.5 * 3600)
    assert (await rows(client, "time-in-stage", "stage", to="2026-03-07", by="received"))["mql"]["n"] == 0


async def test_referrals_are_counted_by_rep_with_the_time_they_took(metrics: RunningService, client: httpx.AsyncClient) -> None:
    await heard(metrics, offered(1, "rep_a"), accepted(1, "rep_a", at(hours=1)), offered(2, "rep_a"), returned(2, "rep_a", at(1)))
    await heard(metrics, offered(3, "rep_b"), accepted(3, "rep_b", at(hours=3)), accepted(4, "rep_b", at(2)))
    answer = await report(client, "referrals")
    by_rep = {row["rep_id"]: row for row in answer["rows"]}
    assert (by_rep["rep_a"]["offered"], by_rep["rep_a"]["accepted"], by_rep["rep_a"]["returned_by_reason"]) == (2, 1, {"bad_timing": 1})
    assert (by_rep["rep_b"]["accepted"], by_rep["rep_b"]["median_acceptance"]) == (2, 3 * 3600)
    assert (answer["total"]["offered"], answer["total"]["median_acceptance"]) == (3, 2 * 3600)
    assert any("without an offer" in note for note in answer["notes"])


async def test_a_person_marked_as_a_test_vanishes_and_comes_back_when_unmarked(metrics: RunningService, client: httpx.AsyncClient) -> None:
    await a_campaign(client)
    moves = walked(1, "anonymous", "known", "mql", is_test=True)  # lifecycle knew of the mark when it said these
    await heard(metrics, visited(1, 1, campaign={"name": "spring"}), marked(1, True, at(0, minutes=-1)), *moves, opened(1, "opp_1", at(5)))

    async def count() -> tuple[Any, ...]:
        returns, funnel = await report(client, "campaigns"), await report(client, "funnel")
        total = returns["total"]
        return total["touched"], total["mqls"], total["opportunities"], funnel["total"]["in_stage_now"], funnel["excluded_tests"]

    assert await count() == (0, 0, 0, 0, 1)
    await heard(metrics, marked(1, False, at(9)))
    assert await count() == (1, 1, 1, 1, 0)
    await heard(metrics, marked(1, True, at(8)))  # a late word changes nothing
    assert await count() == (1, 1, 1, 1, 0)


async def test_who_only_test_sources_saw_is_a_test_until_something_real_happens(metrics: RunningService, client: httpx.AsyncClient) -> None:
    await heard(metrics, created(1, is_test=True), visited(1, 1, is_test=True), *walked(1, "anonymous", is_test=True))
    await heard(metrics, *walked(2, "anonymous", is_test=True), *walked(3, "anonymous"))  # nothing was captured of these: what is said decides
    answer = await report(client, "funnel")
    assert (answer["total"]["cohort"], answer["excluded_tests"]) == (1, 2)
    await heard(metrics, visited(2, 1))
    answer = await report(client, "funnel")
    assert (answer["total"]["cohort"], answer["excluded_tests"]) == (2, 1)
    await heard(metrics, merged([2, 3], 2, at(1)), visited(3, 3))
    assert (await report(client, "funnel"))["excluded_tests"] == 0


async def test_people_are_looked_up_under_any_id_they_ever_had(metrics: RunningService, client: httpx.AsyncClient) -> None:
    spring = await a_campaign(client)
    fair = await a_campaign(client, name="Fair", channel="event", matches=[{"source": "fair"}])
    await heard(metrics, visited(1, 1, campaign={"name": "spring"}), visited(2, 2, when=at(2), campaign={"source": "fair"}))
    await heard(metrics, visited(3, 2, when=at(9), campaign={"name": "spring"}), opened(2, "opp_1", at(3)), won(2, "opp_1", at(4), amount=euros(20)))
    await heard(metrics, opened(1, "opp_2", at(3)), advanced(1, "opp_2", at(4), amount=euros(5)), won(1, "opp_3", at(4), amount=euros(7, "USD")))
    await heard(metrics, merged([1, 2], 2, at(10)))
    body = {"person_ids": [per(1), per(2), per(9)]}
    answer = (await client.post("/v1/metrics/people:lookup", json=body)).json()
    assert answer["current"] == {per(1): per(1), per(2): per(1)}
    (person,) = answer["items"]
    assert person["first_touch"] == {"campaign_id": spring, "name": "Spring newsletter", "occurred_at": "2026-03-02T09:00:00Z"}
    assert person["last_touch"]["campaign_id"] == fair
    assert person["revenue"] == {"amount": "20.00", "currency": "EUR"}
    await heard(metrics, split([[1], [2]], 3, at(11)))
    first, second = (await client.post("/v1/metrics/people:lookup", json=body)).json()["items"]
    assert (first["revenue"], second["first_touch"]["campaign_id"], second["revenue"]["amount"]) == (None, fair, "20.00")


async def test_reports_say_how_far_each_stream_was_heard(metrics: RunningService, client: httpx.AsyncClient, broker: Broker) -> None:
    events = [created(1), visited(1, 1), *walked(1, "anonymous", "known"), offered(1, "rep_a", at(3))]
    for of_one_stream in (events[:2], events[2:4], events[4:]):
        await broker.publish_batch([OutMessage(event.subjects(1)[0], event.headers(), event.body()) for event in of_one_stream])

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


async def test_a_bare_date_is_midnight_of_the_reporting_time_zone(metrics: RunningService, client: httpx.AsyncClient) -> None:
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
