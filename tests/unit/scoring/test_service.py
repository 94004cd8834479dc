"""Scoring with a real NATS and real stores: recognized interactions go in, scores with receipts come out."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.bus.broker import Broker
from chassis.store.migrate import drift
from contracts.attributes import KNOWN_ATTRIBUTES
from contracts.events.scoring import ProfileChanged, ScoreChanged, ScoreCorrected
from contracts.limits import OTHER_ATTRIBUTES
from contracts.values import Strength
from services.scoring.main import create_service
from services.scoring.settings import ScoringSettings
from services.scoring.store.tables import Table
from tests.support.eventually import eventually
from tests.support.people import frg, per
from tests.support.process import ServiceProcess
from tests.support.service import PUBLIC_KEY, RunningService, running, tell, token
from tests.support.stores import prepare
from tests.unit.scoring.builders import an_interaction, identified, recognized
from tests.unit.scoring.people import Registry
from tests.unit.scoring.service_words import (
    NOW,
    VP,
    demo,
    everything,
    everything_of,
    facts_in,
    pricing,
    recorded,
    said,
    said_at_least,
    view,
    worth,
)


async def test_a_recognized_demo_request_comes_out_as_a_changed_score(
    broker: Broker, client: httpx.AsyncClient
) -> None:
    await tell(broker, recognized(identified(VP, when=NOW, number=1)), recognized(demo(2)))

    async def two_scores() -> list[ScoreChanged]:
        changed: list[ScoreChanged] = await said(broker)
        assert len(changed) == 2
        return changed

    first, second = await eventually(two_scores, within=15)
    assert first.scores.cell == "A4"
    assert second.scores.cell == "A2"
    assert second.previous == first.scores
    assert [receipt.rule for receipt in second.receipts] == ["demo_requested"]
    (profile,) = await said(broker, ProfileChanged)
    assert profile.attributes["title"].value == "VP Marketing"
    person = await view(client, per(1))
    assert person["name"] == "Ada Lovelace"
    assert person["profile"]["employees"]["value"] == 800
    assert person["scores"]["cell"] == "A2"
    assert person["latest_fact_at"].startswith(NOW.isoformat()[:19])


async def test_redelivered_and_repeated_events_change_nothing(broker: Broker, scoring: RunningService) -> None:
    events = [recognized(pricing(number)) for number in range(1, 4)]
    await tell(broker, *events)
    await tell(broker, *events, recognized(demo(9)))
    await recorded(scoring, 4)
    person = await view(scoring.client, per(1))
    assert 85 < Decimal(str(person["scores"]["engagement"])) < 86
    changed = await eventually(lambda: said_at_least(broker, 3), within=15)
    assert [event.scores.cell for event in changed] == ["D3", "D2", "D1"]  # of a stranger only another cell is told


async def test_a_restart_in_the_middle_counts_nothing_twice(settings: ScoringSettings, broker: Broker) -> None:
    events = [recognized(pricing(number), 1 + number % 7) for number in range(600)]
    await tell(broker, *events[:300])
    async with running(create_service(settings)) as scoring:

        async def begun() -> None:
            assert await facts_in(scoring.runtime.database) > 0

        await eventually(begun, within=15)
    await tell(broker, *events[300:])
    async with running(create_service(settings)) as scoring:
        await recorded(scoring, 600)
        for fragment in range(1, 8):
            receipts = await everything(scoring.client, f"/v1/scoring/people/{per(fragment)}/receipts")
            assert len(receipts) == len([event for event in events if event.fragment_id == frg(fragment)])


async def test_the_receipts_add_up_to_the_score_at_any_moment(broker: Broker, scoring: RunningService) -> None:
    days = [NOW - timedelta(days=day) for day in range(40, 0, -4)]
    events = [recognized(identified(VP, when=days[0], number=100))]
    events += [recognized(pricing(number, when), 1 + number % 3, 1) for number, when in enumerate(days)]
    events += [recognized(identified({"title": "Student"}, when=days[5], number=101), 2, 1)]
    await tell(broker, *events)
    await recorded(scoring, len(events))
    for moment in (NOW, days[3], days[6] + timedelta(hours=5), NOW - timedelta(days=90)):
        person = await view(scoring.client, per(1), as_of=moment.isoformat())
        receipts = await everything(scoring.client, f"/v1/scoring/people/{per(1)}/receipts", as_of=moment.isoformat())
        assert Decimal(str(person["scores"]["fit"])) == worth(receipts, "fit", moment)
        assert abs(Decimal(str(person["scores"]["engagement"])) - worth(receipts, "engagement", moment)) <= Decimal(
            "0.0001"
        )
    assert (await view(scoring.client, per(1), as_of=days[4].isoformat()))["profile"]["title"][
        "value"
    ] == "VP Marketing"
    assert (await view(scoring.client, per(1), as_of=days[6].isoformat()))["profile"]["title"]["value"] == "Student"


async def test_a_merge_brings_two_people_together_and_a_split_parts_them_as_if_nothing_had_been(
    broker: Broker, scoring: RunningService
) -> None:
    registry = Registry(began=NOW)
    registry.see(identified(VP, when=NOW - timedelta(days=3), number=1), 1)
    registry.see(demo(2, NOW - timedelta(days=2)), 2)
    registry.merge(frg(1), frg(2))
    await tell(broker, *registry.told)

    async def corrected() -> list[ScoreCorrected]:
        events: list[ScoreCorrected] = await said(broker, ScoreCorrected)
        assert events
        return events

    (event,) = await eventually(corrected, within=15)
    assert event.scores.cell == "A2"
    assert event.reason == "merged: They are one."
    absorbed = await view(scoring.client, per(2))
    assert absorbed["person_id"] == per(1)
    assert [item["name"] for item in await everything(scoring.client, f"/v1/scoring/people/{per(2)}/timeline")] == [
        "Demo Form Submitted",
        "identify",
    ]
    await the_two_are_parted_again(broker, scoring, registry)


async def the_two_are_parted_again(broker: Broker, scoring: RunningService, registry: Registry) -> None:
    told = len(registry.told)
    registry.see(pricing(3, NOW - timedelta(days=1)), 2)
    registry.split(per(1), [frg(2)])
    await tell(broker, *registry.told[told:])

    async def parted() -> dict[str, Any]:
        person = await view(scoring.client, per(2))
        assert person["person_id"] == per(2)
        return person

    second = await eventually(parted, within=15)
    first = await view(scoring.client, per(1))
    assert (first["scores"]["cell"], second["scores"]["cell"]) == ("A4", "D2")
    assert second["profile"] == {}
    assert {
        receipt["rule"] for receipt in await everything(scoring.client, f"/v1/scoring/people/{per(2)}/receipts")
    } == {
        "demo_requested",
        "pricing_page_viewed",
    }


async def test_a_late_claim_that_takes_points_back_is_corrected_and_the_past_is_judged_by_what_is_known_now(
    broker: Broker, scoring: RunningService
) -> None:
    vp = recognized(identified({"title": "VP Sales"}, when=NOW - timedelta(days=1), number=5))
    student_on_file = identified(
        {"title": "Student", "company": {"employees": 800}}, when=NOW - timedelta(days=9), number=4
    )
    await tell(broker, vp)
    await recorded(scoring, 1)
    await tell(broker, recognized(student_on_file, strength=Strength.VERIFIED))
    await recorded(scoring, 2)
    person = await view(scoring.client, per(1), history=True)
    assert [claim["value"] for claim in person["history"]["title"]] == ["Student", "VP Sales"]
    assert Decimal(str(person["scores"]["fit"])) == 5  # a student in a company of 800
    fit = [
        r for r in await everything(scoring.client, f"/v1/scoring/people/{per(1)}/receipts") if r["kind"] == "score.fit"
    ]
    assert {r["at"] for r in fit} == {vp.interaction.occurred_at.isoformat().replace("+00:00", "Z")}
    assert worth(fit, "fit", NOW) == 5
    (corrected,) = await said(broker, ScoreCorrected)
    assert corrected.scores.fit == 5
    before = await view(scoring.client, per(1), as_of=(NOW - timedelta(days=5)).isoformat())
    assert (before["profile"]["title"]["value"], before["scores"]["fit"]) == ("Student", 5)
    assert (await view(scoring.client, per(1), as_of=(NOW - timedelta(days=10)).isoformat()))["profile"] == {}


async def test_a_flood_of_late_claims_on_one_person_holds_nobody_up(broker: Broker, scoring: RunningService) -> None:
    """A thousand claims, then five hundred with times that go backwards, all of one visitor; others ask and are scored
    meanwhile.
    """
    await tell(broker, recognized(identified(VP, when=NOW, number=9_000), 3))
    await recorded(scoring, 1)
    claims = [
        identified({"title": f"Title {number}", "city": "Rome"}, when=NOW + timedelta(seconds=number), number=number)
        for number in range(1000)
    ]
    late = [
        identified({f"trophy {number}": number}, when=NOW - timedelta(seconds=number), number=number + 1000)
        for number in range(500)
    ]
    await tell(broker, *map(recognized, [*claims, *late]), recognized(demo(9_001), 2))
    answered = 0
    while await facts_in(scoring.runtime.database) < 1502:
        assert (await view(scoring.client, per(3)))["name"] == "Ada Lovelace"
        answered += 1
    assert answered > 3
    assert (await view(scoring.client, per(2)))["scores"]["cell"] == "D2"
    profile = (await view(scoring.client, per(1)))["profile"]
    assert profile["title"]["value"] == "Title 999"
    assert len(profile.keys() - KNOWN_ATTRIBUTES) == OTHER_ATTRIBUTES


async def test_a_score_that_faded_is_told_by_its_timer(broker: Broker, scoring: RunningService) -> None:
    long_ago = NOW - timedelta(days=200)
    # heard when it happened, as in an import of history: all its fades are due
    await tell(broker, recognized(demo(1, long_ago)))

    async def faded() -> list[ScoreChanged]:
        changed: list[ScoreChanged] = await said(broker)
        assert len(changed) == 3
        return changed

    _, to_3, to_4 = await eventually(faded, within=15)
    assert [to_3.scores.cell, to_4.scores.cell] == ["D3", "D4"]
    assert abs((to_3.scores.at - long_ago) - timedelta(days=30 * 0.7369655941662062)) < timedelta(seconds=10)
    assert to_4.receipts[0].rule == "time_passed"


async def test_people_are_found_by_name_in_either_order_and_looked_up_in_one_go(
    broker: Broker, scoring: RunningService
) -> None:
    await tell(
        broker,
        recognized(identified(VP, when=NOW, number=1)),
        recognized(
            identified({"lastName": "山田", "firstName": "太郎", "company": "日本ソフト"}, when=NOW, number=2), 2
        ),
        recognized(pricing(3), 3),
    )
    await recorded(scoring, 3)
    client = scoring.client
    for q, name in [
        ("LOVELACE ada", "Ada Lovelace"),
        ("acme", "Ada Lovelace"),
        ("山田太", "山田太郎"),
        ("ソフト", "山田太郎"),
    ]:
        (found,) = (await client.get("/v1/scoring/people", params={"q": q})).json()["items"]
        assert found["name"] == name
    assert (await client.get("/v1/scoring/people", params={"q": "100%"})).json()["items"] == []
    assert [item["person_id"] for item in await everything_of(client)] == [per(1), per(2), per(3)]
    answer = (await client.post("/v1/scoring/people:lookup", json={"person_ids": [per(3), per(1), per(8)]})).json()
    assert [item["person_id"] for item in answer["items"]] == [per(1), per(3)]
    assert answer["current"] == {per(1): per(1), per(3): per(3)}
    assert (await client.get(f"/v1/scoring/people/{frg(1)}")).status_code == 404
    past = (
        await client.post(
            "/v1/scoring/people:lookup", json={"person_ids": [per(1)], "as_of": (NOW - timedelta(days=1)).isoformat()}
        )
    ).json()
    assert (past["items"][0]["profile"], past["items"][0]["latest_fact_at"]) == ({}, None)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/scoring/people/per_nobody", 404),
        ("/v1/scoring/people/%00", 400),
        ("/v1/scoring/people/per_nobody/receipts?cursor=%FF", 422),
        ("/v1/scoring/people/per_nobody/timeline?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5IHg", 422),
        ("/v1/scoring/people/per_nobody?as_of=yesterday", 422),
        ("/v1/scoring/people?limit=0", 422),
        ("/v1/scoring/people?cursor=zzz", 422),
        ("/v1/rulebooks/scoring/99", 404),
    ],
)
async def test_what_cannot_be_answered_is_told_plainly(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_an_event_with_a_nul_and_odd_values_is_recorded_like_any_other(
    broker: Broker, scoring: RunningService
) -> None:
    odd = identified(
        {"firstName": "A\0da", "shelf": {"nested": [1, None]}, "budget": "10" * 50, "x" * 500: 10**30},
        when=NOW,
        number=1,
    )
    await tell(
        broker,
        recognized(odd, strength=Strength.VERIFIED),
        recognized(an_interaction("\0", when=NOW, number=2, properties={"path": "\0"})),
    )
    await recorded(scoring, 2)
    assert (await view(scoring.client, per(1)))["profile"]["shelf"]["value"] == {"nested": [1, None]}
    assert len(await everything(scoring.client, f"/v1/scoring/people/{per(1)}/timeline")) == 2


async def test_the_migrations_make_the_tables_that_the_code_speaks_of(store_url: str) -> None:
    await prepare(store_url, "services.scoring.migrations")
    assert await drift(store_url, Table.metadata) == []


@pytest.mark.slow
async def test_kill_9_in_the_middle_loses_nothing_and_counts_nothing_twice(
    settings: ScoringSettings, broker: Broker, tmp_path: Path
) -> None:
    environment = {
        "SCORING_DATABASE_URL": settings.database_url,
        "SCORING_NATS_URL": settings.nats_url,
        "SCORING_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
    }
    process = ServiceProcess("services.scoring.main", "SCORING_", environment, tmp_path / "log")
    events = [recognized(pricing(number), 1 + number % 50) for number in range(3000)]
    known = [
        recognized(identified({"title": "CFO"}, when=NOW, number=5000 + number), number) for number in range(1, 51)
    ]
    async with process:
        await tell(broker, *known, *events)

        async def some() -> None:
            assert await said(broker)

        await eventually(some, within=20)
        process.kill()
        await process.start()

        async def all_are_said() -> None:
            told = await said(broker)
            receipts = [
                receipt
                for event in {event.meta.event_id: event for event in told}.values()
                for receipt in event.receipts
            ]
            # between batches, time passes too
            visits = [receipt.receipt_id for receipt in receipts if receipt.rule == "pricing_page_viewed"]
            assert len(visits) == len(set(visits)) == len(events)

        await eventually(all_are_said, within=60)
        async with process.client() as client:
            headers = {"authorization": f"Bearer {token()}"}
            person = (await client.get(f"/v1/scoring/people/{per(1)}", headers=headers)).json()
    assert abs(person["scores"]["engagement"] - (60 * 12 + 5)) < 3
