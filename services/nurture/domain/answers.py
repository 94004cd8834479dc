"""What somebody asks for, and what they are told: the treatment, those that come after it, those that are out, and why."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from contracts.values import JsonObject, Receipt, Value
from services.nurture.domain.selection import Choice, Eligible
from services.nurture.domain.stages import BuyingStage
from services.nurture.domain.treatments import Channel, Content

_TREATMENT = "trt_01J8Z0"


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks for a treatment for whom. `limit`: so many treatments are handed out with their content."""

    person_id: str | None
    channel: Channel | None
    limit: int
    context: JsonObject
    is_test: bool
    is_dry_run: bool

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
    content: Content | None = Field(description="For as many treatments as were asked for by `limit`, the chosen one included; else null")


class WhyNot(Value):
    """A treatment that does not fit."""

    treatment_id: str = Field(examples=[_TREATMENT])
    name: str = Field(examples=["Talk to us"])
    reasons: tuple[str, ...] = Field(examples=[["is for decision, not for awareness"]])


class Answer(Value):
    """Which treatment fits, and why."""

    person_id: str | None = Field(description="Who answers to the id that was asked for; null for a stranger", examples=["per_01J8Z0"])
    stage: str = Field(description="The lifecycle stage", examples=["engaged"])
    buying_stage: BuyingStage
    treatment: Chosen | None = Field(description="Null: nothing fits; `why_not` says why")
    alternatives: tuple[Alternative, ...]
    why_not: tuple[WhyNot, ...]
    receipt: Receipt | None = Field(description="Null for a stranger: there is nobody to hang it on")
    selection_id: str | None = Field(description="Null when nothing was recorded: for a stranger, and for a dry run", examples=["sel_01J8Z0"])
    is_reused: bool = Field(description="The same answer as a moment ago, because nothing changed since")


def answer_to(ask: Ask, place: tuple[str | None, str, BuyingStage], choice: Choice, receipt: Receipt | None, selection_id: str | None) -> Answer:
    """`place`: the person and their two stages."""
    person_id, stage, buying_stage = place
    return Answer(
        person_id=person_id,
        stage=stage,
        buying_stage=buying_stage,
        treatment=None if choice.chosen is None else _chosen(choice.chosen),
        alternatives=tuple(_alternative(one, ask.limit) for one in choice.runners_up),
        why_not=tuple(WhyNot(treatment_id=one.treatment.treatment_id, name=one.treatment.body.name, reasons=one.reasons) for one in choice.refused),
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


def _chosen(one: Eligible) -> Chosen:
    treatment, body = one.treatment, one.treatment.body
    return Chosen(treatment_id=treatment.treatment_id, revision=treatment.revision, name=body.name, channel=body.channel, content=body.content)


def _alternative(one: Eligible, limit: int) -> Alternative:
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
