"""What requests and answers about referrals look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.http.fields import Moment
from contracts.events.scoring import Attribute
from contracts.values import Receipt, Scores
from people_kernel.api.paging import Current
from people_kernel.profile import display_name, text_of
from services.routing.domain.answering import Reason
from services.routing.domain.referral import Offer, Outcome, Referral, State

ReferralId = Annotated[str, Path(min_length=1, max_length=64, description="A referral", examples=["ref_01J8Z0"])]

_Note = Annotated[str, Field(max_length=2000)]


class AnswerRequest(BaseModel):
    """What a rep has to say about it."""

    model_config = ConfigDict(extra="forbid")

    note: _Note | None = Field(default=None, description="The rep's own words")
    occurred_at: Moment | None = Field(default=None, description="When it happened; default: now")


class ReturnRequest(AnswerRequest):
    """Why a rep gives somebody back."""

    reason: Reason = Field(description="`wrong_rep`: another rep is asked; for any other reason the person leaves the stage")


class ReassignRequest(BaseModel):
    """Who is to be asked instead."""

    model_config = ConfigDict(extra="forbid")

    rep_id: Annotated[str, Field(min_length=1, max_length=64)]
    note: _Note | None = None


class RepName(BaseModel):
    """A rep, as far as a list needs."""

    rep_id: str
    name: str | None


class PersonName(BaseModel):
    """Whom a referral is about, as known when it came about."""

    person_id: str
    name: str | None
    title: str | None
    company: str | None


class ReferralView(BaseModel):
    """One person, referred to one rep at a time."""

    referral_id: str
    state: State
    person: PersonName
    rep: RepName | None = Field(description="Who is asked, or takes care of them")
    stage: str = Field(description="The stage that brought it about", examples=["mql"])
    team: str = Field(description="Whom the rulebook names", examples=["any"])
    account_id: str | None
    attempt: int = Field(description="Reps asked so far")
    created_at: AwareDatetime
    offered_at: AwareDatetime | None
    due_at: AwareDatetime | None = Field(description="When the offer goes on to the next rep")
    answered_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    closed_because: str | None = Field(examples=["stage_left", "merged"])
    is_overdue: bool = Field(description="The clock of the stage ran out before anybody took it")
    is_test: bool


class ReferralsPage(BaseModel):
    """Referrals, the newest first."""

    items: list[ReferralView]
    next_cursor: str | None


class OfferView(BaseModel):
    """One rep who was asked, and what became of it."""

    attempt: int
    rep: RepName
    offered_at: AwareDatetime
    due_at: AwareDatetime | None
    seen_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    outcome: Outcome
    reason: str | None
    note: str | None
    by: str | None


class ReferralDetail(ReferralView):
    """A referral with what was known of the person, everybody who was asked, and why."""

    profile: dict[str, Attribute]
    scores: Scores | None
    highlights: list[Receipt] = Field(description="What made the score, newest first")
    trail: list[OfferView]
    receipts: list[Receipt] = Field(description="The stage move first, then what routing decided, oldest first")


class OwnerOfPerson(BaseModel):
    """The rep who takes care of a person."""

    rep_id: str
    name: str | None
    since: AwareDatetime | None
    referral_id: str


class ReferralOfPerson(BaseModel):
    """A person's referral: the one that is not over, else the last one."""

    referral_id: str
    state: State
    rep_id: str | None
    due_at: AwareDatetime | None


class PersonView(BaseModel):
    """What routing knows of a person."""

    person_id: str
    owner: OwnerOfPerson | None
    referral: ReferralOfPerson | None


class LookupAnswer(BaseModel):
    """The people found; unknown ids are left out."""

    items: list[PersonView]
    current: Current


def referral_view(referral: Referral, names: Mapping[str, str]) -> ReferralView:
    attributes = referral.card.attributes
    return ReferralView(
        referral_id=referral.referral_id,
        state=referral.state,
        person=PersonName(
            person_id=referral.person_id,
            name=display_name(attributes),
            title=text_of(attributes, "title"),
            company=text_of(attributes, "company"),
        ),
        rep=None if referral.rep_id is None else RepName(rep_id=referral.rep_id, name=names.get(referral.rep_id)),
        stage=referral.stage,
        team=referral.ground.asking.team,
        account_id=referral.account_id,
        attempt=referral.attempt,
        created_at=referral.created_at,
        offered_at=referral.offered_at,
        due_at=referral.due_at,
        answered_at=referral.answered_at,
        closed_at=referral.closed_at,
        closed_because=referral.closed_because,
        is_overdue=referral.is_overdue,
        is_test=referral.is_test,
    )


def offer_view(offer: Offer, names: Mapping[str, str]) -> OfferView:
    return OfferView(
        attempt=offer.attempt,
        rep=RepName(rep_id=offer.rep_id, name=names.get(offer.rep_id)),
        offered_at=offer.offered_at,
        due_at=offer.due_at,
        seen_at=offer.seen_at,
        ended_at=offer.ended_at,
        outcome=offer.outcome,
        reason=offer.reason,
        note=offer.note,
        by=offer.by,
    )
