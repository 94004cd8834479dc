"""Which treatment fits somebody now: who is out and why, who comes first and why the others come after.

A receipt names the revision of the catalogue that was chosen from, and for each treatment in it what spoke against it,
two characters each: so it stays small however long the catalogue is, and why a treatment was not chosen can be
answered for all of them, in words, years later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntFlag
from typing import Any

from contracts.ids import hash_id
from contracts.limits import AGAINST_CHARACTERS
from contracts.values import Consent, ConsentChannel
from people_kernel.consent import about
from services.nurture.domain.rules import BuyingStage, ConditionResult
from services.nurture.domain.treatments import REACHED_BY, Channel, Treatment, TreatmentBody
from services.nurture.domain.workspace import ConsentByChannel, ShowingCount, Showings

_NEVER = datetime.min.replace(tzinfo=UTC)
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_EACH = 2  # characters of a receipt for each treatment
_WORDS = {
    ConsentChannel.ANY: "any channel",
    ConsentChannel.EMAIL: "e-mail",
    ConsentChannel.PHONE: "phone",
    ConsentChannel.POST: "post",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a treatment is chosen for, with all that the choice may depend on. `person_id` is None for a stranger."""

    person_id: str | None
    stage: str
    buying_stage: BuyingStage
    facts: Mapping[str, Any]
    consent: ConsentByChannel
    shown: Mapping[str, ShowingCount]


@dataclass(frozen=True, slots=True)
class EligibleTreatment:
    """A treatment that fits.

    `rank` counts from 1; `why` says why it comes after the chosen one; `inputs` are the facts its condition read.
    """

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


Objection = tuple[Against, str]
"""What speaks against a treatment, and in words."""


@dataclass(frozen=True, slots=True)
class RefusedTreatment:
    """A treatment that does not fit, with every reason."""

    treatment: Treatment
    reasons: tuple[str, ...]
    against: Against


@dataclass(frozen=True, slots=True)
class TreatmentChoice:
    """What came of it: those that fit, the chosen one first, and those that do not.

    `fitting` are the labels of all that would fit whatever was shown before: while
    they stay the same, so does the situation.
    """

    eligible: tuple[EligibleTreatment, ...]
    refused: tuple[RefusedTreatment, ...]
    fitting: tuple[str, ...]

    @property
    def chosen(self) -> EligibleTreatment | None:
        return self.eligible[0] if self.eligible else None

    @property
    def catalogue(self) -> list[tuple[Treatment, Against]]:
        """All that there was to choose from, in the order of the ids, with what speaks against each."""
        among = [
            *((one.treatment, Against(0)) for one in self.eligible),
            *((one.treatment, one.against) for one in self.refused),
        ]
        return sorted(among, key=lambda pair: pair[0].treatment_id)

    @property
    def runners_up(self) -> tuple[EligibleTreatment, ...]:
        return self.eligible[1:]


def shown_to(shown: Showings, fragment_ids: Collection[str], *, with_tests: bool) -> dict[str, ShowingCount]:
    """Treatment -> how often, over all fragments of a person. What a test saw counts for tests alone."""
    counted: dict[str, ShowingCount] = {}
    for (fragment_id, treatment_id, is_test), one in shown.items():
        if fragment_id in fragment_ids and (with_tests or not is_test):
            before = counted.get(treatment_id)
            counted[treatment_id] = one if before is None else before.added(one)
    return counted


def choose(treatments: Iterable[Treatment], subject: Subject, channel: Channel | None, at: datetime) -> TreatmentChoice:
    """Weighs every treatment once. `channel` None: any."""
    facts = {**subject.facts, "stage.name": subject.stage, "buying.stage": subject.buying_stage.value}
    passed: list[tuple[Treatment, ConditionResult]] = []
    refused, fitting = [], []
    for treatment in sorted(treatments, key=lambda one: one.treatment_id):
        verdict = treatment.condition.weigh(facts) if treatment.condition else ConditionResult(True, {})
        condition = () if verdict.holds else ((Against.CONDITION, verdict.why),)
        lasting = (*_against_offer(treatment, channel, at), *_against_person(treatment, subject), *condition)
        reasons = (*lasting, *_against_repetition(treatment, subject.shown.get(treatment.treatment_id), at))
        if not lasting:
            fitting.append(treatment.label)
        if reasons:
            refused.append(
                RefusedTreatment(treatment, tuple(why for _, why in reasons), Against(sum(one for one, _ in reasons)))
            )
        else:
            passed.append((treatment, verdict))
    return TreatmentChoice(_ranked(passed, subject), tuple(refused), tuple(fitting))


def _against_offer(treatment: Treatment, channel: Channel | None, at: datetime) -> Iterable[Objection]:
    body = treatment.body
    if not body.is_active:
        yield Against.SWITCHED_OFF, "is switched off"
    if body.valid_from is not None and at < body.valid_from:
        yield Against.NOT_BEGUN, f"begins only at {_told(body.valid_from)}"
    if body.valid_until is not None and at >= body.valid_until:
        yield Against.ENDED, f"ended at {_told(body.valid_until)}"
    if channel is not None and body.channel is not channel:
        yield Against.CHANNEL, f"is for {body.channel}, not for {channel}"


def _against_person(treatment: Treatment, subject: Subject) -> Iterable[Objection]:
    body = treatment.body
    if body.stages and subject.stage not in body.stages:
        yield Against.STAGE, f"is for the stages {', '.join(body.stages)}, not for {subject.stage}"
    if body.buying_stages and subject.buying_stage not in body.buying_stages:
        yield Against.BUYING_STAGE, f"is for {', '.join(body.buying_stages)}, not for {subject.buying_stage}"
    refused = refusal(body, subject.consent)
    if refused is not None:
        yield Against.CONSENT, refused


def refusal(body: TreatmentBody, consent: ConsentByChannel) -> str | None:
    """Why a treatment may not reach this person; None when it may.

    A withdrawal refuses whatever goes to where somebody is, wanted or not; a web page is where they came themselves.
    """
    own = REACHED_BY.get(body.channel, ConsentChannel.ANY)
    counting = about(own, consent)
    if (
        counting is not None
        and counting.consent is Consent.WITHDRAWN
        and (body.requires_consent or body.channel is not Channel.WEB)
    ):
        withdrawal = counting.deciding
        return f"has withdrawn consent to {_WORDS[withdrawal.channel]} ({withdrawal.occurred_at:%Y-%m-%d})"
    if body.requires_consent and counting is None:
        return f"has not consented to {_WORDS[own]}"
    return None


def _against_repetition(treatment: Treatment, shown: ShowingCount | None, at: datetime) -> Iterable[Objection]:
    limits = treatment.body.limits
    if shown is None:
        return
    if limits.per_person is not None and shown.times >= limits.per_person:
        yield Against.PER_PERSON, f"was shown {shown.times} of {limits.per_person} times"
    if limits.every_days is not None and at < shown.last_at + timedelta(days=limits.every_days):
        yield Against.EVERY_DAYS, f"was shown at {_told(shown.last_at)}, and is shown once in {limits.every_days} days"


def _ranked(passed: Iterable[tuple[Treatment, ConditionResult]], subject: Subject) -> tuple[EligibleTreatment, ...]:
    ordered = sorted(passed, key=lambda pair: _order(pair[0], subject))
    return tuple(
        EligibleTreatment(
            treatment, rank, "" if rank == 1 else _why_after(treatment, ordered[0][0], subject), verdict.inputs
        )
        for rank, (treatment, verdict) in enumerate(ordered, 1)
    )


def _order(treatment: Treatment, subject: Subject) -> tuple[int, int, datetime, str]:
    """Priority, then how much it names, then what was shown longest ago, then a lot that is the same each time it is
    drawn.
    """
    shown = subject.shown.get(treatment.treatment_id)
    last_at = _NEVER if shown is None else shown.last_at
    return (
        -treatment.body.priority,
        -treatment.specificity,
        last_at,
        hash_id("lot", subject.person_id or "", treatment.treatment_id),
    )


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


def catalogue_id(treatments: Sequence[Treatment]) -> str:
    """Which revision of the catalogue this is: the same for the same treatments at the same revisions."""
    return hash_id("cat", *(treatment.label for treatment in treatments))


def encode_against(against: Sequence[Against]) -> str:
    """What speaks against each of a catalogue, in its order; of those beyond AGAINST_CHARACTERS nothing is kept."""
    return "".join(_DIGITS[one >> 5] + _DIGITS[one & 31] for one in against[: AGAINST_CHARACTERS // _EACH])


def decode_against(text: str) -> list[Against]:
    """What `encode_against` wrote. Raises ValueError."""
    return [Against(int(text[place : place + _EACH], 32)) for place in range(0, len(text), _EACH)]


def reasons_in_words(against: Against, body: TreatmentBody, inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Every reason, as far as it can be told from what the treatment was and from the inputs of the receipt."""
    return tuple(_words(against, body, inputs))


def _words(against: Against, body: TreatmentBody, inputs: Mapping[str, Any]) -> Iterator[str]:
    limits = body.limits
    told = {
        Against.SWITCHED_OFF: "was switched off",
        Against.NOT_BEGUN: f"begins only at {body.valid_from}",
        Against.ENDED: f"ended at {body.valid_until}",
        Against.CHANNEL: f"is for {body.channel}, not for {inputs.get('channel')}",
        Against.STAGE: f"is for the stages {', '.join(body.stages)}, not for {inputs.get('stage.name')}",
        Against.BUYING_STAGE: f"is for {', '.join(body.buying_stages)}, not for {inputs.get('buying.stage')}",
        Against.CONSENT: "had no consent to reach them",
        Against.CONDITION: f"it did not hold, or could not be said, that {body.when}",
        Against.PER_PERSON: f"was shown {limits.per_person} times already, which is as often as it may be",
        Against.EVERY_DAYS: f"was shown less than {limits.every_days} days before",
    }
    return (words for flag, words in told.items() if flag in against)
