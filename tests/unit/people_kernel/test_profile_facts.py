"""What rules of every service know of figures of which the ends are known."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.events.scoring import Attribute
from contracts.values import Strength
from people_kernel.people import Card, card_facts
from people_kernel.profile import attributes_from_text, attributes_to_text, profile_facts
from rulebook.vocabulary import UnknownPolicy
from services.lifecycle.rulebooks import REGISTRY as LIFECYCLE
from services.nurture.domain.rules import compile_condition
from tests.support.people import START, per


def profile(**values: Any) -> dict[str, Attribute]:
    return {
        name: Attribute(
            value=value, strength=Strength.CLAIMED, source_id="src_1", interaction_id="int_1", occurred_at=START
        )
        for name, value in values.items()
    }


def band(low: int, high: int | None) -> dict[str, Any]:
    return {"high": high, "low": low, "text": "as told"}


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (3, 3),
        (band(3, 6), 3),  # when they start at the earliest
        (band(0, 6), band(0, 6)),  # at any time until then
        (band(13, None), band(13, None)),
        (None, None),
        ("some day", "some day"),
    ],
)
def test_of_a_time_from_one_month_to_another_the_nearer_end_counts(told: Any, seen: Any) -> None:
    assert profile_facts(profile(timing=told))["bant.timing_months"] == seen


def test_a_profile_keeps_a_band_to_the_byte() -> None:
    attributes = profile(employees=band(51, 200), budget={"high": None, "low": 10_000.0, "text": "10k+"})
    text = attributes_to_text(attributes)
    assert attributes_to_text(attributes_from_text(text)) == text
    assert attributes_from_text(text) == attributes


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("company.employees >= 50", True),
        ("company.employees >= 100", False),
        ("company.employees <= 200 && bant.budget >= 10000.0", True),
        ("bant.budget > 10000.0", False),
        ("bant.timing_months <= 3", True),
    ],
)
def test_the_conditions_of_treatments_read_bands(condition: str, holds: bool) -> None:
    attributes = profile(employees=band(51, 200), budget={"high": None, "low": 10_000.0}, timing=band(3, 6))
    facts = {**card_facts(Card(per(1), attributes)), "stage.name": "known"}
    assert compile_condition(condition, UnknownPolicy.FALSE).weigh(facts).holds is holds


def test_the_lifecycle_reads_bands() -> None:
    text = LIFECYCLE.default.read_text()
    rulebook = LIFECYCLE.compile(text, 1)
    assert {"company.employees", "bant.budget", "bant.timing_months"} <= set(rulebook.vocabulary.variables)
