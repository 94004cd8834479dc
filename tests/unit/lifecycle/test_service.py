"""The running service: told by NATS, asked over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chassis.bus.broker import Broker
from chassis.web.auth import Principal
from contracts.envelope import Event
from contracts.events.catalogue import BY_WIRE_NAME
from contracts.events.lifecycle import (
    OpportunityAdvanced,
    OpportunityOpened,
    OpportunityWon,
    RulebookActivated,
    StageEntered,
)
from services.lifecycle.main import create_service
from services.lifecycle.settings import LifecycleSettings
from tests.chassis.app.bus_words import stored
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.people import merged, per
from tests.support.service import PUBLIC_KEY, RunningService, running, tell, token
from tests.unit.lifecycle.builders import DEFAULT, accepted, created, profile, ready

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
ADA, BEA = per(1), per(2)
LEAD = ["anonymous", "known", "engaged", "mql"]


@dataclass
class RunningLifecycle:
    """The running service with the bus beside it."""

    service: RunningService
    broker: Broker

    async def tell(self, *events: Event) -> None:
        await tell(self.broker, *events)

    async def get(self, path: str, expected: int = 200, **params: Any) -> Any:
        answer = await self.service.client.get(path, params=params)
        assert answer.status_code == expected, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, expected: int = 200) -> Any:
        answer = await self.service.client.post(path, json={} if body is None else body)
        assert answer.status_code == expected, answer.text
        return answer.json()

    async def person(self, person_id: str = ADA, **params: Any) -> Any:
        return await self.get(f"/v1/lifecycle/people/{person_id}", **params)

    async def arrived(self, stage: str, person_id: str = ADA) -> None:
        async def is_there() -> bool:
            answer = await self.service.client.get(f"/v1/lifecycle/people/{person_id}")
            return answer.status_code == 200 and answer.json()["stage"] == stage

        await eventually(is_there, within=15)

    async def accept(self, when: datetime = NOW) -> None:
        """Ada is a lead, and a rep takes her over: routing can only answer what lifecycle said."""
        await self.tell(*ready(ADA, NOW))
        await self.arrived("mql")
        await self.tell(accepted(ADA, when))
        await self.arrived("sal")

    async def said(self, kind: type[Event], count: int) -> list[Any]:
        """All of one kind on lifecycle's stream, once there are so many."""

        async def enough() -> list[Any]:
            messages = [
                one for one in await stored(self.broker, "LIFECYCLE") if one.headers["ce-type"] == kind.wire_name
            ]
            assert len(messages) >= count
            return [BY_WIRE_NAME[one.headers["ce-type"]].from_wire(one.headers, one.body) for one in messages]

        return await eventually(enough, within=15)


@pytest_asyncio.fixture
async def door(tmp_path: Path, nats_server: NatsServer) -> AsyncIterator[RunningLifecycle]:
    url = f"sqlite:///{tmp_path / 'lifecycle.db'}"
    broker = await Broker.connect(nats_server.url, "others")
    await broker.ensure_streams(["IDENTITY", "SCORING", "ROUTING"])
    settings = LifecycleSettings(database_url=url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)
    async with running(create_service(settings)) as service:
        yield RunningLifecycle(service, broker)
    await broker.close()


async def test_a_lead_walks_from_the_first_visit_to_money(door: RunningLifecycle) -> None:
    await door.accept()
    view = await door.post(f"/v1/lifecycle/people/{ADA}:qualify", {"note": "Two sites.", "bant": {"need": "Forklifts"}})
    assert (view["stage"], view["previous"], view["by"], view["possible"]) == (
        "sql",
        "sal",
        "tester",
        ["recycle", "disqualify"],
    )
    assert view["receipt"]["inputs"] == {"bant.need": "Forklifts", "note": "Two sites."}
    deal = {
        "person_id": ADA,
        "name": "Forklifts",
        "amount": {"amount": "12500.00", "currency": "EUR"},
        "external_id": "crm-1",
    }
    opened = await door.post("/v1/opportunities", deal, 201)
    assert (await door.person())["stage"] == "opportunity"
    await door.post(f"/v1/opportunities/{opened['opportunity_id']}:advance", {"step": "proposal"})
    won = await door.post(
        f"/v1/opportunities/{opened['opportunity_id']}:win", {"amount": {"amount": "11000", "currency": "EUR"}}
    )
    assert (won["status"], won["amount"], won["step"]) == ("won", {"amount": "11000", "currency": "EUR"}, "proposal")
    history = await door.get(f"/v1/lifecycle/people/{ADA}/history")
    assert [move["stage"] for move in history["items"]] == [*LEAD, "sal", "sql", "opportunity", "customer"]
    assert [move["is_superseded"] for move in history["items"]] == [True] * 7 + [False]
    entered = await door.said(StageEntered, 7)
    assert [event.stage for event in entered] == [*LEAD[1:], "sal", "sql", "opportunity", "customer"]
    assert len(await door.said(OpportunityOpened, 1)) == len(await door.said(OpportunityWon, 1)) == 1


async def test_a_person_is_shown_with_clock_reason_and_what_is_possible(door: RunningLifecycle) -> None:
    await door.tell(*ready(ADA, NOW))
    await door.arrived("mql")
    view = await door.person()
    assert (view["title"], view["kind"], view["since"], view["graph_version"]) == (
        "Marketing qualified lead",
        "open",
        NOW.isoformat().replace("+00:00", "Z"),
        1,
    )
    (clock,) = view["clocks"]
    assert (clock["name"], datetime.fromisoformat(clock["due_at"])) == ("acceptance", NOW + timedelta(hours=24))
    assert (view["receipt"]["rule"], view["receipt"]["person_id"]) == ("ready_for_sales", ADA)
    receipts = await door.get(f"/v1/lifecycle/people/{ADA}/receipts")
    assert {one["outcome"] for one in receipts["items"]} == set(LEAD)


async def test_a_reading_as_of_a_moment_counts_only_what_had_happened(door: RunningLifecycle) -> None:
    await door.accept(NOW + timedelta(minutes=5))
    before = await door.person(as_of=(NOW + timedelta(minutes=1)).isoformat())
    assert (before["stage"], before["clocks"]) == ("mql", [])
    assert (await door.person(as_of=(NOW - timedelta(days=1)).isoformat()))["stage"] is None
    path = f"/v1/lifecycle/people/{ADA}/history"
    assert len((await door.get(path, as_of=NOW.isoformat()))["items"]) == 4
    first = await door.get(path, limit=3)
    rest = await door.get(path, limit=3, cursor=first["next_cursor"])
    assert [move["stage"] for move in (*first["items"], *rest["items"])] == [*LEAD, "sal"]
    assert rest["next_cursor"] is None


async def test_people_are_listed_by_stage_and_looked_up_by_any_of_their_ids(door: RunningLifecycle) -> None:
    await door.tell(
        *ready(ADA, NOW),
        created(BEA, NOW),
        *ready(per(3), NOW, is_test=True),
        created(per(4), NOW + timedelta(seconds=1)),
    )
    await door.tell(profile(per(4), NOW + timedelta(seconds=1), email="cleo@acme.example"))
    for stage, person in (("mql", ADA), ("anonymous", BEA), ("mql", per(3)), ("known", per(4))):
        await door.arrived(stage, person)
    listed = await door.get("/v1/lifecycle/people", stage="mql")
    assert [(one["person_id"], one["is_test"]) for one in listed["items"]] == [(ADA, False)]
    with_tests = await door.get("/v1/lifecycle/people", stage="mql", include_test=True)
    assert {one["person_id"] for one in with_tests["items"]} == {ADA, per(3)}
    first = await door.get("/v1/lifecycle/people", limit=1)
    second = await door.get("/v1/lifecycle/people", limit=1, cursor=first["next_cursor"])
    assert [one["person_id"] for one in (*first["items"], *second["items"])] == [per(4), ADA]
    await door.tell(merged([1, 2], 2, NOW + timedelta(minutes=1)))

    async def one_answers_to_both() -> None:
        found = await door.post("/v1/lifecycle/people:lookup", {"person_ids": [BEA, ADA, "per_nobody"]})
        assert found["current"] == {ADA: ADA, BEA: ADA}
        assert [(item["person_id"], item["stage"], item["graph_version"]) for item in found["items"]] == [
            (ADA, "mql", 2)
        ]

    await eventually(one_answers_to_both, within=15)
    assert {one["person_id"] for one in (await door.get("/v1/lifecycle/people"))["items"]} == {per(4), ADA}


async def test_a_verdict_is_refused_with_what_is_possible_instead(door: RunningLifecycle) -> None:
    await door.tell(*ready(ADA, NOW))
    await door.arrived("mql")
    path = f"/v1/lifecycle/people/{ADA}"
    refusal = await door.post(f"{path}:qualify", {}, 409)
    assert (refusal["type"], refusal["remedy"]) == (
        "/problems/not-possible-now",
        "Possible now: :recycle, :disqualify. :qualify is for sal",
    )
    assert (await door.post(f"{path}:reopen", {"to": "nowhere"}, 422))["errors"][0]["field"] == "body.to"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert (await door.post(f"{path}:qualify", {"occurred_at": tomorrow}, 422))["errors"][0][
        "field"
    ] == "body.occurred_at"
    assert (await door.post(f"{path}:recycle", {"reason": "no", "wake_at": NOW.isoformat()}, 422))["errors"][0][
        "field"
    ] == "body.wake_at"
    assert (await door.post(f"{path}:recycle", {"reason": "No budget!"}, 422))["errors"][0]["field"] == "body.reason"
    await door.post("/v1/lifecycle/people/per_nobody:recycle", {"reason": "no"}, 404)
    await door.post("/v1/lifecycle/people/nobody:recycle", {"reason": "no"}, 404)
    assert (await door.get("/v1/lifecycle/people", 422, stage="nowhere"))["errors"][0]["field"] == "query.stage"
    assert [move["stage"] for move in (await door.get(f"{path}/history"))["items"]] == LEAD


async def test_somebody_without_a_role_may_look_and_not_judge(door: RunningLifecycle) -> None:
    await door.tell(*ready(ADA, NOW))
    await door.arrived("mql")
    headers = {"authorization": f"Bearer {token(Principal('somebody', frozenset({'ops'})))}"}
    for path, body in (
        (f"/v1/lifecycle/people/{ADA}:recycle", {"reason": "no"}),
        ("/v1/opportunities", {"person_id": ADA, "name": "x"}),
    ):
        assert (await door.service.client.post(path, json=body, headers=headers)).status_code == 403
    assert (await door.service.client.get(f"/v1/lifecycle/people/{ADA}", headers=headers)).status_code == 200


async def test_who_is_recycled_with_a_date_is_shown_with_it_and_the_same_again_moves_nobody(
    door: RunningLifecycle,
) -> None:
    await door.tell(*ready(ADA, NOW))
    await door.arrived("mql")
    path, autumn = f"/v1/lifecycle/people/{ADA}:recycle", datetime.now(UTC) + timedelta(days=90)
    view = await door.post(path, {"reason": "bad_timing", "wake_at": autumn.isoformat()})
    assert (view["stage"], view["kind"], view["reason"], datetime.fromisoformat(view["wake_at"])) == (
        "recycled",
        "parked",
        "bad_timing",
        autumn,
    )
    assert view["clocks"] == []
    again = await door.post(path, {"reason": "bad_timing"})
    assert again["receipt"]["receipt_id"] == view["receipt"]["receipt_id"]
    assert again["wake_at"] == view["wake_at"]
    later = await door.post(path, {"reason": "bad_timing", "wake_at": (autumn + timedelta(days=30)).isoformat()})
    assert datetime.fromisoformat(later["wake_at"]) == autumn + timedelta(days=30)
    assert len(await door.said(StageEntered, 4)) == 4


async def test_an_opportunity_told_again_by_its_external_id_is_brought_up_to_date(door: RunningLifecycle) -> None:
    await door.accept()
    await door.tell(created(BEA, NOW))
    await door.arrived("anonymous", BEA)
    deal = {"person_id": ADA, "name": "Forklifts", "external_id": "crm-1"}
    refusal = await door.post("/v1/opportunities", deal, 409)
    assert refusal["remedy"] == "Lead the person to one of these stages first: sql, opportunity"
    assert (await door.get("/v1/opportunities"))["items"] == []
    await door.post(f"/v1/lifecycle/people/{ADA}:qualify")
    opened = await door.post("/v1/opportunities", deal, 201)
    assert await door.post("/v1/opportunities", deal, 200) == opened
    changed = await door.post("/v1/opportunities", {**deal, "name": "Ten forklifts", "step": "offer"}, 200)
    assert (changed["opportunity_id"], changed["name"], changed["step"]) == (
        opened["opportunity_id"],
        "Ten forklifts",
        "offer",
    )
    assert len(await door.said(OpportunityAdvanced, 1)) == 1
    another = await door.post("/v1/opportunities", {**deal, "person_id": BEA}, 409)
    assert another["errors"][0]["field"] == "body.external_id"
    await door.post("/v1/opportunities", {**deal, "person_id": "per_nobody"}, 404)


async def test_opportunities_are_listed_lost_and_closed_for_good(door: RunningLifecycle) -> None:
    await door.accept()
    await door.post(f"/v1/lifecycle/people/{ADA}:qualify")
    ids = [
        (await door.post("/v1/opportunities", {"person_id": ADA, "name": f"Deal {n}"}, 201))["opportunity_id"]
        for n in range(3)
    ]
    first = await door.get("/v1/opportunities", person_id=ADA, limit=2)
    rest = await door.get("/v1/opportunities", person_id=ADA, limit=2, cursor=first["next_cursor"])
    assert [item["opportunity_id"] for item in (*first["items"], *rest["items"])] == ids[::-1]
    for opportunity_id in ids[:2]:
        await door.post(f"/v1/opportunities/{opportunity_id}:lose", {"reason": "price"})
    assert (await door.person())["stage"] == "opportunity"
    lost = await door.post(f"/v1/opportunities/{ids[2]}:lose", {"reason": "price", "note": "Too dear."})
    assert (lost["status"], lost["reason"], lost["note"]) == ("lost", "price", "Too dear.")
    assert (await door.person())["stage"] == "lost"
    assert len((await door.get("/v1/opportunities", status="lost"))["items"]) == 3
    assert (await door.get("/v1/opportunities", status="open"))["items"] == []
    await door.post(f"/v1/opportunities/{ids[2]}:win", {}, 409)
    assert (await door.get(f"/v1/opportunities/{ids[2]}"))["status"] == "lost"
    await door.get("/v1/opportunities/opp_nothing", 404)
    await door.get("/v1/opportunities", 404, person_id="per_nobody")
    for wrong in (
        {},
        {"amount": {"amount": "1e5", "currency": "EUR"}},
        {"amount": {"amount": "5", "currency": "euro"}},
    ):
        await door.post(f"/v1/opportunities/{ids[0]}:advance", wrong, 422)


async def test_the_process_can_be_read_and_a_better_one_put_in_force(door: RunningLifecycle) -> None:
    shown = await door.get("/v1/lifecycle/process")
    assert [stage["name"] for stage in shown["stages"]][:4] == LEAD
    assert shown["clocks"][0] | {"stops": []} == {
        "name": "acceptance",
        "starts": "mql",
        "stops": [],
        "hours": 24.0,
        "remind_before_hours": 4.0,
    }
    assert any(rule["sentence"] == "From sal when somebody says qualified: to sql." for rule in shown["rules"])
    draft = await door.post("/v1/rulebooks/lifecycle", {"text": DEFAULT.replace("hours: 24", "hours: 8")}, 201)
    await door.post(f"/v1/rulebooks/lifecycle/{draft['version']}:activate")
    assert (await door.get("/v1/lifecycle/process"))["clocks"][0]["hours"] == 8.0
    assert [event.version for event in await door.said(RulebookActivated, 2)] == [1, 2]
    broken = await door.post("/v1/rulebooks/lifecycle", {"text": DEFAULT.replace("{to: customer}", "{to: rich}")}, 422)
    assert broken["errors"][0]["reason"] == "there is no stage rich"


@pytest.mark.parametrize("path", ["", "/history", "/receipts"])
async def test_nobody_is_found_where_nobody_is(door: RunningLifecycle, path: str) -> None:
    await door.get(f"/v1/lifecycle/people/per_nobody{path}", 404)


async def test_a_stranger_is_where_everybody_begins(door: RunningLifecycle) -> None:
    view = await door.person(per(7))
    assert (view["stage"], view["title"], view["since"], view["receipt"]) == (
        "anonymous",
        "Anonymous visitor",
        None,
        None,
    )
    assert (await door.get(f"/v1/lifecycle/people/{per(7)}/history"))["items"] == []
    refusal = await door.post(f"/v1/lifecycle/people/{per(7)}:qualify", {}, 404)
    assert refusal["type"] == "/problems/person-not-found"
    await door.post("/v1/opportunities", {"person_id": per(7), "name": "x"}, 409)
