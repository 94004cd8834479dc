"""A selection, its receipt, and the event that tells of it. Ids derive from what brought it about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.envelope import Meta
from contracts.events.nurture import TreatmentSelected
from contracts.ids import derive_id, hash_id, with_prefix
from contracts.values import JsonObject, Receipt
from services.nurture.domain.selection import Choice, Eligible, Subject
from services.nurture.domain.stages import Buying
from services.nurture.domain.treatments import Channel

KIND = "treatment.choice"
_RULE = "next_best_treatment"
_MOST_REJECTED = 40  # alternatives that a receipt keeps; the answer has all of them


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a choice is made: somebody asked, or a stage changed. `cause` is the event's id, or that of the request."""

    trigger: str  # asked, stage, buying_stage
    cause: str
    person_id: str
    graph_version: int
    at: datetime
    occurred_at: datetime
    channel: Channel | None
    is_test: bool
    context: JsonObject

    @property
    def selection_id(self) -> str:
        return derive_id("sel", self.at, self.cause, self.trigger, self.person_id)


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice that was made for somebody."""

    occasion: Occasion
    stage: str
    buying: Buying
    choice: Choice
    circumstances: str
    receipt: Receipt

    @property
    def selection_id(self) -> str:
        return self.occasion.selection_id


def circumstances(choice: Choice, subject: Subject, asked: tuple[str, ...]) -> str:
    """One word for all that a choice rests on but for what was shown before; `asked` is what was asked for."""
    return hash_id("cir", *asked, "/", subject.stage, subject.buying_stage.value, "/", *choice.fitting)


def select(occasion: Occasion, subject: Subject, buying: Buying, choice: Choice, asked: tuple[str, ...]) -> Selection:
    """The selection with its receipt."""
    written = _receipt(occasion, subject, buying, choice)
    return Selection(occasion, subject.stage, buying, choice, circumstances(choice, subject, asked), written)


def told(selection: Selection, meta: Meta) -> TreatmentSelected | None:
    """What is said of it; nothing when nothing fitted."""
    chosen, occasion = selection.choice.chosen, selection.occasion
    if chosen is None:
        return None
    body = chosen.treatment.body
    return TreatmentSelected(
        meta=meta,
        person_id=occasion.person_id,
        fragment_id=with_prefix("frg", occasion.person_id),
        graph_version=occasion.graph_version,
        selection_id=selection.selection_id,
        treatment_id=chosen.treatment.treatment_id,
        revision=chosen.treatment.revision,
        channel=body.channel.value,
        campaign_id=body.campaign_id,
        buying_stage=selection.buying.stage.value,
        occurred_at=occasion.occurred_at,
        is_test=occasion.is_test,
        receipt=selection.receipt,
    )


def _receipt(occasion: Occasion, subject: Subject, buying: Buying, choice: Choice) -> Receipt:
    chosen = choice.chosen
    rulebook = buying.rulebook if chosen is None else chosen.treatment.label
    return Receipt(
        receipt_id=derive_id("rcp", occasion.at, occasion.selection_id, KIND),
        at=occasion.at,
        owner="nurture",
        kind=KIND,
        person_id=occasion.person_id,
        fragment_id=with_prefix("frg", occasion.person_id),
        cause_id=occasion.selection_id,
        rule=_RULE,
        rulebook=rulebook,
        inputs=_inputs(occasion, subject, buying, chosen),
        outcome=None if chosen is None else chosen.treatment.treatment_id,
        rejected=_rejected(choice),
        sentence=_sentence(buying, choice),
    )


def _inputs(occasion: Occasion, subject: Subject, buying: Buying, chosen: Eligible | None) -> JsonObject:
    inputs: dict[str, Any] = {
        "trigger": occasion.trigger,
        "cause": occasion.cause,
        "channel": "any" if occasion.channel is None else occasion.channel.value,
        "stage.name": subject.stage,
        "buying.stage": buying.stage.value,
        "buying.rule": f"{buying.rulebook} {buying.rule}",
    }
    if chosen is not None:
        inputs |= {"priority": chosen.treatment.body.priority, **_plain(chosen.inputs)}
        if chosen.treatment.body.requires_consent:
            inputs["consent"] = "granted"
    if occasion.is_test:
        inputs["is_test"] = True
    return inputs | ({"context": occasion.context} if occasion.context else {})


def _plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if isinstance(value, str | int | float | bool)}


def _rejected(choice: Choice) -> tuple[str, ...]:
    after = [f"{one.treatment.body.name} ({one.treatment.treatment_id}): {one.why}" for one in choice.runners_up]
    out = [f"{one.treatment.body.name} ({one.treatment.treatment_id}): {'; '.join(one.reasons)}" for one in choice.refused]
    lines = after + out
    more = len(lines) - _MOST_REJECTED
    return (*lines[:_MOST_REJECTED], f"and {more} more: see the catalogue") if more > 0 else tuple(lines)


def _sentence(buying: Buying, choice: Choice) -> str:
    place = f"{buying.stage.value.capitalize()}: {buying.sentence}"
    chosen = choice.chosen
    if chosen is None:
        count = len(choice.refused)
        return f"{place} Nothing fits: {'there is no treatment' if count == 0 else f'all {count} treatments are out'}."
    body, others = chosen.treatment.body, len(choice.runners_up)
    among = {0: "nothing else fits", 1: "one other fits too"}.get(others, f"{others} others fit too")
    return f"{place} {body.name} ({body.channel.value}) comes first: priority {body.priority}; {among}."
