"""Which treatment fits somebody now: who is out and why, who comes first and why the others come after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntFlag
from typing import Any

from contracts.ids import hash_id
from services.nurture.domain.conditions import Verdict
from services.nurture.domain.consent import Standing, refusal
from services.nurture.domain.stages import BuyingStage
from services.nurture.domain.treatments import Channel, Treatment

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shown:
    """How often one person was shown a treatment, and when last."""

    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a treatment is chosen for, with all that the choice may depend on. `person_id` is None for a stranger."""

    person_id: str | None
    stage: str
    buying_stage: BuyingStage
    facts: Mapping[str, Any]
    consent: Standing
    shown: Mapping[str, Shown]


@dataclass(frozen=True, slots=True)
class Eligible:
    """A treatment that fits. `rank` counts from 1; `why` says why it comes after the chosen one; `inputs` are the facts its condition read."""

    treatment: Treatment
    rank: int
    why: str
    inputs: Mapping[str, Any]


class Against(IntFlag):
    """What speaks against a treatment; the numbers stand in receipts and never change."""

    SWITCHED_OFF = 1
    NOT_BEGUN = 2
    ENDED = 4
    CHANNEL = 8
    STAGE = 16
    BUYING_STAGE = 32
    CONSENT = 64
    CONDITION = 128
    PER_PERSON = 256
    EVERY_DAYS = 512


Reason = tuple[Against, str]
"""What speaks against a treatment, and in words."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A treatment that does not fit, with every reason."""

    treatment: Treatment
    reasons: tuple[str, ...]
    against: Against


@dataclass(frozen=True, slots=True)
class Choice:
    """What came of it: those that fit, the chosen one first, and those that do not.

    `fitting` are the labels of all that would fit whatever was shown before: while they stay the same, so does the situation.
    """

    eligible: tuple[Eligible, ...]
    refused: tuple[Refused, ...]
    fitting: tuple[str, ...]

    @property
    def chosen(self) -> Eligible | None:
        return self.eligible[0] if self.eligible else None

    @property
    def catalogue(self) -> list[tuple[Treatment, Against]]:
        """All that there was to choose from, in the order of the ids, with what speaks against each."""
        among = [*((one.treatment, Against(0)) for one in self.eligible), *((one.treatment, one.against) for one in self.refused)]
        return sorted(among, key=lambda pair: pair[0].treatment_id)

    @property
    def runners_up(self) -> tuple[Eligible, ...]:
        return self.eligible[1:]


def choose(treatments: Iterable[Treatment], subject: Subject, channel: Channel | None, at: datetime) -> Choice:
    """Weighs every treatment once. `channel` None: any."""
    facts = {**subject.facts, "stage.name": subject.stage, "buying.stage": subject.buying_stage.value}
    passed: list[tuple[Treatment, Verdict]] = []
    refused, fitting = [], []
    for treatment in sorted(treatments, key=lambda one: one.treatment_id):
        verdict = treatment.condition.weigh(facts) if treatment.condition else Verdict(True, {})
        condition = () if verdict.holds else ((Against.CONDITION, verdict.why),)
        lasting = (*_against_offer(treatment, channel, at), *_against_person(treatment, subject), *condition)
        reasons = (*lasting, *_against_repetition(treatment, subject.shown.get(treatment.treatment_id), at))
        if not lasting:
            fitting.append(treatment.label)
        if reasons:
            refused.append(Refused(treatment, tuple(why for _, why in reasons), Against(sum(one for one, _ in reasons))))
        else:
            passed.append((treatment, verdict))
    return Choice(_ranked(passed, subject), tuple(refused), tuple(fitting))


def _against_offer(treatment: Treatment, channel: Channel | None, at: datetime) -> Iterable[Reason]:
    body = treatment.body
    if not body.is_active:
        yield Against.SWITCHED_OFF, "is switched off"
    if body.valid_from is not None and at < body.valid_from:
        yield Against.NOT_BEGUN, f"begins only at {_told(body.valid_from)}"
    if body.valid_until is not None and at >= body.valid_until:
        yield Against.ENDED, f"ended at {_told(body.valid_until)}"
    if channel is not None and body.channel is not channel:
        yield Against.CHANNEL, f"is for {body.channel}, not for {channel}"


def _against_person(treatment: Treatment, subject: Subject) -> Iterable[Reason]:
    body = treatment.body
    if body.stages and subject.stage not in body.stages:
        yield Against.STAGE, f"is for the stages {', '.join(body.stages)}, not for {subject.stage}"
    if body.buying_stages and subject.buying_stage not in body.buying_stages:
        yield Against.BUYING_STAGE, f"is for {', '.join(body.buying_stages)}, not for {subject.buying_stage}"
    refused = refusal(body, subject.consent)
    if refused is not None:
        yield Against.CONSENT, refused


def _against_repetition(treatment: Treatment, shown: Shown | None, at: datetime) -> Iterable[Reason]:
    limits = treatment.body.limits
    if shown is None:
        return
    if limits.per_person is not None and shown.times >= limits.per_person:
        yield Against.PER_PERSON, f"was shown {shown.times} of {limits.per_person} times"
    if limits.every_days is not None and at < shown.last_at + timedelta(days=limits.every_days):
        yield Against.EVERY_DAYS, f"was shown at {_told(shown.last_at)}, and is shown once in {limits.every_days} days"


def _ranked(passed: Iterable[tuple[Treatment, Verdict]], subject: Subject) -> tuple[Eligible, ...]:
    ordered = sorted(passed, key=lambda pair: _order(pair[0], subject))
    return tuple(
        Eligible(treatment, rank, "" if rank == 1 else _why_after(treatment, ordered[0][0], subject), verdict.inputs)
        for rank, (treatment, verdict) in enumerate(ordered, 1)
    )


def _order(treatment: Treatment, subject: Subject) -> tuple[int, int, datetime, str]:
    """Priority, then how much it names, then what was shown longest ago, then a lot that is the same each time it is drawn."""
    shown = subject.shown.get(treatment.treatment_id)
    last_at = _NEVER if shown is None else shown.last_at
    return -treatment.body.priority, -treatment.specificity, last_at, hash_id("lot", subject.person_id or "", treatment.treatment_id)


def _why_after(treatment: Treatment, first: Treatment, subject: Subject) -> str:
    if treatment.body.priority < first.body.priority:
        return f"lower priority {treatment.body.priority} < {first.body.priority}"
    if treatment.specificity < first.specificity:
        return f"names less of the situation {treatment.specificity} < {first.specificity}"
    mine, theirs = subject.shown.get(treatment.treatment_id), subject.shown.get(first.treatment_id)
    if mine is not None and (theirs is None or mine.last_at > theirs.last_at):
        return f"was shown already at {_told(mine.last_at)}"
    return "is as good, and the lot fell on the other"


def _told(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
