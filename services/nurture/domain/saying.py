"""A selection, its receipt, and the event that tells of it. Ids derive from what brought it about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.envelope import Meta
from contracts.events.nurture import TreatmentSelected
from contracts.ids import derive_id, hash_id, with_prefix
from contracts.limits import RUNNERS_UP
from contracts.values import JsonObject, Receipt
from services.nurture.domain.selection import Choice, Subject
from services.nurture.domain.stages import Buying
from services.nurture.domain.treatments import Channel
from services.nurture.domain.why_not import catalogue_id, written

KIND = "treatment.choice"
CATALOGUE = "catalogue"
AGAINST = "against"
"""Inputs of the receipt: which revision of the catalogue was chosen from, and what spoke against each treatment of it (`why_not`)."""
_RULE = "next_best_treatment"


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
    def catalogue(self) -> tuple[str, list[str]]:
        """Which revision of the catalogue was chosen from: its id, and the treatments in it as receipts name them."""
        return self.receipt.inputs[CATALOGUE], [treatment.label for treatment, _ in self.choice.catalogue]

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
        inputs=_inputs(occasion, subject, buying, choice),
        outcome=None if chosen is None else chosen.treatment.treatment_id,
        rejected=_rejected(choice),
        sentence=_sentence(buying, choice),
    )


def _inputs(occasion: Occasion, subject: Subject, buying: Buying, choice: Choice) -> JsonObject:
    chosen, catalogue = choice.chosen, choice.catalogue
    inputs: dict[str, Any] = {
        "trigger": occasion.trigger,
        "cause": occasion.cause,
        "channel": "any" if occasion.channel is None else occasion.channel.value,
        "stage.name": subject.stage,
        "buying.stage": buying.stage.value,
        "buying.rule": f"{buying.rulebook} {buying.rule}",
        CATALOGUE: catalogue_id([treatment for treatment, _ in catalogue]),
        AGAINST: written([against for _, against in catalogue]),
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
    """The next best with why they come after, and how many there were beside. `why_not` tells of each."""
    lines = [f"{one.treatment.body.name} ({one.treatment.treatment_id}): {one.why}" for one in choice.runners_up[:RUNNERS_UP]]
    more = len(choice.runners_up) - len(lines)
    lines += [f"{more} more come later"] if more else []
    return (*lines, f"{len(choice.refused)} do not fit") if choice.refused else tuple(lines)


def _sentence(buying: Buying, choice: Choice) -> str:
    place = f"{buying.stage.value.capitalize()}: {buying.sentence}"
    chosen = choice.chosen
    if chosen is None:
        count = len(choice.refused)
        return f"{place} Nothing fits: {'there is no treatment' if count == 0 else f'all {count} treatments are out'}."
    body, others = chosen.treatment.body, len(choice.runners_up)
    among = {0: "nothing else fits", 1: "one other fits too"}.get(others, f"{others} others fit too")
    return f"{place} {body.name} ({body.channel.value}) comes first: priority {body.priority}; {among}."
