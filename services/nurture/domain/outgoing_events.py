"""What is told of a choice: its receipt, the event, and the answer to whoever asked.

Ids derive from what brought it about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from contracts.envelope import Meta
from contracts.events.nurture import TreatmentSelected
from contracts.ids import derive_id, hash_id, with_prefix
from contracts.limits import RUNNERS_UP
from contracts.values import JsonObject, Receipt, Value
from rulebook.inputs import is_band
from services.nurture.domain.browsers import BrowserCard
from services.nurture.domain.rules import Buying, BuyingStage
from services.nurture.domain.selection import EligibleTreatment, Subject, TreatmentChoice, catalogue_id, encode_against
from services.nurture.domain.treatments import Channel, Content
from services.nurture.domain.workspace import Occasion

KIND = "treatment.choice"
CATALOGUE = "catalogue"
AGAINST = "against"
"""Inputs of the receipt: which revision of the catalogue was chosen from, and what spoke
against each treatment of it (`why_not`).
"""
_RULE = "next_best_treatment"
_TREATMENT = "trt_01J8Z0"  # in the examples of the published document


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice that was made for somebody."""

    occasion: Occasion
    stage: str
    buying: Buying
    choice: TreatmentChoice
    circumstances: str
    receipt: Receipt

    @property
    def catalogue(self) -> tuple[str, list[str]]:
        """Which revision of the catalogue was chosen from: its id, and the treatments in it as receipts name them."""
        return self.receipt.inputs[CATALOGUE], [treatment.label for treatment, _ in self.choice.catalogue]

    @property
    def selection_id(self) -> str:
        return self.occasion.selection_id


def circumstances(choice: TreatmentChoice, subject: Subject, asked: tuple[str, ...]) -> str:
    """One word for all that a choice rests on but for what was shown before; `asked` is what was asked for."""
    return hash_id("cir", *asked, "/", subject.stage, subject.buying_stage.value, "/", *choice.fitting)


def make_selection(
    occasion: Occasion, subject: Subject, buying: Buying, choice: TreatmentChoice, asked: tuple[str, ...]
) -> Selection:
    """The selection with its receipt."""
    receipt = _receipt(occasion, subject, buying, choice)
    return Selection(occasion, subject.stage, buying, choice, circumstances(choice, subject, asked), receipt)


def treatment_selected(selection: Selection, meta: Meta) -> TreatmentSelected | None:
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


def _receipt(occasion: Occasion, subject: Subject, buying: Buying, choice: TreatmentChoice) -> Receipt:
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


def _inputs(occasion: Occasion, subject: Subject, buying: Buying, choice: TreatmentChoice) -> JsonObject:
    chosen, catalogue = choice.chosen, choice.catalogue
    inputs: dict[str, Any] = {
        "trigger": occasion.trigger,
        "cause": occasion.cause,
        "channel": "any" if occasion.channel is None else occasion.channel.value,
        "stage.name": subject.stage,
        "buying.stage": buying.stage.value,
        "buying.rule": f"{buying.rulebook} {buying.rule}",
        CATALOGUE: catalogue_id([treatment for treatment, _ in catalogue]),
        AGAINST: encode_against([against for _, against in catalogue]),
    }
    if chosen is not None:
        inputs |= {"priority": chosen.treatment.body.priority, **_plain(chosen.inputs)}
        if chosen.treatment.body.requires_consent:
            inputs["consent"] = "granted"
    if occasion.is_test:
        inputs["is_test"] = True
    return inputs | ({"context": occasion.context} if occasion.context else {})


def _plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in inputs.items() if isinstance(value, str | int | float | bool)}
    return plain | {name: dict(value) for name, value in inputs.items() if is_band(value)}


def _rejected(choice: TreatmentChoice) -> tuple[str, ...]:
    """The next best with why they come after, and how many there were beside. `why_not` tells of each."""
    lines = [
        f"{one.treatment.body.name} ({one.treatment.treatment_id}): {one.why}" for one in choice.runners_up[:RUNNERS_UP]
    ]
    more = len(choice.runners_up) - len(lines)
    lines += [f"{more} more come later"] if more else []
    return (*lines, f"{len(choice.refused)} do not fit") if choice.refused else tuple(lines)


def _sentence(buying: Buying, choice: TreatmentChoice) -> str:
    place = f"{buying.stage.value.capitalize()}: {buying.sentence}"
    chosen = choice.chosen
    if chosen is None:
        count = len(choice.refused)
        return f"{place} Nothing fits: {'there is no treatment' if count == 0 else f'all {count} treatments are out'}."
    body, others = chosen.treatment.body, len(choice.runners_up)
    among = {0: "nothing else fits", 1: "one other fits too"}.get(others, f"{others} others fit too")
    return f"{place} {body.name} ({body.channel.value}) comes first: priority {body.priority}; {among}."


@dataclass(frozen=True, slots=True)
class TreatmentQuery:
    """Who asks for a treatment for whom: a person, a browser, or a stranger. `limit`: so many treatments are handed out
    with their content.
    """

    person_id: str | None
    channel: Channel | None
    limit: int
    context: JsonObject
    is_test: bool
    is_dry_run: bool
    browser: BrowserCard | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What of it a repeated question must have in common with the first."""
        return self.channel or "any", str(self.limit), "test" if self.is_test else "real"


class Chosen(Value):
    """The treatment that fits best."""

    treatment_id: str = Field(examples=[_TREATMENT])
    revision: int
    name: str = Field(examples=["How others did it"])
    channel: Channel
    content: Content


class Alternative(Value):
    """A treatment that fits too."""

    treatment_id: str = Field(examples=[_TREATMENT])
    revision: int
    name: str = Field(examples=["A comparison of the ways to do it"])
    channel: Channel
    rank: int = Field(description="2 is the first after the chosen one", examples=[2])
    why: str = Field(description="Why it comes after the chosen one", examples=["lower priority 40 < 60"])
    content: Content | None = Field(
        description="For as many treatments as were asked for by `limit`, the chosen one included; else null"
    )


class WhyNot(Value):
    """A treatment that does not fit."""

    treatment_id: str = Field(examples=[_TREATMENT])
    name: str = Field(examples=["Talk to us"])
    reasons: tuple[str, ...] = Field(examples=[["is for decision, not for awareness"]])


class Answer(Value):
    """Which treatment fits, and why."""

    person_id: str | None = Field(
        description="Who answers to the id that was asked for; null for a stranger", examples=["per_01J8Z0"]
    )
    stage: str = Field(description="The lifecycle stage", examples=["engaged"])
    buying_stage: BuyingStage
    treatment: Chosen | None = Field(description="Null: nothing fits; `why_not` says why")
    alternatives: tuple[Alternative, ...]
    why_not: tuple[WhyNot, ...]
    receipt: Receipt | None = Field(description="Null for a stranger: there is nobody to hang it on")
    selection_id: str | None = Field(
        description="Null when nothing was recorded: for a stranger, and for a dry run", examples=["sel_01J8Z0"]
    )
    is_reused: bool = Field(description="The same answer as a moment ago, because nothing changed since")


def answer_to(
    ask: TreatmentQuery,
    place: tuple[str | None, str, BuyingStage],
    choice: TreatmentChoice,
    receipt: Receipt | None,
    selection_id: str | None,
) -> Answer:
    """`place`: the person and their two stages."""
    person_id, stage, buying_stage = place
    return Answer(
        person_id=person_id,
        stage=stage,
        buying_stage=buying_stage,
        treatment=None if choice.chosen is None else _chosen(choice.chosen),
        alternatives=tuple(_alternative(one, ask.limit) for one in choice.runners_up),
        why_not=tuple(
            WhyNot(treatment_id=one.treatment.treatment_id, name=one.treatment.body.name, reasons=one.reasons)
            for one in choice.refused
        ),
        receipt=receipt,
        selection_id=selection_id,
        is_reused=False,
    )


def given_again(text: str, person_id: str) -> Answer:
    """An answer that was recorded, for whoever answers to the person now."""
    answer = Answer.model_validate_json(text)
    receipt = None if answer.receipt is None else answer.receipt.model_copy(update={"person_id": person_id})
    return answer.model_copy(update={"person_id": person_id, "receipt": receipt, "is_reused": True})


def handed_out(answer: Answer) -> list[str]:
    """The treatments whose content the answer holds."""
    first = [] if answer.treatment is None else [answer.treatment.treatment_id]
    return first + [one.treatment_id for one in answer.alternatives if one.content is not None]


def _chosen(one: EligibleTreatment) -> Chosen:
    treatment, body = one.treatment, one.treatment.body
    return Chosen(
        treatment_id=treatment.treatment_id,
        revision=treatment.revision,
        name=body.name,
        channel=body.channel,
        content=body.content,
    )


def _alternative(one: EligibleTreatment, limit: int) -> Alternative:
    treatment, body = one.treatment, one.treatment.body
    return Alternative(
        treatment_id=treatment.treatment_id,
        revision=treatment.revision,
        name=body.name,
        channel=body.channel,
        rank=one.rank,
        why=one.why,
        content=body.content if one.rank <= limit else None,
    )
