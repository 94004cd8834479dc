"""Tests walk the whole way, as real leads do, and reach no rep and no report."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from nats.errors import TimeoutError as NothingCame

from tests.support.actors import Json, Rep, Visitor, ago, everything, hire, said_on
from tests.support.eventually import eventually
from tests.support.suite import Suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(360)]

HOT = {"email": "try@tidewater.example", "name": "Try Out", "title": "VP Sales", "employees": 800}


async def test_tests_walk_the_whole_way_and_reach_no_rep_and_no_report(own_suite: Suite) -> None:
    async with own_suite.client() as office:
        ana = await hire(own_suite, "Ana Ruiz")
        await a_lead_of_a_test_source_ends_in_the_sink(own_suite, office, ana)
        await somebody_who_is_marked_leaves_the_reports_and_comes_back(own_suite, office)


async def a_lead_of_a_test_source_ends_in_the_sink(suite: Suite, office: httpx.AsyncClient, ana: Rep) -> None:
    made = await office.post("/v1/sources", json={"name": "staging", "kind": "web", "is_test": True})
    assert made.status_code == 201, made.text
    await Visitor(suite, "staging-browser", made.json()["write_key"], {}).does("Demo Requested", ago(minutes=1), HOT)

    alert: Any = await eventually(lambda: in_the_sink(suite, ana.rep_id), within=20)
    assert alert["is_test"]
    with pytest.raises(NothingCame):
        await ana.next_alerts(1, within=1)
    await ana.does("POST", alert["actions"]["accept"].removeprefix("POST "), {})
    await stage_becomes(office, alert["person_id"], "sal")
    kinds = {receipt["kind"] for receipt in await everything(office, f"/v1/people/{alert['person_id']}/receipts")}
    assert {"score.engagement", "score.fit", "stage.move", "treatment.choice", "referral.assignment"} <= kinds
    assert await people_in_reports(office) == 0


async def somebody_who_is_marked_leaves_the_reports_and_comes_back(suite: Suite, office: httpx.AsyncClient) -> None:
    await Visitor(suite, "browser-1", suite.write_key, {}).does(
        "Demo Requested", ago(minutes=1), HOT | {"email": "real@tidewater.example"}
    )
    person_id = await eventually(lambda: mql(office), within=20)
    for is_test, counted in ((True, 0), (False, 1)):
        marked = await office.post(f"/v1/people/{person_id}:mark", json={"is_test": is_test})
        assert marked.is_success, marked.text

        async def is_counted(counted: int = counted) -> None:
            assert await people_in_reports(office) == counted

        await eventually(is_counted, within=20)


async def in_the_sink(suite: Suite, rep_id: str) -> Json | None:
    said = [body for name, body in await said_on(suite, "ALERTS") if name == f"alerts.sink.{rep_id}"]
    assert len(said) <= 1
    return said[0] if said else None


async def stage_becomes(office: httpx.AsyncClient, person_id: str, stage: str) -> None:
    async def is_so() -> None:
        assert (await office.get(f"/v1/people/{person_id}")).json()["lifecycle"]["stage"] == stage

    await eventually(is_so, within=20)


async def mql(office: httpx.AsyncClient) -> Any:
    found = (await office.get("/v1/people", params={"stage": "mql"})).json()["items"]
    return found[0]["person_id"] if found else None


async def people_in_reports(office: httpx.AsyncClient) -> int:
    report = (await office.get("/v1/reports/funnel")).json()
    return max((row["entered"] for row in report["rows"]), default=0)
