"""The largest person there can be, and what is said of them: no event outgrows what the bus takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.attributes import KNOWN_ATTRIBUTES, has_room
from contracts.envelope import Event
from contracts.events.lifecycle import StageEntered
from contracts.events.routing import AlertRaised
from contracts.events.scoring import Attribute, ProfileChanged, ScoreChanged
from contracts.limits import (
    HIGHLIGHTS,
    INPUT_BYTES,
    NAME_CHARACTERS,
    OTHER_ATTRIBUTES,
    REJECTED,
    SAID_BYTES,
    SENTENCE_CHARACTERS,
    TRAITS,
    VALUE_BYTES,
)
from contracts.values import Receipt
from semantics.facts import facts_of
from services.scoring.domain.receipts import POINT
from tests.support.people import at, per
from tests.unit.scoring.builders import PlainJudge, after, an_interaction, identified, recognized

DEAR = "\x01"  # one character, six bytes of JSON
LONG = DEAR * ((VALUE_BYTES - 2) // 6)
ID = "int_" + "0" * 26


class VerboseJudge(PlainJudge):
    """Each rule holds, with the longest of reasons."""

    def fit(self, attributes: Any) -> Any:
        return tuple(self._dear(award, number) for number, award in enumerate(super().fit(attributes)))

    def engagement(self, interaction: Any, campaign: Any = None) -> Any:
        return tuple(
            self._dear(award, number) for number, award in enumerate(super().engagement(interaction, campaign))
        )

    def _dear(self, award: Any, number: int) -> Any:
        bounded = a_receipt(number)
        return type(award)(award.rule, award.points_e4, award.half_life, bounded.inputs, bounded.sentence)


def a_receipt(number: int) -> Receipt:
    return Receipt(
        receipt_id=f"rcp_{number:026}",
        at=datetime(2026, 1, 1, microsecond=1, tzinfo=UTC),
        owner="scoring",
        kind="score.engagement",
        person_id=per(1),
        fragment_id=per(1),
        cause_id=ID,
        rule="r" * 64,
        rulebook="scoring@1000",
        inputs={f"page.path{i}": DEAR * 1000 for i in range(30)} | {"fits": DEAR * 250},
        rejected=tuple(DEAR * 9000 for _ in range(500)),
        sentence=DEAR * 10_000,
    )


def test_a_receipt_is_cut_to_its_size_whoever_writes_it() -> None:
    receipt = a_receipt(1)
    assert len(receipt.sentence) == SENTENCE_CHARACTERS
    assert len(receipt.model_dump_json(include={"inputs"})) <= INPUT_BYTES + len('{"inputs":}')
    assert receipt.inputs["fits"] == DEAR * 250
    assert receipt.inputs["left_out"][0] == "page.path0"
    assert len(receipt.rejected) == REJECTED
    assert receipt.rejected[-1] == f"{500 - REJECTED + 1} others"


def test_no_event_about_the_largest_person_is_larger_than_the_bus_takes() -> None:
    known: dict[str, Any] = dict.fromkeys(KNOWN_ATTRIBUTES, LONG)
    others = [
        {f"{number:04}{DEAR * (NAME_CHARACTERS - 4)}": LONG for number in range(start, start + 20)}
        for start in range(0, 200, 20)
    ]
    rules = {"Pricing": [(POINT, 7 + number % 9) for number in range(60)]}
    judge = VerboseJudge(interactions=rules, profile={(name, LONG): POINT for name in sorted(KNOWN_ATTRIBUTES)})
    facts = [identified(traits, when=at(number), number=number) for number, traits in enumerate([known, *others])]
    workspace = after(
        *(recognized(fact) for fact in facts),
        recognized(an_interaction("Pricing", when=at(99), number=99)),
        judge=judge,
    )
    attributes = workspace.people[per(1)].fit.attributes
    assert len(attributes.keys() - KNOWN_ATTRIBUTES) == OTHER_ATTRIBUTES
    last = [event for event in workspace.said if isinstance(event, ProfileChanged)][-1]
    assert len(last.highlights) == HIGHLIGHTS
    for event in [*workspace.said, *carriers(last, attributes)]:
        assert len(event.body()) < SAID_BYTES
    assert len(last.body()) > 150_000  # so that this really is about large ones


def carriers(profile: ProfileChanged, attributes: Any) -> list[Event]:
    """What others say with a whole profile in it."""
    whole: dict[str, Any] = {
        "meta": profile.meta,
        "person_id": profile.person_id,
        "fragment_id": profile.fragment_id,
        "graph_version": 9,
        "stage": "mql",
        "occurred_at": at(),
        "attributes": dict(attributes),
        "scores": profile.scores,
    }
    reasons = tuple(a_receipt(number).model_copy(update={"rejected": ()}) for number in range(HIGHLIGHTS))
    entered = StageEntered(**whole, highlights=reasons, receipt=reasons[0])
    because = (*reasons[:2], *reasons)
    alert = AlertRaised(**whole, rep_id="rep", kind="offered", referral_id="ref", headline=DEAR * 3000, because=because)
    return [entered, alert]


def test_a_change_of_many_rules_is_told_with_so_many_receipts_and_their_sum() -> None:
    judge = VerboseJudge(interactions={"Pricing": [(POINT, 7 + number % 9) for number in range(200)]})
    workspace = after(recognized(an_interaction("Pricing")), judge=judge)
    (said,) = [event for event in workspace.said if isinstance(event, ScoreChanged)]
    assert len(said.body()) < SAID_BYTES
    assert sum(receipt.contribution.points for receipt in said.receipts if receipt.contribution) == 200


@pytest.mark.parametrize(
    "traits",
    [{f"trait{number}": number for number in range(2000)}, {f"title{' ' * number}": "CEO" for number in range(2000)}],
)
def test_of_an_event_full_of_traits_only_the_first_are_looked_at(traits: dict[str, Any]) -> None:
    claims = facts_of(identified({**traits, "city": "Rome"}))
    assert len(claims) <= min(OTHER_ATTRIBUTES, TRAITS)
    assert "city" not in claims
    assert facts_of(identified({"city": "Rome", **traits}))["city"] == "Rome"


@pytest.mark.parametrize("value", ["x" * (VALUE_BYTES - 1), DEAR * 171, {"a": "é" * 520}, ["x" * 1021]])
def test_a_value_that_is_too_long_stays_in_the_fact(value: Any) -> None:
    assert not has_room(value)
    assert facts_of(identified({"note": value, "city": "Rome"})) == {"city": "Rome"}
    shorter = after(
        recognized(identified({"note": "short"})), recognized(identified({"note": value}, when=at(1), number=1))
    )
    assert isinstance(shorter.people[per(1)].fit.attributes["note"], Attribute)
    assert shorter.people[per(1)].fit.attributes["note"].value == "short"
