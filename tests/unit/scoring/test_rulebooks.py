from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.campaigns import CampaignTag
from contracts.values import Interaction, InteractionKind, JsonObject
from people_kernel.profile import profile_facts
from rulebook.examples import run_examples
from rulebook.problems import RulebookError
from services.scoring.domain.receipts import DAY, POINT, engagement_earned
from services.scoring.rulebooks import RulebookJudge, compile_scoring, interaction_facts, judge_example
from tests.support.people import per
from tests.unit.scoring.builders import after, an_interaction, identified, recognized

DEFAULT = (Path(__file__).parents[3] / "services" / "scoring" / "rulebooks" / "default.yaml").read_text()
JUDGE = RulebookJudge(compile_scoring(DEFAULT, 1))
SMALL = """\
name: scoring
title: Small
rules:
  - name: prices
    on: page
    when: page.path == '/pricing'
    effect: {points: 12, half_life_days: 14}
    reason: Looked at {page.path}.
  - name: boss
    on: profile
    when: person.seniority == 'executive'
    effect: {points: 30}
    reason: Is {person.title}.
grid:
  fit: {A: 60, B: 35, C: 15}
  engagement: {1: 60, 2: 30, 3: 10}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(RulebookError) as refused:
        compile_scoring(text)
    return [f"{one.line}: {one.message}" for one in refused.value.problems]


def test_the_default_rulebook_keeps_what_its_examples_promise() -> None:
    assert run_examples(JUDGE.rulebook, judge_example) == []
    assert len(JUDGE.rulebook.examples) >= 15


def test_every_default_rule_is_shown_by_an_example_or_a_story_here() -> None:
    shown = {rule for example in JUDGE.rulebook.examples for rule in example.expect.rules or ()}
    stories = {
        award.rule
        for traits in STORIES
        for award in JUDGE.fit(after(recognized(identified(traits))).people[per(1)].fit.attributes)
    }
    deeds = {award.rule for deed in DEEDS for award in JUDGE.engagement(deed)}
    assert {rule.name for rule in JUDGE.rulebook.rules} - shown - stories - deeds == set()


STORIES: list[JsonObject] = [
    {"title": "Director of Finance", "employees": 50, "phone": "+49 30 901820", "authority": "I recommend"},
    {"title": "Team Lead", "employees": 3, "timing": "18 months"},
    {"title": "Senior Consultant", "email": "a@gmx.de", "need": "speed"},
]
DEEDS = [
    an_interaction("Case", kind=InteractionKind.PAGE, properties={"url": "https://x.example/customers/acme"}),
    an_interaction("Webinar Registered"),
    an_interaction("identify", kind=InteractionKind.IDENTIFY),
    an_interaction("group", kind=InteractionKind.GROUP),
]


def test_a_vice_president_of_a_large_software_company_is_an_a() -> None:
    traits = {
        "title": "VP Marketing",
        "email": "ada@acme.example",
        "company": {"name": "Acme", "employees": "501-1000", "industry": "Software"},
    }
    person = after(recognized(identified(traits))).people[per(1)]
    awards = JUDGE.fit(person.fit.attributes)
    assert sum(award.points_e4 for award in awards) == 87 * POINT
    assert "Leads the company or a large part of it (VP Marketing)." in {award.sentence for award in awards}


def test_a_page_call_tells_its_page_itself_and_others_carry_it_in_their_context() -> None:
    page = an_interaction(
        "P",
        kind=InteractionKind.PAGE,
        properties={"url": "https://x.example/pricing?a=1"},
        context={"page": {"path": "/old"}},
    )
    assert interaction_facts(page)["page.path"] == "/old"
    assert (
        interaction_facts(
            an_interaction("P", kind=InteractionKind.PAGE, properties={"url": "https://x.example/pricing?a=1"})
        )["page.path"]
        == "/pricing"
    )
    context = {"page": {"path": "/blog"}, "campaign": {"source": "raw"}}
    track = an_interaction("T", properties={"path": "/not-a-page"}, context=context)
    facts = interaction_facts(track, CampaignTag(source="x"))
    assert (facts["page.path"], facts["campaign.source"]) == ("/blog", "x")
    assert interaction_facts(track)["campaign.source"] is None  # what identity did not recognize is not guessed here


def test_a_campaign_counts_as_identity_recognized_it_and_of_old_events_as_it_would_today() -> None:
    paid = {"url": "https://x.example/#utm_source=Ads&utm_medium=CPC"}
    visit = an_interaction("P", kind=InteractionKind.PAGE, properties=paid)
    told, old = recognized(visit), recognized(visit, facts=None, campaign=None)
    without = recognized(visit, campaign=None)  # identity read it, and found none
    earned = [{one.rule for one in engagement_earned(event, (), JUDGE).receipts} for event in (told, old, without)]
    assert "paid_click" in earned[0]
    assert earned[1] == earned[0]
    assert "paid_click" not in earned[2]


def test_odd_contexts_are_unknown_and_never_a_failure() -> None:
    odd = an_interaction(
        "P",
        kind=InteractionKind.PAGE,
        properties={"url": "http://[broken", "path": 7},
        context={"page": "x", "campaign": None},
    )
    assert [award.rule for award in JUDGE.engagement(odd)] == []
    assert profile_facts({})["person.seniority"] is None


def test_points_and_half_lives_reach_the_award_exactly() -> None:
    (award,) = RulebookJudge(compile_scoring(SMALL.replace("12,", "2.5,"))).engagement(
        DEEDS[0].model_copy(update={"properties": {"path": "/pricing"}})
    )
    assert (award.points_e4, award.half_life, award.sentence) == (25_000, 14 * DAY, "Looked at /pricing.")


CURIOUS = compile_scoring(
    """\
name: scoring
title: Curious
rules:
  - name: seats
    on: [page, track]
    when: known.properties && (properties.seats == 0 || properties.seats == 1 || properties.seats == true)
    effect: {points: 1, half_life_days: 14}
    reason: Asked for {properties.seats} seats, from {campaign.name}.
  - name: prices
    on: page
    when: page.path == '/pricing'
    unknown: "true"
    effect: {points: 12, half_life_days: 14}
    reason: Looked at {page.path}.
  - name: demo
    on: track
    named: [Demo]
    when: "true"
    effect: {points: 30, half_life_days: 14}
    reason: Asked for a demo.
grid:
  fit: {A: 60, B: 35, C: 15}
  engagement: {1: 60, 2: 30, 3: 10}
"""
)
_odd = st.sampled_from([1, 1.0, True, 0, -0.0, 0.0, "1", "/pricing", "/pricing" * 40, "", None, [1], {"seats": 1}])
_asked = st.builds(
    lambda kind, name, properties, campaign: (an_interaction(name, kind=kind, properties=properties), campaign),
    st.sampled_from([InteractionKind.PAGE, InteractionKind.TRACK, InteractionKind.FORM]),
    st.sampled_from(["Demo", "Other"]),
    st.dictionaries(st.sampled_from(["seats", "path", "else"]), _odd),
    st.none() | st.builds(CampaignTag, name=st.sampled_from(["spring", "1", None])),
)


@given(st.lists(_asked, min_size=2, max_size=12))
def test_what_an_interaction_is_worth_does_not_depend_on_those_before_it(
    asked: list[tuple[Interaction, CampaignTag | None]],
) -> None:
    one = RulebookJudge(CURIOUS)
    for interaction, campaign in [*asked, *asked]:
        # repr: 1, 1.0 and True are told apart
        alone = RulebookJudge(CURIOUS).engagement(interaction, campaign)
        assert repr(one.engagement(interaction, campaign)) == repr(alone)


def test_more_interactions_than_are_remembered_change_nothing() -> None:
    one = RulebookJudge(CURIOUS)
    for number in [*range(1500), *range(1500)]:
        awards = one.engagement(
            an_interaction(
                "X", kind=InteractionKind.PAGE, properties={"path": f"/{number}" if number % 2 else "/pricing"}
            )
        )
        assert [award.rule for award in awards] == ([] if number % 2 else ["prices"])


def test_a_rule_that_holds_no_more_says_goodbye_in_words() -> None:
    judge = RulebookJudge(compile_scoring(SMALL))
    attributes = after(recognized(identified({"title": "Clerk"}))).people[per(1)].fit.attributes
    assert judge.withdrawal("boss", attributes) == ({"person.seniority": "staff"}, "No longer so: Is unknown.")
    assert judge.withdrawal("of_old", attributes) == ({}, "The rule of_old is not part of scoring@1.")


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        ("effect: {points: 12}", "effect: {points: 12, half_life_days: 14}", "7: engagement fades"),
        ("effect: {points: 30, half_life_days: 3}", "effect: {points: 30}", "12: fit does not fade"),
        (
            "when: person.title == 'x'",
            "when: page.path == '/pricing'",
            "6: a rule about interactions reads person.title",
        ),
        (
            "when: known.person.title",
            "when: page.path == '/pricing'",
            "6: a rule about interactions reads known.person.title",
        ),
        (
            "when: page.path == '/boss'",
            "when: person.seniority == 'executive'",
            "11: a rule about the profile reads page.path",
        ),
        ("when: person.seniority == 'executiv'", "when: person.seniority == 'executive'", "11:"),
        ("on: [profile, page]", "on: profile", "10: a rule is about the profile or about interactions, not both"),
        ("half_life_days: 0.5", "half_life_days: 14", "7:"),
        ("points: 0.00001", "points: 12", "7:"),
        ("fit: {A: 10, B: 35, C: 15}", "fit: {A: 60, B: 35, C: 15}", "15: an A must need more points than a B"),
        ("engagement: {1: 60, 2: 30}", "engagement: {1: 60, 2: 30, 3: 10}", "16:"),
        (
            "reason: Looked at {page.path}.\n    unknown: fail",
            "reason: Looked at {page.path}.",
            "9: an interaction cannot be refused",
        ),
    ],
)
def test_a_rule_that_means_nothing_is_refused_with_its_line(wrong: str, right: str, complaint: str) -> None:
    assert right in SMALL
    found = problems(SMALL.replace(right, wrong, 1))
    assert any(problem.startswith(complaint) for problem in found), found


def test_an_example_may_expect_points_and_what_they_alone_reach() -> None:
    text = (
        SMALL
        + "examples:\n  - {name: one, on: page, given: {page.path: /pricing}, expect: {points: 13, reaches: '3'}}\n"
    )
    (failure,) = run_examples(compile_scoring(text), judge_example)
    assert (failure.what, failure.expected, failure.got) == ("points", 13, Decimal(12))
