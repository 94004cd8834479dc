"""The reports, each on a small world that can be counted by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from tests.support.people import at, merged
from tests.support.service import RunningService
from tests.unit.metrics.builders import (
    accepted,
    corrected,
    created,
    entered,
    euros,
    marked,
    offered,
    opened,
    returned,
    treated,
    visited,
    walked,
    won,
)
from tests.unit.metrics.world import SPRING, a_campaign, heard, report, rows


async def test_a_campaign_is_credited_from_the_first_visit_to_the_money(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    spring = await a_campaign(client)
    fair = await a_campaign(client, name="Fair", channel="event", matches=[{"source": "fair"}])
    cost = {"campaign_id": spring, "amount": {"amount": "500", "currency": "EUR"}, "incurred_on": "2026-03-02"}
    assert (await client.post("/v1/costs", json=cost)).status_code == 201
    line = ("anonymous", "known", "engaged", "mql", "sal", "sql", "opportunity", "customer")
    await heard(
        metrics,
        visited(1, 1, campaign={"name": "SPRING"}),
        visited(2, 1, when=at(3), campaign={"source": "fair"}),
        *walked(1, *line),
    )
    await heard(
        metrics,
        opened(1, "opp_1", at(6), amount=euros(1000)),
        won(1, "opp_1", at(7), amount=euros("1550.50")),
        treated(1, fair),
    )
    await heard(
        metrics,
        visited(3, 2),
        *walked(2, "anonymous", "known"),
        opened(2, "opp_2", at(5), amount=euros(300)),
        won(2, "opp_3", at(5)),
    )
    by_first = await rows(client, "campaigns", "name")
    mine = by_first["Spring newsletter"]
    assert [mine[name] for name in ("touched", "leads", "mqls", "sals", "sqls", "opportunities", "customers")] == [
        1
    ] * 7
    assert (mine["revenue"], mine["pipeline"], mine["roi"], mine["cost_per_lead"]) == (
        "1550.50",
        "0.00",
        "2.1010",
        "500.00",
    )
    assert (
        by_first["Fair"]["touched"],
        by_first["Fair"]["leads"],
        by_first["Fair"]["treatments"],
        by_first["Fair"]["roi"],
    ) == (1, 0, 1, None)
    nobody = by_first["(no campaign)"]
    assert (nobody["campaign_id"], nobody["leads"], nobody["pipeline"], nobody["opportunities"]) == (
        None,
        1,
        "300.00",
        2,
    )
    answer = await report(client, "campaigns", attribution="last_touch")
    assert {row["name"]: row["revenue"] for row in answer["rows"]} == {
        "Spring newsletter": "0.00",
        "Fair": "1550.50",
        "(no campaign)": "0.00",
    }
    assert (answer["total"]["touched"], answer["total"]["leads"], answer["without_amount"]) == (1, 2, ["opp_3"])
    assert [row["name"] for row in (await report(client, "campaigns", channel="event"))["rows"]] == ["Fair"]
    assert (await rows(client, "funnel", "stage", campaign_id=spring))["known"]["entered"] == 1
    assert (await rows(client, "funnel", "stage", campaign_id=fair, attribution="last_touch"))["known"]["entered"] == 1
    assert (await rows(client, "funnel", "stage"))["known"]["entered"] == 2


async def test_changed_matches_take_all_visits_with_them_that_ever_were(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    campaign_id = await a_campaign(client)
    await heard(metrics, visited(1, 1, campaign={"name": "autumn"}), *walked(1, "anonymous", "known"))
    assert (await rows(client, "campaigns", "name"))["(no campaign)"]["leads"] == 1
    changed = await client.put(f"/v1/campaigns/{campaign_id}", json=SPRING | {"matches": [{"name": "Autumn"}]})
    assert changed.status_code == 200
    assert (await rows(client, "campaigns", "name"))["Spring newsletter"]["leads"] == 1
    narrower = await a_campaign(client, name="Autumn by mail", matches=[{"name": "autumn", "medium": "mail"}])
    assert (await rows(client, "campaigns", "campaign_id"))[narrower]["leads"] == 0


async def test_the_funnel_says_who_went_on_and_who_was_lost_to_what(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    await heard(
        metrics, *walked(1, "anonymous", "known", "mql", "sal"), *walked(2, "anonymous", "known", "mql", "recycled")
    )
    await heard(metrics, *walked(3, "anonymous"), *walked(4, "anonymous", "known", when=at(20)))
    funnel = await rows(client, "funnel", "stage", **{"to": "2026-03-20"})
    assert [(stage, row["entered"], row["continued"], row["continuation"]) for stage, row in funnel.items()][:5] == [
        ("anonymous", 3, 2, "0.6667"),
        ("known", 2, 2, "1.0000"),
        ("engaged", 0, 0, None),
        ("mql", 2, 1, "0.5000"),
        ("sal", 1, 0, "0.0000"),
    ]
    assert [funnel[stage]["reached"] for stage in ("anonymous", "known", "engaged", "mql", "sal", "sql")] == [
        3,
        2,
        2,
        2,
        1,
        0,
    ]
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


async def test_a_stage_that_metrics_was_not_set_up_with_is_listed_and_named_in_a_note(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    await heard(metrics, *walked(1, "known", "courted", "mql"))
    answer = await report(client, "funnel")
    assert answer["rows"][-1]["stage"] == "courted"
    assert (answer["rows"][-1]["entered"], answer["rows"][-1]["continued"]) == (1, 1)
    assert any("courted" in note for note in answer["notes"])


async def test_moves_of_one_moment_are_told_apart_by_what_they_follow(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    """Reopened at once: recycled -> known -> engaged in one decision. By rank alone, recycled would be the last."""
    moves = walked(1, "mql", "recycled", "known", "engaged", every=timedelta(0))
    await heard(metrics, *reversed(moves))
    assert (await rows(client, "funnel", "stage"))["engaged"]["in_stage_now"] == 1


async def test_right_after_a_merge_the_last_word_on_any_fragment_counts_until_lifecycle_speaks(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    await heard(
        metrics, visited(1, 1), *walked(2, "anonymous", "known"), *walked(3, "anonymous"), merged([1, 2, 3], 2, at(2))
    )
    assert (await rows(client, "funnel", "stage"))["known"]["in_stage_now"] == 1
    await heard(metrics, corrected(1, "engaged", at(1), told_at=at(2)))
    funnel = await rows(client, "funnel", "stage")
    assert {stage: row["in_stage_now"] for stage, row in funnel.items() if row["in_stage_now"]} == {"engaged": 1}


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


async def test_time_in_stage_is_measured_between_happening_and_happening(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    for person, hours in ((1, 1), (2, 2), (3, 6), (4, 30)):
        await heard(
            metrics, entered(person, "mql"), entered(person, "sal", at(hours=hours), previous="mql", told_at=at(5))
        )
    await heard(metrics, entered(5, "mql", at(1)))
    stays = await rows(client, "time-in-stage", "stage")
    assert [stays["mql"][name] for name in ("n", "median", "p90", "mean", "still_in")] == [
        4,
        4 * 3600.0,
        30 * 3600.0,
        9.75 * 3600,
        1,
    ]
    assert stays["mql"]["longest_since"] == "2026-03-03T09:00:00Z"
    assert (stays["sal"]["n"], stays["sal"]["median"], stays["sal"]["still_in"]) == (0, None, 4)
    early = await rows(client, "time-in-stage", "stage", to="2026-03-02T12:00:00Z")
    assert (early["mql"]["n"], early["mql"]["median"]) == (2, 1.5 * 3600)
    assert (await rows(client, "time-in-stage", "stage", to="2026-03-07", by="received"))["mql"]["n"] == 0


async def test_referrals_are_counted_by_rep_with_the_time_they_took(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    await heard(
        metrics,
        offered(1, "rep_a"),
        accepted(1, "rep_a", at(hours=1)),
        offered(2, "rep_a"),
        returned(2, "rep_a", at(1)),
    )
    await heard(metrics, offered(3, "rep_b"), accepted(3, "rep_b", at(hours=3)), accepted(4, "rep_b", at(2)))
    answer = await report(client, "referrals")
    by_rep = {row["rep_id"]: row for row in answer["rows"]}
    assert (by_rep["rep_a"]["offered"], by_rep["rep_a"]["accepted"], by_rep["rep_a"]["returned_by_reason"]) == (
        2,
        1,
        {"bad_timing": 1},
    )
    assert (by_rep["rep_b"]["accepted"], by_rep["rep_b"]["median_acceptance"]) == (2, 3 * 3600)
    assert (answer["total"]["offered"], answer["total"]["median_acceptance"]) == (3, 2 * 3600)
    assert any("without an offer" in note for note in answer["notes"])


async def test_a_person_marked_as_a_test_vanishes_and_comes_back_when_unmarked(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    await a_campaign(client)
    moves = walked(1, "anonymous", "known", "mql", is_test=True)  # lifecycle knew of the mark when it said these
    await heard(
        metrics,
        visited(1, 1, campaign={"name": "spring"}),
        marked(1, True, at(0, minutes=-1)),
        *moves,
        opened(1, "opp_1", at(5)),
    )

    async def count() -> tuple[Any, ...]:
        returns, funnel = await report(client, "campaigns"), await report(client, "funnel")
        total = returns["total"]
        return (
            total["touched"],
            total["mqls"],
            total["opportunities"],
            funnel["total"]["in_stage_now"],
            funnel["excluded_tests"],
        )

    assert await count() == (0, 0, 0, 0, 1)
    await heard(metrics, marked(1, False, at(9)))
    assert await count() == (1, 1, 1, 1, 0)
    await heard(metrics, marked(1, True, at(8)))  # a late word changes nothing
    assert await count() == (1, 1, 1, 1, 0)


async def test_who_only_test_sources_saw_is_a_test_until_something_real_happens(
    metrics: RunningService, client: httpx.AsyncClient
) -> None:
    await heard(metrics, created(1, is_test=True), visited(1, 1, is_test=True), *walked(1, "anonymous", is_test=True))
    # nothing was captured of these: what is said decides
    await heard(metrics, *walked(2, "anonymous", is_test=True), *walked(3, "anonymous"))
    answer = await report(client, "funnel")
    assert (answer["total"]["cohort"], answer["excluded_tests"]) == (1, 2)
    await heard(metrics, visited(2, 1))
    answer = await report(client, "funnel")
    assert (answer["total"]["cohort"], answer["excluded_tests"]) == (2, 1)
    await heard(metrics, merged([2, 3], 2, at(1)), visited(3, 3))
    assert (await report(client, "funnel"))["excluded_tests"] == 0
