"""What nurture is asked, and what its answers look like."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from chassis.web.fields import WHOLE, Moment, Truth
from contracts.events.scoring import Attribute
from contracts.values import Consent, ConsentChannel, Scores, Strength
from people_kernel.api.pages import Current
from rulebook.vocabulary import UnknownPolicy
from services.nurture.domain.browsers import BrowserCard
from services.nurture.domain.outgoing_events import TreatmentQuery
from services.nurture.domain.rules import BuyingStage
from services.nurture.domain.treatments import CatalogueEntry, Channel, Purpose, TreatmentBody, needs_consent

_LONGEST_CONTEXT = 2_000  # bytes of JSON; it is kept in every receipt
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


def _short(context: dict[str, Any]) -> dict[str, Any]:
    try:
        length = len(orjson.dumps(context))
    except (TypeError, orjson.JSONEncodeError):
        raise PydanticCustomError(
            "context", "The context should be plain JSON: numbers of 64 bits at most, and well-formed text"
        ) from None
    if length > _LONGEST_CONTEXT:
        raise PydanticCustomError(
            "context", f"The context should have at most {_LONGEST_CONTEXT} bytes as JSON; it has {length}"
        )
    return context


Edge = Annotated[Moment, AfterValidator(_within_reach)]


class ContentRequest(BaseModel):
    """What is shown or said."""

    model_config = ConfigDict(extra="forbid")

    headline: str = Field(min_length=1, max_length=200, examples=["How others did it"])
    text: str = Field(
        min_length=1, max_length=5000, examples=["Three companies tell what they changed and what it brought them."]
    )
    url: Address = Field(description="An http address, or a path on the site that shows it")
    image_url: Address | None = None
    call_to_action: str | None = Field(default=None, min_length=1, max_length=100, examples=["Read their stories"])


class LimitsRequest(BaseModel):
    """How often one person is shown it."""

    model_config = ConfigDict(extra="forbid")

    per_person: Annotated[int, Field(ge=1, le=1000), WHOLE] | None = Field(
        default=None, description="At most so many times"
    )
    every_days: Annotated[int, Field(ge=1, le=3650), WHOLE] | None = Field(
        default=None, description="Not again before so many days have passed"
    )


class TreatmentRequest(BaseModel):
    """A treatment as it should be."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, examples=["How others did it"])
    channel: Channel
    purpose: Purpose
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
    priority: Annotated[int, Field(ge=0, le=1000), WHOLE] = 50
    requires_consent: Truth | None = Field(
        default=None, description="Default: true for promotional treatments by email, phone or post"
    )
    limits: LimitsRequest = LimitsRequest()
    campaign_id: str | None = Field(default=None, min_length=1, max_length=64, examples=["cmp_01J8Z0"])
    content: ContentRequest
    valid_from: Edge | None = None
    valid_until: Edge | None = Field(default=None, description="It ends at this moment")
    is_active: Truth = True
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


class SelectRequest(BaseModel):
    """Whom a treatment is wanted for. Without `person_id`, or with one nobody answers to, for a stranger."""

    model_config = ConfigDict(extra="forbid")

    person_id: str | None = Field(default=None, min_length=1, max_length=64, examples=["per_01J8Z0"])
    channel: Channel | Literal["any"] = Field(
        default=Channel.WEB, description="Where it is to be shown; `any`: whatever fits best"
    )
    limit: Annotated[int, Field(ge=1, le=5), WHOLE] = Field(
        default=1, description="So many treatments are answered with their content"
    )
    context: Annotated[dict[str, JsonValue], AfterValidator(_short)] = Field(
        default={},
        description="Where it is asked, kept in the receipt; at most 2,000 bytes",
        examples=[{"page": {"path": "/pricing"}}],
    )
    dry_run: Truth = Field(default=False, description="Choose, and record nothing")
    is_test: Truth = Field(
        default=False, description="Asked by a test source: recorded as a test, and no limit is used up"
    )

    def ask(self) -> TreatmentQuery:
        """The same in the words of the domain."""
        channel = None if self.channel == "any" else Channel(self.channel)
        return TreatmentQuery(self.person_id, channel, self.limit, self.context, self.is_test, self.dry_run)


class AskingBrowser(BaseModel):
    """A browser as scoring tells of it."""

    model_config = ConfigDict(extra="forbid")

    fragment_id: str = Field(min_length=1, max_length=64, examples=["frg_01J8Z0"])
    profile: dict[str, Attribute] = Field(description="What was told in it, by attribute")
    scores: Scores
    is_named: Truth = Field(description="Whether somebody told a user id, an address or a number in it")


class BrowserSelectRequest(BaseModel):
    """Which browser a treatment is wanted for, to be shown on a page; without one, for a stranger."""

    model_config = ConfigDict(extra="forbid")

    browser: AskingBrowser | None = None
    limit: Annotated[int, Field(ge=1, le=5), WHOLE] = Field(
        default=1, description="So many treatments are answered with their content"
    )
    context: Annotated[dict[str, JsonValue], AfterValidator(_short)] = Field(
        default={}, description="Where it is asked, kept in the receipt; at most 2,000 bytes"
    )
    is_test: Truth = Field(default=False, description="Asked by a test source")

    def ask(self) -> TreatmentQuery:
        """The same in the words of the domain."""
        told = self.browser
        card = None if told is None else BrowserCard(told.fragment_id, told.profile, told.scores, told.is_named)
        return TreatmentQuery(None, Channel.WEB, self.limit, self.context, self.is_test, False, card)


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
    trigger: str = Field(
        description="asked; browsed: asked by a page; or stage, buying_stage: suggested unasked", examples=["asked"]
    )
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
    """What holds for a channel, and the statement that decides it."""

    channel: ConsentChannel
    consent: Consent
    occurred_at: AwareDatetime
    source_id: str
    interaction_id: str
    wording: str | None
    strength: Strength = Field(description="How far the statement is believed")


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


def treatment_view(entry: CatalogueEntry) -> TreatmentView:
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
