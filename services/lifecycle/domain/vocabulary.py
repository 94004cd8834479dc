"""What the rules of the process may speak of, and the triggers that they may listen to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from people_kernel.cards import CARD_VARIABLES
from rulebook.vocabulary import DOUBLE, INT, STRING, FactType, Vocabulary, one_of

CREATED = "created"  # somebody was seen for the first time
SCORED = "scored"  # scoring told something new, or the person has just moved on
REFERRAL_ACCEPTED = "referral_accepted"
REFERRAL_RETURNED = "referral_returned"
REFERRAL_EXHAUSTED = "referral_exhausted"  # every rep was asked and none answered
QUALIFIED = "qualified"
RECYCLED = "recycled"
DISQUALIFIED = "disqualified"
REOPENED = "reopened"
WOKEN = "woken"  # the moment came that was set when the person was recycled
OPPORTUNITY_OPENED = "opportunity_opened"
WON = "won"
LOST = "lost"

AUTOMATIC = frozenset({CREATED, SCORED})
"""Triggers that tell what is known; rules without `named:` listen to these."""
TOLD = (
    REFERRAL_ACCEPTED,
    REFERRAL_RETURNED,
    REFERRAL_EXHAUSTED,
    QUALIFIED,
    RECYCLED,
    DISQUALIFIED,
    REOPENED,
    WOKEN,
    OPPORTUNITY_OPENED,
    WON,
    LOST,
)
"""Triggers that tell what somebody did; only rules that name them listen."""
TRIGGERS = (CREATED, SCORED, *TOLD)
VERDICTS: Mapping[str, str] = {"qualify": QUALIFIED, "recycle": RECYCLED, "disqualify": DISQUALIFIED, "reopen": REOPENED}
"""What a human can say of a person -> the trigger it is."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why the rules are asked now. `facts` are what only this trigger knows, `noted` what its receipt keeps beside; `to` is a human's choice."""

    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    to: str | None = None
    noted: Mapping[str, Any] = field(default_factory=dict)


def vocabulary_of(stages: Sequence[str]) -> Vocabulary:
    """The words of a process with these stages; its kinds are the stages that a rule may leave."""
    stage = one_of(*stages)
    variables: dict[str, FactType] = {
        **CARD_VARIABLES,
        "stage.name": stage,
        "stage.days": DOUBLE,
        "since.points": DOUBLE,
        "referral.reason": STRING,
        "verdict.reason": STRING,
        "verdict.to": stage,
        "opportunity.others_open": INT,
    }
    return Vocabulary(variables=variables, kinds=stages)
