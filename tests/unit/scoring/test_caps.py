"""Reloading a page is not interest eight times over."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.limits import COUNTED
from contracts.values import Interaction, InteractionKind
from rulebook.problems import RulebookError
from services.scoring.domain.receipts import POINT
from services.scoring.domain.workspace import ScoringWorkspace
from services.scoring.rulebooks import REGISTRY, RulebookJudge, compile_scoring
from services.scoring.store.rows import fragment_of, fragment_row
from tests.support.people import START, frg, per
from tests.unit.scoring.builders import a_workspace, an_interaction, identified, recognized, record_all
from tests.unit.scoring.test_rulebooks import SMALL

BOOK = """\
name: scoring
title: Capped
rules:
  - name: prices
    on: page
    when: page.path.startsWith('/pricing')
    effect: {points: 12, half_life_days: 14, cap: {times: 1, within: 30m, per: page.url}}
    reason: Looked at the prices ({page.path}).
  - name: calls
    on: track
    named: Called
    when: 'true'
    effect: {points: 5, half_life_days: 14, cap: {times: 2, within: 1d}}
    reason: Called us.
grid:
  fit: {A: 60, B: 35, C: 15}
  engagement: {1: 60, 2: 30, 3: 10}
"""
JUDGE = RulebookJudge(compile_scoring(BOOK, 1))
DEFAULT = RulebookJudge(compile_scoring(REGISTRY.default.read_text(), 1))


def a_view(number: int, minutes: float, url: str = "https://a.example/pricing") -> Interaction:
    path = "/" + url.rpartition("/")[2]
    when = START + timedelta(minutes=minutes)
    properties = {"path": path, "url": url}
    return an_interaction("P", kind=InteractionKind.PAGE, number=number, when=when, properties=properties)


def seen(*interactions: Interaction, judge: RulebookJudge = JUDGE) -> ScoringWorkspace:
    workspace = a_workspace(judge)
    record_all(workspace, [recognized(one, heard_at=START + timedelta(days=2)) for one in interactions])
    return workspace


def points(workspace: ScoringWorkspace) -> list[int]:
    return [receipt.points_e4 // POINT for receipt in workspace.receipts]


def test_the_same_page_within_half_an_hour_counts_once_and_says_so() -> None:
    workspace = seen(*(a_view(number, number / 60) for number in range(8)))
    assert points(workspace) == [12, 0, 0, 0, 0, 0, 0, 0]
    assert workspace.receipts[1].sentence == (
        "Looked at the prices (/pricing). Already counted once within 30 minutes: capped."
    )
    assert workspace.receipts[1].inputs["page.path"] == "/pricing"


def test_it_counts_again_when_the_time_is_over_and_for_another_page() -> None:
    assert points(seen(a_view(1, 0), a_view(2, 29), a_view(3, 30), a_view(4, 31))) == [12, 0, 12, 0]
    assert points(seen(a_view(1, 0), a_view(2, 1, "https://a.example/pricing-b"))) == [12, 12]


def test_what_a_cap_counts_by_is_asked_though_no_condition_reads_it() -> None:
    other = "https://b.example/pricing"
    assert points(seen(a_view(1, 0), a_view(2, 1, other), a_view(3, 2, other))) == [12, 12, 0]


def test_what_arrives_late_is_capped_by_what_counted_on_either_side() -> None:
    assert points(seen(a_view(1, 60), a_view(2, 31), a_view(3, 89), a_view(4, 30), a_view(5, 0))) == [12, 0, 0, 12, 12]


def test_a_rule_may_count_more_than_once() -> None:
    calls = [an_interaction("Called", number=n, when=START + timedelta(hours=8 * n)) for n in range(5)]
    assert points(seen(*calls)) == [5, 5, 0, 5, 5]


def test_repeats_take_no_reason_from_a_card_and_say_no_score() -> None:
    once, often = seen(a_view(0, 0)), seen(*(a_view(number, number / 60) for number in range(30)))
    assert [one.receipt_id for one in often.highlights_of(per(1))] == [
        one.receipt_id for one in once.highlights_of(per(1))
    ]
    assert len(often.said) == len(once.said)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 29), st.sampled_from("abc")), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_of_one_sitting_as_much_counts_in_whatever_order_it_arrives(
    views: list[tuple[int, str]], chance: Random
) -> None:
    made = [a_view(n, minutes, f"https://{host}.example/pricing") for n, (minutes, host) in enumerate(views)]
    shuffled = chance.sample(made, len(made))
    assert sum(points(seen(*made))) == sum(points(seen(*shuffled))) == 12 * len({host for _, host in views})


@settings(max_examples=40)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=12), st.integers(1, 12))
def test_the_memory_is_kept_with_the_fragment(minutes: list[int], cut: int) -> None:
    events = [recognized(a_view(n, at), heard_at=START + timedelta(days=2)) for n, at in enumerate(minutes)]
    whole, second = a_workspace(JUDGE), a_workspace(JUDGE)
    record_all(whole, events)
    first = a_workspace(JUDGE)
    record_all(first, events[:cut])
    row = type("Row", (), fragment_row(first.fragments[frg(1)]))
    second.fragments.load({frg(1): fragment_of(row)})
    second.people.load(dict(first.people.items()))
    record_all(second, events[cut:])
    assert points(whole) == points(first) + points(second)
    assert second.fragments[frg(1)].counted == whole.fragments[frg(1)].counted


def test_the_memory_has_a_size_and_forgets_the_earliest() -> None:
    views = [a_view(number, number / 60, f"https://a.example/pricing-{number}") for number in range(3 * COUNTED)]
    workspace = seen(*views)
    counted = workspace.fragments[frg(1)].counted
    assert len(counted) == COUNTED
    assert counted == tuple(sorted(counted))
    assert len(fragment_row(workspace.fragments[frg(1)])["counted"]) <= COUNTED * 40


def test_eight_reloads_are_worth_no_more_than_one_look() -> None:
    for path in ("/pricing", "/products/crm", "/careers", "/customers/acme", "/blog/one"):
        views = [a_view(number, number / 600, f"https://a.example{path}") for number in range(8)]
        assert [one > 0 or one < 0 for one in points(seen(*views, judge=DEFAULT))] == [True, *[False] * 7], path


@pytest.mark.parametrize(
    "name", ["Signed In", "Form Submitted", "Demo Requested", "Whitepaper Downloaded", "Unsubscribed"]
)
def test_the_same_deed_again_at_once_counts_once(name: str) -> None:
    deeds = [an_interaction(name, number=number, when=START + timedelta(seconds=number)) for number in range(4)]
    assert sum(1 for one in points(seen(*deeds, judge=DEFAULT)) if one) == 1


def test_an_sdk_that_identifies_with_each_page_is_not_more_engaging() -> None:
    calls = [identified({}, number=number, when=START + timedelta(minutes=number)) for number in range(5)]
    assert sum(points(seen(*calls, judge=DEFAULT))) == 5


@pytest.mark.parametrize(
    ("cap", "complaint"),
    [
        ("{within: 30m, per: page.pth}", "there is no fact page.pth"),
        ("{within: 30m, per: person.title}", "a cap cannot count by person.title"),
        ("{within: half an hour}", "a length of time is written 30m, 12h, 1d or 1d12h"),
        ("{times: 0, within: 30m}", "greater than or equal to 1"),
        ("{times: 2}", "within is missing"),
        ("{within: 1d, every: 3}", "every is not known here"),
    ],
)
def test_a_cap_that_means_nothing_is_refused_with_a_remedy(cap: str, complaint: str) -> None:
    with pytest.raises(RulebookError) as refused:
        compile_scoring(SMALL.replace("half_life_days: 14", f"half_life_days: 14, cap: {cap}"))
    (problem,) = refused.value.problems
    assert complaint in problem.message
    assert problem.line == 7
    assert problem.remedy


def test_fit_has_no_cap() -> None:
    with pytest.raises(RulebookError, match="fit is not counted"):
        compile_scoring(SMALL.replace("{points: 30}", "{points: 30, cap: {within: 1d}}"))
