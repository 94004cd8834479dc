from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.events.identity import PersonMerged
from contracts.events.scoring import ProfileChanged, ScoreChanged, ScoreCorrected
from contracts.limits import EVENT_RECEIPTS
from contracts.values import SourceKind, Strength
from people_kernel.profile import Attributes
from services.scoring.domain.claims import trait_facts
from services.scoring.domain.receipts import POINT, Award
from services.scoring.domain.workspace import ScoringWorkspace
from services.scoring.store.load import people_with_news
from tests.support.people import at, frg, per
from tests.unit.scoring.builders import (
    GRID,
    JUDGE,
    PlainJudge,
    a_workspace,
    after,
    an_interaction,
    identified,
    of_company,
    recognized,
    record_all,
)
from tests.unit.scoring.people import Registry
from tests.unit.scoring.world import World


def changed(workspace: ScoringWorkspace) -> list[ScoreChanged]:
    return [event for event in workspace.said if isinstance(event, ScoreChanged)]


def test_a_visit_to_the_pricing_page_is_told_with_its_receipt() -> None:
    workspace = after(recognized(an_interaction("Pricing")))
    (said,) = changed(workspace)
    assert said.scores.engagement == Decimal(12)
    assert said.scores.cell == "D3"
    assert [receipt.sentence for receipt in said.receipts] == ["did it"]
    assert said.receipts[0].person_id == per(1)
    assert said.receipts[0].fragment_id == frg(1)


def test_an_interaction_worth_nothing_is_kept_and_nothing_is_said() -> None:
    workspace = after(recognized(an_interaction("Footer clicked", when=at(1))))
    assert workspace.said == []
    assert workspace.people[per(1)].latest_at == at(1)


def test_less_than_a_whole_point_is_not_told() -> None:
    judge = PlainJudge(interactions={"Pricing": [(12 * POINT, 14)], "Scroll": [(100, 14)]})
    workspace = after(
        recognized(an_interaction("Pricing")), recognized(an_interaction("Scroll", number=2)), judge=judge
    )
    assert len(changed(workspace)) == 1
    assert workspace.people[per(1)].scores_at(at(), GRID).engagement_e4 == 12 * POINT + 100


def test_a_title_brings_fit_and_losing_it_takes_it_away_again() -> None:
    workspace = after(
        recognized(identified({"title": "CEO"})), recognized(identified({"title": "Intern"}, when=at(1), number=1))
    )
    first, second = changed(workspace)
    assert (first.scores.fit, first.scores.cell) == (Decimal(30), "B4")
    assert (second.scores.fit, second.scores.cell) == (Decimal(-20), "D4")
    assert [str(receipt.contribution.points) for receipt in second.receipts if receipt.contribution] == [
        "-20.0000",
        "-30.0000",
    ]


def profiles(workspace: ScoringWorkspace) -> list[ProfileChanged]:
    return [event for event in workspace.said if isinstance(event, ProfileChanged)]


def test_a_profile_is_told_whole_and_only_when_a_value_in_it_is_another() -> None:
    ada: dict[str, Any] = {"firstName": "Ada", "title": "CEO", "likes": [True, {"a": 1}]}
    workspace = after(
        recognized(identified(ada)),
        recognized(identified(ada, when=at(1), number=1)),
        recognized(identified(ada, when=at(2), number=2), strength=Strength.VERIFIED),
        recognized(identified({**ada, "likes": [1, {"a": 1}]}, when=at(3), number=3), strength=Strength.VERIFIED),
        recognized(identified({"title": "Owner"}, when=at(4), number=4), strength=Strength.VERIFIED),
    )
    told = [{name: one.value for name, one in event.attributes.items()} for event in profiles(workspace)]
    whole = {"first_name": "Ada", "title": "CEO", "likes": [True, {"a": 1}]}
    assert told == [whole, {**whole, "likes": [1, {"a": 1}]}, {**whole, "likes": [1, {"a": 1}], "title": "Owner"}]
    assert workspace.people[per(1)].fit.attributes["first_name"].occurred_at == at(3)  # kept, though nobody is told


def test_of_a_stranger_only_another_cell_is_told() -> None:
    workspace = after(*(recognized(an_interaction("Blog", number=number)) for number in range(12)))
    (said,) = changed(workspace)
    assert (said.scores.cell, said.previous) == ("D3", None)
    assert workspace.people[per(1)].scores_at(at(), GRID).engagement_e4 == 12 * POINT


def test_what_a_stranger_did_in_silence_is_told_when_they_become_known() -> None:
    blog, seen = an_interaction("Blog", number=1), an_interaction("Blog", when=at(seconds=1), number=2)
    workspace = after(
        recognized(blog),
        recognized(seen),
        recognized(identified({"title": "CEO"}, when=at(14), number=3, received_at=at(14))),
    )
    profile, news = workspace.said
    assert isinstance(profile, ProfileChanged)
    assert profile.scores is not None
    # two points, halved: as before this news
    assert (profile.scores.fit, profile.scores.engagement) == (Decimal(0), Decimal(1))
    assert [receipt.cause_id for receipt in profile.highlights] == [f"int_{number:0>26}" for number in (3, 2, 1)]
    assert isinstance(news, ScoreChanged)
    assert (news.previous, news.scores.cell) == (profile.scores, "B4")


def test_an_event_carries_no_more_receipts_than_fit_and_their_points_add_up() -> None:
    many = [(POINT, 7)] * 15 + [(2 * POINT, 14)] * 10
    judge = PlainJudge(
        interactions={"Pricing": many}, profile={("title", "CEO"): 3 * POINT, ("city", "Rome"): 4 * POINT}
    )
    (said,) = changed(
        after(recognized(an_interaction("Pricing", traits={"title": "CEO", "city": "Rome"})), judge=judge)
    )
    assert len(said.receipts) == EVENT_RECEIPTS + 2
    for measure, points in (("engagement", 35), ("fit", 7)):
        assert (
            sum(
                one.contribution.points
                for one in said.receipts
                if one.contribution and one.contribution.measure == measure
            )
            == points
        )
    assert [one.rule for one in said.receipts[-2:]] == ["others", "others"]


@dataclass
class CountingJudge:
    """JUDGE, and how often it was asked about a profile."""

    asked: int = 0
    version, label, grid, engagement, withdrawal = (
        JUDGE.version,
        JUDGE.label,
        JUDGE.grid,
        JUDGE.engagement,
        JUDGE.withdrawal,
    )

    def fit(self, attributes: Attributes) -> tuple[Award, ...]:
        self.asked += 1
        return JUDGE.fit(attributes)


def test_a_flood_of_late_claims_asks_the_rules_only_where_a_value_becomes_another() -> None:
    judge = CountingJudge()
    first = recognized(identified({"title": "CEO"}, when=at(30), number=999))
    late = [
        recognized(identified({"title": f"Title {number % 7}"}, when=at(29, seconds=-number), number=number))
        for number in range(250)
    ]
    workspace = a_workspace(judge)
    record_all(workspace, [first, *late])
    assert judge.asked == 1
    assert len(profiles(workspace)) == 1
    city = [
        recognized(identified({"city": f"City {number % 50}"}, when=at(29, seconds=-number), number=1000 + number))
        for number in range(250)
    ]
    record_all(workspace, city)
    assert judge.asked == 2  # the first one tells a city; those of earlier date do not


def test_a_claim_overwrites_nothing_verified() -> None:
    verified = identified({"title": "CEO"}, source_kind=SourceKind.SERVER)
    claim = identified({"title": "Intern"}, when=at(1), number=1)
    workspace = after(recognized(verified, strength=Strength.VERIFIED), recognized(claim))
    assert workspace.people[per(1)].fit.attributes["title"].value == "CEO"
    assert [event.scores.fit for event in changed(workspace)] == [Decimal(30)]


def test_the_company_a_group_names_counts_for_fit() -> None:
    workspace = after(recognized(identified({}, account=of_company("Acme", employees="201-500"))))
    assert workspace.people[per(1)].fit.points_e4 == 75_000
    assert workspace.people[per(1)].fit.attributes["employees"].value["low"] == 201


def test_a_late_fact_that_changes_no_value_books_nothing() -> None:
    intern = recognized(identified({"title": "Intern"}, when=at(5), number=5))
    ceo_earlier = recognized(identified({"title": "CEO"}, when=at(1), number=1))
    workspace = after(intern, ceo_earlier)
    assert workspace.people[per(1)].fit.points_e4 == -20 * POINT
    assert [type(event).__name__ for event in workspace.said] == ["ProfileChanged", "ScoreChanged"]
    assert [receipt.rule for receipt in workspace.receipts] == ["title-is-Intern"]


def test_a_late_fact_that_only_adds_is_news_of_its_own_date() -> None:
    workspace = after(
        recognized(identified({"title": "CEO"}, when=at(5), number=5)),
        recognized(identified({"companyName": "Acme"}, when=at(1), number=1)),
    )
    (receipt,) = changed(workspace)[-1].receipts
    assert (receipt.rule, receipt.at) == ("company-is-Acme", at(1))
    assert not any(isinstance(event, ScoreCorrected) for event in workspace.said)


def test_a_late_fact_that_takes_points_back_is_booked_where_the_person_stands_and_corrected() -> None:
    ceo = recognized(identified({"title": "CEO"}, when=at(5), number=5))
    clerk = recognized(
        identified({"title": "Clerk", "companyName": "Acme"}, when=at(1), number=1, source_kind=SourceKind.SERVER)
    )
    workspace = after(ceo, clerk)
    assert [(receipt.rule, receipt.points_e4, receipt.at) for receipt in workspace.receipts[1:]] == [
        ("company-is-Acme", 75_000, at(5)),
        ("title-is-CEO", -30 * POINT, at(5)),
    ]
    assert isinstance(workspace.said[-1], ScoreCorrected)
    assert workspace.said[-1].scores.fit == Decimal("7.5")


def test_a_late_demo_request_that_upsets_the_profile_is_both_corrected_and_told_as_news() -> None:
    judge = PlainJudge(interactions=JUDGE.interactions, profile={("title", "CEO"): 30 * POINT})
    verified = {"source_kind": SourceKind.SERVER, "strength": Strength.VERIFIED}
    ceo = recognized(identified({"title": "CEO"}, when=at(5), number=5))
    late = recognized(
        an_interaction(
            "Demo", when=at(1), number=1, traits={"title": "Clerk"}, source_kind=SourceKind.SERVER, received_at=at(6)
        ),
        strength=verified["strength"],
    )
    workspace = after(ceo, late, judge=judge)
    corrected, news = workspace.said[-2:]
    assert isinstance(corrected, ScoreCorrected)
    assert corrected.scores.fit == 0
    assert isinstance(news, ScoreChanged)
    assert news.previous == corrected.scores
    assert [receipt.kind for receipt in news.receipts] == ["score.engagement"] * 2


def test_only_of_those_who_may_learn_something_more_is_read() -> None:
    workspace = after(
        recognized(identified({"title": "CEO"}, when=at(5), number=5)), recognized(an_interaction(number=9), 2)
    )
    same = recognized(identified({"title": "CEO"}, when=at(6), number=6))
    other = recognized(identified({"title": "CEO", "city": "Rome"}, when=at(1), number=1))
    visit = recognized(an_interaction(when=at(-3), number=7))
    assert people_with_news([same, visit], trait_facts([same, visit], 1), workspace) == set()
    assert people_with_news([same, other], trait_facts([same, other], 1), workspace) == {per(1)}


def test_time_alone_moves_the_cell_at_the_moment_that_was_set() -> None:
    workspace = after(recognized(an_interaction("Pricing")))
    due = workspace.people[per(1)].fades_at
    assert due is not None
    workspace.fade(per(1), due - timedelta(seconds=1))
    assert len(changed(workspace)) == 1
    workspace.fade(per(1), due)
    said = changed(workspace)[-1]
    assert said.scores.cell == "D4"
    assert said.scores.at == due
    assert "Time passed" in said.receipts[0].sentence
    assert workspace.people[per(1)].fades_at is None


def test_a_timer_that_fires_late_and_an_event_that_comes_first_say_the_same() -> None:
    pricing, later = recognized(an_interaction("Pricing")), recognized(an_interaction("Blog", when=at(60), number=2))
    by_event = after(pricing, later)
    by_timer = after(pricing)
    due = by_timer.people[per(1)].fades_at
    assert due is not None
    by_timer.fade(per(1), due)
    record_all(by_timer, [later])
    assert [(event.meta.event_id, event.body()) for event in by_event.said] == [
        (event.meta.event_id, event.body()) for event in by_timer.said
    ]
    assert [event.scores.cell for event in changed(by_event)] == ["D3", "D4"]


def test_each_fact_keeps_the_version_it_was_judged_by() -> None:
    newer = PlainJudge(version=2, profile={("title", "CEO"): 50 * POINT})
    workspace = a_workspace(JUDGE)
    record_all(workspace, [recognized(identified({"title": "CEO"}))])
    upgraded = a_workspace(newer, JUDGE)
    upgraded.fragments, upgraded.people = workspace.fragments, workspace.people
    record_all(upgraded, [recognized(identified({"city": "Rome"}, when=at(1), number=1))])
    (receipt,) = upgraded.receipts
    assert (receipt.rulebook, receipt.points_e4) == ("scoring@2", 20 * POINT)
    assert upgraded.people[per(1)].fit.points_e4 == 50 * POINT


def test_test_traffic_stays_marked_until_a_real_interaction_comes() -> None:
    workspace = after(recognized(an_interaction("Pricing", is_test=True)))
    assert changed(workspace)[0].is_test
    record_all(workspace, [recognized(an_interaction("Demo", number=2, when=at(1)))])
    assert not changed(workspace)[-1].is_test


def test_the_same_events_say_the_same_to_the_byte() -> None:
    events = [recognized(identified({"title": "CEO"})), recognized(an_interaction("Demo", when=at(1), number=1))]
    first, second = after(*events), after(*events)
    assert [(event.headers(), event.body()) for event in first.said] == [
        (event.headers(), event.body()) for event in second.said
    ]


@pytest.mark.parametrize("name", ["Demo", "Pricing"])
def test_what_is_said_follows_from_its_cause(name: str) -> None:
    cause = recognized(an_interaction(name))
    (said,) = changed(after(cause))
    assert said.meta.causation_id == cause.meta.event_id
    assert said.meta.correlation_id == cause.meta.correlation_id
    assert said.meta.rulebook == "scoring@1"


def test_a_merge_of_old_that_is_heard_late_changes_nothing() -> None:
    registry = Registry()
    for number in (1, 2):
        registry.see(an_interaction("Pricing", number=number), number)
    registry.merge(frg(1), frg(2))
    (merged,) = [event for event in registry.told if isinstance(event, PersonMerged)]
    registry.split(per(1), [frg(2)])
    world = World().hear(registry.told)
    state, told = world.state(), len(world.workspace.said)
    again = merged.model_copy(update={"meta": merged.meta.model_copy(update={"event_id": "evt_again"})})
    world.hear([again])
    assert world.state() == state
    assert len(world.workspace.said) == told


def test_an_interaction_recognized_before_a_merge_belongs_to_who_is_known_now() -> None:
    registry = Registry()
    registry.see(an_interaction("Pricing", number=1, when=at(399)), 1)
    registry.see(an_interaction("Pricing", number=2, when=at(399)), 2)
    registry.see(an_interaction("Demo", number=3, when=at(399)), 2, delayed=True)
    registry.merge(frg(1), frg(2))
    registry.land()
    world = World().hear(registry.told)
    assert set(world.workspace.people) == {per(1)}
    assert [(type(event), event.person_id) for event in changed(world.workspace)[2:]] == [(ScoreChanged, per(1))]


def test_a_merge_is_corrected_and_never_told_as_news() -> None:
    registry = Registry()
    registry.see(an_interaction("Demo", number=1, when=at(399)), 1)
    registry.see(an_interaction("Demo", number=2, when=at(399)), 2)
    registry.merge(frg(1), frg(2))
    world = World().hear(registry.told)
    assert [type(event) for event in world.workspace.said] == [ScoreChanged, ScoreChanged, ScoreCorrected]
    corrected = world.workspace.said[-1]
    assert isinstance(corrected, ScoreCorrected)
    assert corrected.scores.engagement > 80
    assert corrected.previous is not None
    assert corrected.previous.engagement < 45


def test_an_interaction_that_knows_a_newer_grouping_takes_its_fragment_along() -> None:
    first, second = recognized(identified({"title": "CEO"}, number=1)), recognized(an_interaction("Demo", number=2), 2)
    moved = recognized(an_interaction("Blog", number=3), 1, 2, graph_version=2)
    workspace = after(first, second, moved)
    assert set(workspace.people) == {per(2)}
    assert workspace.people[per(2)].fit.points_e4 == 30 * POINT
    assert workspace.people[per(2)].graph_version == 2
    assert workspace.gone == {per(1)}
