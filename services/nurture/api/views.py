"""What nurture is asked, and what its answers look like."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from chassis.web.fields import WHOLE, Moment, Truth
from contracts.values import Consent, ConsentChannel, Strength
from people_kernel.api.pages import Current
from rulebook.vocabulary import UnknownPolicy
from services.nurture.domain.rules import BuyingStage
from services.nurture.domain.treatments import Channel, Purpose, TreatmentBody, needs_consent

_FIRST_YEAR, _LAST_YEAR = 1970, 9000  # moments that stay moments in every time zone

StageName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=40, examples=["engaged"])]
Address = Annotated[
    str,
    Field(
        max_length=2000,
        pattern=r"^(https?://\S+|/([^/\s]\S*)?)$",
        examples=["https://www.harbour.example/guide", "/guide"],
    ),
]
ExternalId = Annotated[str, Field(min_length=1, max_length=200, examples=["cms-4711"])]


def _within_reach(moment: datetime) -> datetime:
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise PydanticCustomError("moment", f"A moment between {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment


Edge = Annotated[Moment, AfterValidator(_within_reach)]


class ContentRequest(BaseModel):
    """What is shown or said."""

    model_config = ConfigDict(extra="forbid")

    headline: str = Field(min_length=1, max_length=200, description="The line above it", examples=["How others did it"])
    text: str = Field(
        min_length=1,
        max_length=5000,
        description="What it says",
        examples=["Three companies tell what they changed and what it brought them."],
    )
    url: Address = Field(description="An http address, or a path on the site that shows it")
    image_url: Address | None = Field(
        default=None, description="A picture beside it: an http address or a path; null: none"
    )
    call_to_action: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="The words on the button; null: none",
        examples=["Read their stories"],
    )


class LimitsRequest(BaseModel):
    """How often one person is shown it."""

    model_config = ConfigDict(extra="forbid")

    per_person: Annotated[int, Field(ge=1, le=1000), WHOLE] | None = Field(
        default=None, description="At most so many times", examples=[3]
    )
    every_days: Annotated[int, Field(ge=1, le=3650), WHOLE] | None = Field(
        default=None, description="Not again before so many days have passed", examples=[30]
    )


class TreatmentRequest(BaseModel):
    """A treatment as it should be."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1,
        max_length=200,
        description="What you call it; visitors may read it too",
        examples=["How others did it"],
    )
    channel: Channel = Field(description="By which way it reaches somebody")
    purpose: Purpose = Field(description="What it is for: to sell, or to help somebody understand")
    buying_stages: list[BuyingStage] = Field(
        default=[], max_length=4, description="For people in these; empty: for all"
    )
    stages: list[StageName] = Field(
        default=[], max_length=50, description="For people in these lifecycle stages; empty: for all"
    )
    when: str | None = Field(
        default=None,
        min_length=1,
        max_length=2000,
        description="A condition in CEL over what is known of the person, with `stage.name` and `buying.stage`",
        examples=["company.employees >= 200"],
    )
    unknown: Literal["skip", "false", "true"] = Field(
        default="skip", description="What it means for `when` if a fact is not known"
    )
    priority: Annotated[int, Field(ge=0, le=1000), WHOLE] = Field(
        default=50, description="Of those that fit, the greatest comes first, from 0 to 1000", examples=[50]
    )
    requires_consent: Truth | None = Field(
        default=None, description="Default: true for promotional treatments by email, phone or post"
    )
    limits: LimitsRequest = Field(default=LimitsRequest(), description="How often one person is shown it")
    campaign_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="The campaign it belongs to; null: none",
        examples=["cmp_01J8Z0"],
    )
    content: ContentRequest = Field(description="What is shown or said")
    valid_from: Edge | None = Field(
        default=None, description="It fits from this moment on; null: from now on", examples=["2026-03-01T00:00:00Z"]
    )
    valid_until: Edge | None = Field(
        default=None, description="It ends at this moment", examples=["2026-06-01T00:00:00Z"]
    )
    is_active: Truth = Field(default=True, description="Whether it can be chosen")
    external_id: ExternalId | None = Field(
        default=None, description="What another system calls it; null leaves the one it has"
    )

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> TreatmentRequest:
        if self.valid_from is not None and self.valid_until is not None and self.valid_until <= self.valid_from:
            raise PydanticCustomError("validity", "valid_until should be later than valid_from")
        return self

    def body(self) -> TreatmentBody:
        """The same in the words of the domain."""
        fields = self.model_dump(exclude={"external_id", "requires_consent", "unknown"})
        fields["buying_stages"] = tuple(dict.fromkeys(self.buying_stages))
        fields["stages"] = tuple(dict.fromkeys(self.stages))
        required = needs_consent(self.channel, self.purpose) if self.requires_consent is None else self.requires_consent
        return TreatmentBody(**fields, unknown=UnknownPolicy(self.unknown), requires_consent=required)


class TreatmentView(TreatmentBody):
    """A treatment at one revision."""

    treatment_id: str = Field(description="The treatment's id", examples=["trt_01J8Z0"])
    revision: int = Field(description="Receipts name it: `trt_01J8Z0@3`", examples=[3])
    latest_revision: int = Field(description="The newest revision there is", examples=[3])
    external_id: str | None = Field(description="What another system calls it; null: nothing", examples=["cms-4711"])
    is_starter: bool = Field(description="It came with the installation; switch it off when you have your own")
    created_at: AwareDatetime = Field(description="When it was made", examples=["2026-02-01T08:00:00Z"])
    revised_at: AwareDatetime = Field(description="When this revision was written", examples=["2026-03-01T08:00:00Z"])
    revised_by: str = Field(description="Who wrote this revision", examples=["dana@acme.test"])


class TreatmentsPage(BaseModel):
    """One page of the catalogue."""

    items: list[TreatmentView] = Field(description="The treatments of this page")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one", examples=[None])


class SelectionView(BaseModel):
    """A treatment that was chosen."""

    selection_id: str = Field(description="The selection's id", examples=["sel_01J8Z0"])
    at: AwareDatetime = Field(description="When it was chosen", examples=["2026-03-02T09:30:00Z"])
    occurred_at: AwareDatetime = Field(
        description="When what brought it about happened", examples=["2026-03-02T09:29:58Z"]
    )
    trigger: str = Field(
        description="asked; browsed: asked by a page; or stage, buying_stage: suggested unasked", examples=["asked"]
    )
    treatment_id: str | None = Field(description="Null: nothing fitted", examples=["trt_01J8Z0"])
    revision: int | None = Field(description="Which revision of it was chosen; null: nothing fitted", examples=[3])
    name: str | None = Field(
        description="What you call the treatment; null: nothing fitted", examples=["How others did it"]
    )
    headline: str | None = Field(description="The line above it; null: nothing fitted", examples=["How others did it"])
    channel: Channel | None = Field(description="By which way it reaches them; null: nothing fitted")
    stage: str = Field(description="The lifecycle stage they were in then", examples=["engaged"])
    buying_stage: BuyingStage = Field(description="How far they were with buying then")
    is_permitted: bool = Field(description="Whether consent, as it is now, lets this treatment reach the person")
    is_test: bool = Field(description="Chosen for a test, and counted nowhere")
    sentence: str = Field(
        description="Why, in plain words", examples=["Fits people who compare ways to do it, and was not shown before."]
    )


class ConsentView(BaseModel):
    """What holds for a channel, and the statement that decides it."""

    channel: ConsentChannel = Field(description="The channel; `any` is all of them")
    consent: Consent = Field(description="Whether they may be reached by it")
    occurred_at: AwareDatetime = Field(description="When they said so", examples=["2026-02-11T14:20:00Z"])
    source_id: str = Field(description="The source that told us", examples=["src_01J8Z0"])
    interaction_id: str = Field(description="The interaction in which they said so", examples=["int_01J8Z0"])
    wording: str | None = Field(
        description="The words they agreed to; null: not kept", examples=["Yes, send me the newsletter"]
    )
    strength: Strength = Field(description="How far the statement is believed")


class PersonBrief(BaseModel):
    """Where a person stands, and what was chosen for them."""

    person_id: str = Field(description="The person", examples=["per_01J8Z0"])
    stage: str = Field(description="The lifecycle stage as nurture heard it", examples=["engaged"])
    buying_stage: BuyingStage = Field(description="How far they are with buying")
    treatment: SelectionView | None = Field(description="The latest treatment that was chosen, shown or suggested")
    suggestion: SelectionView | None = Field(description="The latest one suggested to whoever takes care of the person")


class PersonView(PersonBrief):
    """The same with reasons and history."""

    stage_since: AwareDatetime | None = Field(
        description="When the lifecycle stage was entered", examples=["2026-03-02T09:30:00Z"]
    )
    buying_reason: str = Field(
        description="Why they are in this buying stage, in plain words",
        examples=["Comes back and looks around (engaged, B3)."],
    )
    buying_rule: str = Field(description="The rulebook and the rule that decided it", examples=["nurture@1 is_engaged"])
    is_test: bool = Field(description="A test person, who reaches no report")
    consent: list[ConsentView] = Field(description="What counts, by channel")
    selections: list[SelectionView] = Field(description="The latest, newest first, at most 20")


class LookupAnswer(BaseModel):
    """The people found; unknown ids are left out."""

    items: list[PersonBrief] = Field(description="The people found")
    current: Current
