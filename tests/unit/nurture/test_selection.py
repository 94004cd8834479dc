"""Which treatment fits: every reason to be out, and the order of those that are in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.limits import AGAINST_CHARACTERS
from contracts.values import Consent, ConsentChannel
from people_kernel.consent import ChannelAnswer
from services.nurture.domain.outgoing_events import make_selection
from services.nurture.domain.rules import Buying, BuyingStage
from services.nurture.domain.selection import (
    Against,
    TreatmentChoice,
    catalogue_id,
    choose,
    decode_against,
    encode_against,
    reasons_in_words,
)
from services.nurture.domain.treatments import Channel, Limits, Purpose, Treatment
from services.nurture.domain.workspace import ConsentByChannel, Occasion, ShowingCount
from tests.support.people import at, per
from tests.unit.nurture.builders import a_treatment, agreed, said_about, shown, somebody

EMAIL, PHONE, ANY = ConsentChannel.EMAIL, ConsentChannel.PHONE, ConsentChannel.ANY
GRANTED, WITHDRAWN = Consent.GRANTED, Consent.WITHDRAWN


def reasons(treatment: Treatment, channel: Channel | None = None, **about: Any) -> tuple[str, ...]:
    """Why the treatment is out; empty if it is in."""
    choice = choose([treatment], somebody(**about), channel, at(10))
    return choice.refused[0].reasons if choice.refused else ()


@pytest.mark.parametrize(
    ("fields", "about", "words"),
    [
        ({"is_active": False}, {}, "is switched off"),
        ({"valid_from": at(11)}, {}, "begins only at 2026-03-13 09:00 UTC"),
        ({"valid_until": at(10)}, {}, "ended at 2026-03-12 09:00 UTC"),
        ({"stages": ("mql", "sal")}, {}, "is for the stages mql, sal, not for engaged"),
        ({"buying_stages": (BuyingStage.DECISION,)}, {}, "is for decision, not for consideration"),
        (
            {"when": "company.employees > 100"},
            {"facts": {"company.employees": 5}},
            "it does not hold that company.employees > 100",
        ),
        (
            {"when": "company.employees > 100"},
            {},
            "it cannot be said whether company.employees > 100: company.employees is not known",
        ),
        ({"limits": Limits(per_person=2)}, {"shown": {"trt_a": shown(2, 1)}}, "was shown 2 of 2 times"),
        (
            {"limits": Limits(every_days=10)},
            {"shown": {"trt_a": shown(1, 1)}},
            "was shown at 2026-03-03 09:00 UTC, and is shown once in 10 days",
        ),
        ({"channel": Channel.EMAIL, "purpose": Purpose.PROMOTIONAL}, {}, "has not consented to e-mail"),
        (
            {"channel": Channel.EMAIL, "purpose": Purpose.PROMOTIONAL},
            {"consent": agreed(said_about(EMAIL, WITHDRAWN))},
            "has withdrawn consent to e-mail (2026-03-02)",
        ),
    ],
    ids=[
        "off",
        "not-yet",
        "over",
        "stage",
        "buying-stage",
        "condition",
        "condition-unknown",
        "per-person",
        "every-days",
        "no-consent",
        "withdrawn",
    ],
)
def test_whatever_speaks_against_a_treatment_is_named(
    fields: Mapping[str, Any], about: Mapping[str, Any], words: str
) -> None:
    assert reasons(a_treatment("a", **fields), **about) == (words,)


def test_a_treatment_for_another_channel_is_out_unless_any_will_do() -> None:
    call = a_treatment("a", channel=Channel.PHONE, requires_consent=False)
    assert reasons(call, Channel.WEB) == ("is for phone, not for web",)
    assert reasons(call, None) == ()


def test_all_reasons_are_named_not_the_first_alone() -> None:
    treatment = a_treatment("a", is_active=False, stages=("mql",), when="bant.timing_months < 3")
    assert len(reasons(treatment, Channel.EMAIL)) == 4


@pytest.mark.parametrize(
    ("treatment", "about"),
    [
        (a_treatment("a", valid_from=at(10), valid_until=at(11)), {}),
        (a_treatment("a", limits=Limits(per_person=3, every_days=9)), {"shown": {"trt_a": shown(2, 1)}}),
        (a_treatment("a", when="bant.timing_months < 3", unknown="true"), {}),
        (a_treatment("a", when='stage.name == "engaged" && buying.stage == "consideration"'), {}),
        (a_treatment("a", stages=("engaged",), buying_stages=(BuyingStage.CONSIDERATION,)), {}),
    ],
    ids=[
        "from-this-moment-on",
        "within-limits",
        "unknown-taken-for-a-yes",
        "both-stages-in-the-condition",
        "both-stages",
    ],
)
def test_at_the_edge_a_treatment_is_in(treatment: Treatment, about: Mapping[str, Any]) -> None:
    assert reasons(treatment, **about) == ()


@pytest.mark.parametrize(
    ("consent", "promotional", "educational"),
    [
        ({}, False, True),
        (agreed(said_about(EMAIL, GRANTED)), True, True),
        (agreed(said_about(ANY, GRANTED)), True, True),
        (agreed(said_about(PHONE, GRANTED)), False, True),
        (agreed(said_about(PHONE, WITHDRAWN)), False, True),
        (agreed(said_about(EMAIL, WITHDRAWN)), False, False),
        (agreed(said_about(ANY, WITHDRAWN)), False, False),
        (agreed(said_about(EMAIL, WITHDRAWN), said_about(ANY, GRANTED, at(5), number=2)), True, True),
        (agreed(said_about(ANY, WITHDRAWN), said_about(EMAIL, GRANTED, at(5), number=2)), True, True),
        (agreed(said_about(EMAIL, GRANTED), said_about(ANY, WITHDRAWN, at(5), number=2)), False, False),
        (agreed(said_about(EMAIL, WITHDRAWN), said_about(EMAIL, GRANTED, at(5), number=2)), True, True),
    ],
    ids=[
        "unknown",
        "granted",
        "any-granted",
        "other-granted",
        "other-withdrawn",
        "withdrawn",
        "any-withdrawn",
        "any-granted-since",
        "granted-since-any-was-withdrawn",
        "any-withdrawn-since",
        "granted-anew",
    ],
)
def test_the_latest_statement_counts_and_selling_needs_a_yes(
    consent: ConsentByChannel, promotional: bool, educational: bool
) -> None:
    selling = a_treatment("a", channel=Channel.EMAIL, purpose=Purpose.PROMOTIONAL)
    telling = a_treatment("a", channel=Channel.EMAIL)
    assert (reasons(selling, consent=consent) == ()) is promotional
    assert (reasons(telling, consent=consent) == ()) is educational


def test_a_page_they_came_to_themselves_needs_no_consent() -> None:
    withdrawn = agreed(said_about(ANY, WITHDRAWN))
    assert reasons(a_treatment("a", purpose=Purpose.PROMOTIONAL), consent=withdrawn) == ()
    assert reasons(a_treatment("a", requires_consent=True), consent=withdrawn) == (
        "has withdrawn consent to any channel (2026-03-02)",
    )
    assert reasons(a_treatment("a", channel=Channel.EVENT), consent=withdrawn) != ()


def test_of_two_statements_at_one_moment_the_withdrawal_counts_whatever_fragment_it_is_on() -> None:
    yes, no = said_about(EMAIL, GRANTED, fragment=1, number=9), said_about(EMAIL, WITHDRAWN, fragment=2, number=1)
    assert agreed(yes, no) == agreed(no, yes) == {EMAIL: ChannelAnswer(no)}


def test_priority_comes_first_then_the_situation_then_what_was_shown_longest_ago() -> None:
    treatments = [
        a_treatment("plain", priority=60),
        a_treatment("low", priority=40, stages=("engaged",), buying_stages=(BuyingStage.CONSIDERATION,)),
        a_treatment("precise", priority=60, stages=("engaged",)),
        a_treatment("seen", priority=60),
        a_treatment("seen_lately", priority=60),
    ]
    choice = choose(
        treatments, somebody(shown={"trt_seen": shown(1, 1), "trt_seen_lately": shown(1, 2)}), Channel.WEB, at(10)
    )
    assert [one.treatment.treatment_id for one in choice.eligible] == [
        "trt_precise",
        "trt_plain",
        "trt_seen",
        "trt_seen_lately",
        "trt_low",
    ]
    assert [one.why for one in choice.eligible] == [
        "",
        "names less of the situation 0 < 1",
        "names less of the situation 0 < 1",
        "names less of the situation 0 < 1",
        "lower priority 40 < 60",
    ]


def test_who_names_the_situation_comes_first_whatever_the_lot_says() -> None:
    treatments = [
        a_treatment("plain"),
        a_treatment("precise", stages=("engaged",)),
        a_treatment("most", stages=("engaged",), when="true"),
    ]
    for number in range(20):
        choice = choose(treatments, somebody(person_id=per(number)), None, at(10))
        assert [one.treatment.treatment_id for one in choice.eligible] == ["trt_most", "trt_precise", "trt_plain"]


def test_what_was_shown_already_comes_after_what_was_not() -> None:
    choice = choose([a_treatment("a"), a_treatment("b")], somebody(shown={"trt_a": shown(1, 1)}), None, at(10))
    assert choice.chosen is not None
    assert choice.chosen.treatment.treatment_id == "trt_b"
    assert choice.runners_up[0].why == "was shown already at 2026-03-03 09:00 UTC"


def test_equals_are_drawn_by_a_lot_that_differs_between_people_and_never_between_times() -> None:
    treatments = [a_treatment(key) for key in "abcd"]

    def first_for(person: int) -> str:
        choice = choose(treatments, somebody(person_id=per(person)), None, at(10))
        assert choice.runners_up[0].why == "is as good, and the lot fell on the other"
        assert choice.chosen is not None
        return choice.chosen.treatment.treatment_id

    drawn = [first_for(person) for person in range(40)]
    assert set(drawn) == {"trt_a", "trt_b", "trt_c", "trt_d"}
    assert drawn == [first_for(person) for person in range(40)]


def test_the_facts_that_a_condition_read_are_kept() -> None:
    choice = choose(
        [a_treatment("a", when="company.employees >= 200")], somebody(facts={"company.employees": 240}), None, at(10)
    )
    assert choice.chosen is not None
    assert choice.chosen.inputs == {"company.employees": 240}


catalogues = st.lists(
    st.builds(
        a_treatment,
        st.sampled_from("abcdefgh"),
        priority=st.integers(0, 3),
        channel=st.sampled_from(list(Channel)),
        purpose=st.sampled_from(list(Purpose)),
        stages=st.sampled_from([(), ("engaged",), ("mql",)]),
        buying_stages=st.sampled_from([(), (BuyingStage.CONSIDERATION,), (BuyingStage.DECISION,)]),
        when=st.sampled_from([None, "company.employees > 100", "bant.timing_months < 3"]),
        limits=st.builds(Limits, per_person=st.sampled_from([None, 1]), every_days=st.sampled_from([None, 5])),
        is_active=st.booleans(),
        valid_until=st.sampled_from([None, at(9), at(12)]),
    ),
    max_size=8,
    unique_by=lambda treatment: treatment.treatment_id,
)
statements = st.builds(said_about, st.sampled_from(list(ConsentChannel)), st.sampled_from(list(Consent)))
subjects = st.builds(
    somebody,
    facts=st.sampled_from([{}, {"company.employees": 5}, {"company.employees": 500, "bant.timing_months": 1}]),
    consent=st.lists(statements, max_size=3).map(lambda said: agreed(*said)),
    shown=st.dictionaries(
        st.sampled_from(["trt_a", "trt_b", "trt_c"]),
        st.builds(shown, st.integers(1, 3), st.sampled_from([1, 8])),
        max_size=3,
    ),
)


@settings(max_examples=150)
@given(catalogues, subjects, st.sampled_from([None, *Channel]), st.randoms(use_true_random=False))
def test_the_order_given_does_not_matter_and_every_treatment_has_one_place(
    treatments: list[Treatment], subject: Any, channel: Channel | None, rng: Any
) -> None:
    choice = choose(treatments, subject, channel, at(10))
    shuffled = list(treatments)
    rng.shuffle(shuffled)
    assert choose(shuffled, subject, channel, at(10)) == choice
    places = [one.treatment.treatment_id for one in choice.eligible] + [
        one.treatment.treatment_id for one in choice.refused
    ]
    assert sorted(places) == sorted(treatment.treatment_id for treatment in treatments)
    assert all(one.reasons for one in choice.refused)
    assert all(one.why for one in choice.runners_up)
    _assert_eligible(choice, channel, subject.shown)


def _assert_eligible(choice: TreatmentChoice, channel: Channel | None, seen: Mapping[str, ShowingCount]) -> None:
    """What is checked here is spelled out anew, not asked of the code that decided."""
    for one in choice.eligible:
        body = one.treatment.body
        assert body.is_active
        assert channel in (None, body.channel)
        assert body.stages in ((), ("engaged",))
        assert body.buying_stages in ((), (BuyingStage.CONSIDERATION,))
        assert body.valid_until in (None, at(12))
        assert not (body.limits.per_person and one.treatment.treatment_id in seen)
        if choice.chosen is not None:
            assert body.priority <= choice.chosen.treatment.body.priority
    for one in choice.runners_up:
        assert one.rank > 1


_BUYING = Buying(BuyingStage.CONSIDERATION, "default", "nurture@1", "Looks around.")


def receipt_of(count: int) -> str:
    treatments = [a_treatment(f"t{number:04d}", stages=("mql",) if number % 2 else ()) for number in range(count)]
    occasion = Occasion("asked", "ask_1", per(1), 1, at(1), at(1), None, False, {})
    return make_selection(
        occasion, somebody(), _BUYING, choose(treatments, somebody(), None, at(1)), ()
    ).receipt.model_dump_json()


@given(st.lists(st.integers(0, 1023).map(Against), max_size=AGAINST_CHARACTERS // 2))
def test_what_speaks_against_each_is_read_as_it_was_written(against: list[Against]) -> None:
    assert decode_against(encode_against(against)) == against


def test_a_receipt_is_no_longer_for_a_catalogue_of_thousands() -> None:
    assert len(receipt_of(3_000)) < len(receipt_of(20)) + AGAINST_CHARACTERS + 200


def test_two_catalogues_are_one_revision_only_if_all_their_treatments_are() -> None:
    one, other = a_treatment("a"), a_treatment("b")
    assert catalogue_id([one, other]) == catalogue_id([one, other]) != catalogue_id([one])


def test_every_reason_that_there_is_can_be_told_in_words() -> None:
    body = a_treatment("a").body
    assert [len(reasons_in_words(one, body, {})) for one in Against] == [1] * len(Against)
