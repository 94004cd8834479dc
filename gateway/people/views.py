"""What a person looks like when all services have been asked. Fields that a service adds are
passed on; these are the ones to rely on.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.values import Consent, ConsentChannel, Money, Receipt

PERSON = "per_01M80JJ5Y0W1TJ1R02BCAFQ80A"
_REP = "rep_51NFZWSYTYHZGXQPZ2RTZ8R8JX"
_REFERRAL = "ref_01M80JQ2V8K3V7ZJ4T9XW2RBCD"


class Part(BaseModel):
    """What one service knows."""

    model_config = ConfigDict(extra="allow")


class LifecyclePart(Part):
    """Where somebody is on the way (`GET /v1/lifecycle/people/{person_id}`)."""

    stage: str | None = Field(
        default=None, description="A stage of the process: `GET /v1/lifecycle/process`", examples=["mql"]
    )
    title: str | None = Field(default=None, description="The stage in words", examples=["Marketing qualified lead"])
    since: AwareDatetime | None = Field(default=None, description="When what brought them there happened")
    entered_at: AwareDatetime | None = Field(default=None, description="When that was decided")
    clocks: list[dict[str, Any]] = Field(default=[], description="The clocks that run, each with when it runs out")
    possible: list[str] = Field(
        default=[], description="The verdicts that can be given now", examples=[["recycle", "disqualify"]]
    )
    receipt: Receipt | None = Field(default=None, description="Why they are there")


class OwnerPart(Part):
    """The rep who takes care of them."""

    rep_id: str | None = Field(default=None, description="The rep", examples=[_REP])
    name: str | None = Field(default=None, description="The rep's name", examples=["Ana Ruiz"])
    since: AwareDatetime | None = Field(
        default=None, description="When they accepted", examples=["2026-03-02T09:30:00Z"]
    )


class ReferralPart(Part):
    """The referral that waits for an answer, or the last one (`GET /v1/referrals/{referral_id}`)."""

    referral_id: str | None = Field(default=None, description="The referral", examples=[_REFERRAL])
    state: str | None = Field(default=None, description="Where it stands", examples=["offered"])
    rep_id: str | None = Field(default=None, description="Who is asked, or accepted; null: nobody", examples=[_REP])
    due_at: AwareDatetime | None = Field(
        default=None, description="When the rep must have answered", examples=["2026-03-02T13:30:00Z"]
    )


class TreatmentPart(Part):
    """The treatment that was chosen last."""

    treatment_id: str | None = Field(
        default=None, description="The treatment", examples=["trt_5DJAJZ480XBQMNE5ZAFDHH2QFH"]
    )
    name: str | None = Field(
        default=None,
        description="What it is called in the catalogue",
        examples=["Guide: planning the first ninety days"],
    )
    at: AwareDatetime | None = Field(default=None, description="When it was chosen", examples=["2026-03-02T09:30:00Z"])
    sentence: str | None = Field(
        default=None,
        description="Why, in plain words",
        examples=["Fits people who compare ways to do it, and was not shown before."],
    )


class TouchPart(Part):
    """A contact with a campaign."""

    campaign_id: str | None = Field(
        default=None, description="The campaign", examples=["cmp_7ZQ4M0E8K3V7ZJ4T9XW2RBCDA1"]
    )
    name: str | None = Field(default=None, description="What it is called", examples=["Spring fair"])
    occurred_at: AwareDatetime | None = Field(
        default=None, description="When they came by it", examples=["2026-02-11T14:20:00Z"]
    )


class PersonView(BaseModel):
    """A person as all services together know them. What a service in `degraded` knows is missing, not absent."""

    model_config = ConfigDict(extra="allow")

    person_id: str = Field(description="The person: the survivor, if they were merged", examples=[PERSON])
    identifiers: list[dict[str, Any]] = Field(
        default=[],
        description="Names they go by, each with how far it is believed",
        examples=[[{"kind": "email", "value": "ada@example.com", "strength": "verified"}]],
    )
    account_id: str | None = Field(
        default=None, description="Their company", examples=["acc_7ZQ4M0E8K3V7ZJ4T9XW2RBCDA1"]
    )
    consent: dict[ConsentChannel, Consent] | None = Field(
        default=None,
        description="The latest word on each channel; `any` stands for all of them",
        examples=[{"email": "granted"}],
    )
    is_test: bool | None = Field(default=None, description="A test walks the whole way and never reaches reports")
    name: str | None = Field(default=None, description="The name to show", examples=["Ada Lovelace"])
    profile: dict[str, Any] | None = Field(
        default=None,
        description=(
            "Attributes, each with value and provenance; words that could not be read stand under"
            " `<attribute>_unreadable`"
        ),
        examples=[{"person.title": {"value": "Head of Operations", "strength": "verified"}}],
    )
    scores: dict[str, Any] | None = Field(
        default=None,
        description="Fit, engagement and grid cell",
        examples=[{"fit": 62.0, "engagement": 31.5, "cell": "B2", "at": "2026-03-02T09:30:00Z"}],
    )
    latest_fact_at: AwareDatetime | None = Field(
        default=None, description="When they last did something", examples=["2026-03-02T09:30:00Z"]
    )
    lifecycle: LifecyclePart | None = Field(default=None, description="Where they are on the way; null: not known")
    owner: OwnerPart | None = Field(default=None, description="The rep who takes care of them; null: nobody")
    referral: ReferralPart | None = Field(
        default=None, description="The referral that waits for an answer, or the last one; null: there was none"
    )
    buying_stage: str | None = Field(
        default=None, description="What they need to hear next", examples=["consideration"]
    )
    treatment: TreatmentPart | None = Field(default=None, description="The treatment that was chosen last; null: none")
    first_touch: TouchPart | None = Field(default=None, description="The first campaign they came by; null: none")
    last_touch: TouchPart | None = Field(default=None, description="The last one before the opportunity")
    revenue: Money | None = Field(default=None, description="Won so far, in the reporting currency")
    degraded: list[str] = Field(
        default=[], description="Services that did not answer; what they know is missing here", examples=[[]]
    )


class PeoplePage(BaseModel):
    """Some people."""

    items: list[PersonView] = Field(description="The people of this page")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one", examples=[None])
    degraded: list[str] = Field(default=[], description="Services that did not answer", examples=[[]])


class ReceiptsPage(BaseModel):
    """Why things were decided as they were, by every service that decides, newest first."""

    items: list[Receipt] = Field(description="The receipts of this page")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one", examples=[None])
    degraded: list[str] = Field(
        default=[], description="Services that did not answer; their receipts are missing here", examples=[[]]
    )


Decider = Literal["scoring", "lifecycle", "nurture", "routing"]
"""A service that decides, and so writes receipts."""
