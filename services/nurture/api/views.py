"""What nurture's answers look like."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from contracts.values import Consent, ConsentChannel
from people_kernel.api.paging import Current
from services.nurture.domain.catalogue import Entry
from services.nurture.domain.stages import BuyingStage
from services.nurture.domain.treatments import Channel, TreatmentBody


class TreatmentView(TreatmentBody):
    """A treatment at one revision."""

    treatment_id: str = Field(examples=["trt_01J8Z0"])
    revision: int = Field(description="Receipts name it: `trt_01J8Z0@3`", examples=[3])
    latest_revision: int = Field(examples=[3])
    external_id: str | None
    is_starter: bool = Field(description="It came with the installation; switch it off when you have your own")
    created_at: AwareDatetime
    revised_at: AwareDatetime
    revised_by: str


class TreatmentsPage(BaseModel):
    """One page of the catalogue."""

    items: list[TreatmentView]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


class SelectionView(BaseModel):
    """A treatment that was chosen."""

    selection_id: str = Field(examples=["sel_01J8Z0"])
    at: AwareDatetime = Field(description="When it was chosen")
    occurred_at: AwareDatetime = Field(description="When what brought it about happened")
    trigger: str = Field(description="asked; or stage, buying_stage: suggested unasked", examples=["asked", "stage"])
    treatment_id: str | None = Field(description="Null: nothing fitted", examples=["trt_01J8Z0"])
    revision: int | None
    name: str | None = Field(examples=["How others did it"])
    headline: str | None
    channel: Channel | None
    stage: str
    buying_stage: BuyingStage
    is_permitted: bool = Field(description="Whether consent, as it is now, lets this treatment reach the person")
    is_test: bool
    sentence: str = Field(description="Why, in plain words")


class ConsentView(BaseModel):
    """What a person last said about a channel."""

    channel: ConsentChannel
    consent: Consent
    occurred_at: AwareDatetime
    source_id: str
    interaction_id: str
    wording: str | None


class PersonBrief(BaseModel):
    """Where a person stands, and what was chosen for them."""

    person_id: str = Field(examples=["per_01J8Z0"])
    stage: str = Field(description="The lifecycle stage as nurture heard it", examples=["engaged"])
    buying_stage: BuyingStage
    treatment: SelectionView | None = Field(description="The latest treatment that was chosen, shown or suggested")
    suggestion: SelectionView | None = Field(description="The latest one suggested to whoever takes care of the person")


class PersonView(PersonBrief):
    """The same with reasons and history."""

    stage_since: AwareDatetime | None = Field(description="When the lifecycle stage was entered")
    buying_reason: str = Field(examples=["Comes back and looks around (engaged, B3)."])
    buying_rule: str = Field(examples=["nurture@1 is_engaged"])
    is_test: bool
    consent: list[ConsentView] = Field(description="What counts, by channel")
    selections: list[SelectionView] = Field(description="The latest, newest first, at most 20")


class LookupAnswer(BaseModel):
    """The people found; unknown ids are left out."""

    items: list[PersonBrief]
    current: Current


def treatment_view(entry: Entry) -> TreatmentView:
    """A treatment as it is told."""
    return TreatmentView(
        **entry.body.model_dump(),
        treatment_id=entry.treatment_id,
        revision=entry.revision,
        latest_revision=entry.latest,
        external_id=entry.external_id,
        is_starter=entry.is_starter,
        created_at=entry.created_at,
        revised_at=entry.revised_at,
        revised_by=entry.revised_by,
    )
