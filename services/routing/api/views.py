"""What routing is asked about reps and referrals, and what its answers look like."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from chassis.web.fields import WHOLE, Moment, Truth
from contracts.events.scoring import Attribute
from contracts.values import Receipt, Scores
from people_kernel.api.pages import Current
from services.routing.domain.answers import Reason
from services.routing.domain.assignment import ANY
from services.routing.domain.workspace import Outcome, State

RepId = Annotated[str, Path(min_length=1, max_length=64, description="A rep", examples=["rep_01J8Z0"])]
MANAGING = ("manager", "ops", "admin")
"""Who may change reps and owners, reassign, and answer for a rep."""


def _real_teams(teams: list[str]) -> list[str]:
    if ANY in teams:
        raise PydanticCustomError("team", "any stands for everybody, and cannot be the name of a team")
    return sorted(set(teams))


_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Email = Annotated[str, Field(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")]
_Team = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
_Teams = Annotated[list[_Team], Field(max_length=50), AfterValidator(_real_teams)]
_Weight = Annotated[int, Field(ge=0, le=100), WHOLE]
_Capacity = Annotated[int, Field(ge=0, le=10_000), WHOLE]


class RepRequest(BaseModel):
    """A new rep, or, by `external_id`, one that is known."""

    model_config = ConfigDict(extra="forbid")

    name: _Name = Field(description="Their name, as leads and colleagues read it", examples=["Ana Ruiz"])
    email: _Email | None = Field(
        default=None, description="Where they get mail at work; null: not known", examples=["ana.ruiz@rapport.example"]
    )
    weight: _Weight = Field(
        default=1, description="Share of a rotation against the others; 0 gets nothing by rotation", examples=[2]
    )
    capacity: _Capacity | None = Field(
        default=None, description="Open referrals at most; null: without limit", examples=[40]
    )
    teams: _Teams = Field(
        default=[], description="Teams they belong to; rules can ask a team", examples=[["enterprise", "west"]]
    )
    is_active: Truth = Field(default=True, description="An inactive rep is asked nothing")
    external_id: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The id in the tool they come from", examples=["crm-4711"]
    )


class RepPatch(BaseModel):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    # a factory, so that a field may be left out and may not be null
    name: _Name = Field(default_factory=str, description="Their new name", examples=["Ana Ruiz"])
    email: _Email | None = Field(
        default=None,
        description="Their new address at work; null: none any more",
        examples=["ana.ruiz@rapport.example"],
    )
    weight: _Weight = Field(
        default_factory=int,
        description="Share of a rotation against the others; 0 gets nothing by rotation",
        examples=[2],
    )
    capacity: _Capacity | None = Field(default=None, description="null: without limit", examples=[40])
    teams: _Teams = Field(
        default_factory=list, description="All teams they belong to from now on", examples=[["enterprise", "west"]]
    )
    is_active: Truth = Field(default_factory=bool, description="An inactive rep is asked nothing")


class RepView(BaseModel):
    """Somebody who can be asked to take care of a lead."""

    rep_id: str = Field(description="The rep's id", examples=["rep_01J8Z0"])
    name: str = Field(description="The rep's name", examples=["Ana Ruiz"])
    email: str | None = Field(
        description="Where they get mail at work; null: not known", examples=["ana.ruiz@rapport.example"]
    )
    weight: int = Field(description="Share of a rotation against the others; 0 gets nothing by rotation", examples=[1])
    capacity: int | None = Field(description="Open referrals at most; null: without limit", examples=[40])
    teams: list[str] = Field(description="Teams they belong to", examples=[["enterprise", "west"]])
    is_active: bool = Field(description="Whether they are asked at all")
    external_id: str | None = Field(
        description="The id in the tool they come from; null: none was given", examples=["crm-4711"]
    )
    open_referrals: int = Field(description="Offered, seen and accepted ones that count for the capacity", examples=[3])


class RepsPage(BaseModel):
    """Reps in the order they came."""

    items: list[RepView] = Field(description="The reps of this page")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one", examples=[None])


ReferralId = Annotated[str, Path(min_length=1, max_length=64, description="A referral", examples=["ref_01J8Z0"])]

_Note = Annotated[str, Field(max_length=2000)]


class AnswerRequest(BaseModel):
    """What a rep has to say about it."""

    model_config = ConfigDict(extra="forbid")

    note: _Note | None = Field(
        default=None, description="The rep's own words", examples=["Wants to see it before the end of the month"]
    )
    occurred_at: Moment | None = Field(
        default=None, description="When it happened; default: now", examples=["2026-03-02T09:30:00Z"]
    )


class ReturnRequest(AnswerRequest):
    """Why a rep gives somebody back."""

    reason: Reason = Field(
        description="`wrong_rep`: another rep is asked; for any other reason the person leaves the stage"
    )


class ReassignRequest(BaseModel):
    """Who is to be asked instead."""

    model_config = ConfigDict(extra="forbid")

    rep_id: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        description="The rep who is asked from now on", examples=["rep_01J8Z0"]
    )
    note: _Note | None = Field(default=None, description="Why, in your own words", examples=["Ana is on leave"])


class RepName(BaseModel):
    """A rep, as far as a list needs."""

    rep_id: str = Field(description="The rep's id", examples=["rep_01J8Z0"])
    name: str | None = Field(description="The rep's name; null: not known", examples=["Ana Ruiz"])


class PersonName(BaseModel):
    """Whom a referral is about, as known when it came about."""

    person_id: str = Field(description="The person", examples=["per_01J8Z0"])
    name: str | None = Field(description="Their name; null: not known", examples=["Ada Lovelace"])
    title: str | None = Field(description="Their job title; null: not known", examples=["Head of Operations"])
    company: str | None = Field(
        description="The company they work for; null: not known", examples=["Tidewater Freight"]
    )


class ReferralView(BaseModel):
    """One person, referred to one rep at a time."""

    referral_id: str = Field(description="The referral's id", examples=["ref_01J8Z0"])
    state: State = Field(description="Where it stands")
    person: PersonName = Field(description="Whom it is about")
    rep: RepName | None = Field(description="Who is asked, or takes care of them")
    stage: str = Field(description="The stage that brought it about", examples=["mql"])
    team: str = Field(description="Whom the rulebook names", examples=["any"])
    account_id: str | None = Field(
        description="The company the person belongs to; null: not known", examples=["acc_01J8Z0"]
    )
    attempt: int = Field(description="Reps asked so far", examples=[1])
    created_at: AwareDatetime = Field(description="When it came about", examples=["2026-03-02T09:30:00Z"])
    offered_at: AwareDatetime | None = Field(
        description="When the rep was asked; null: nobody is asked", examples=["2026-03-02T09:30:00Z"]
    )
    due_at: AwareDatetime | None = Field(
        description="When the offer goes on to the next rep", examples=["2026-03-02T13:30:00Z"]
    )
    answered_at: AwareDatetime | None = Field(
        description="When it was accepted or returned; null: not yet", examples=["2026-03-02T10:05:00Z"]
    )
    closed_at: AwareDatetime | None = Field(
        description="When it was over; null: it is not", examples=["2026-03-09T16:00:00Z"]
    )
    closed_because: str | None = Field(
        description="Why it was closed without the rep; null: it was not", examples=["stage_left", "merged"]
    )
    is_overdue: bool = Field(description="The clock of the stage ran out before anybody took it")
    is_test: bool = Field(description="A test referral, which reaches no rep")


class ReferralsPage(BaseModel):
    """Referrals, the newest first."""

    items: list[ReferralView] = Field(description="The referrals of this page")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one", examples=[None])


class OfferView(BaseModel):
    """One rep who was asked, and what became of it."""

    attempt: int = Field(description="Which offer it is, counted from 1", examples=[1])
    rep: RepName = Field(description="Who was asked")
    offered_at: AwareDatetime = Field(description="When they were asked", examples=["2026-03-02T09:30:00Z"])
    due_at: AwareDatetime | None = Field(
        description="Until when they may answer; null: without end", examples=["2026-03-02T13:30:00Z"]
    )
    seen_at: AwareDatetime | None = Field(
        description="When they looked at it; null: they did not", examples=["2026-03-02T09:41:00Z"]
    )
    ended_at: AwareDatetime | None = Field(
        description="When the offer was over; null: it is open", examples=["2026-03-02T10:05:00Z"]
    )
    outcome: Outcome = Field(description="What became of it")
    reason: str | None = Field(description="Why they gave the person back; null: they did not", examples=["bad_timing"])
    note: str | None = Field(
        description="What they had to say about it; null: nothing",
        examples=["Wants to see it before the end of the month"],
    )
    by: str | None = Field(
        description="Who answered it or took it away; null: nobody did", examples=["ana.ruiz@rapport.example"]
    )


class ReferralDetail(ReferralView):
    """A referral with what was known of the person, everybody who was asked, and why."""

    profile: dict[str, Attribute] = Field(
        description="What was known of the person, by attribute",
        examples=[
            {
                "person.title": {
                    "value": "Head of Operations",
                    "strength": "verified",
                    "source_id": "src_01J8Z0",
                    "interaction_id": "int_01J8Z0",
                    "occurred_at": "2026-03-02T09:29:58Z",
                }
            }
        ],
    )
    scores: Scores | None = Field(description="How well the person fits and how engaged they are; null: never told")
    highlights: list[Receipt] = Field(description="What made the score, newest first")
    trail: list[OfferView] = Field(description="Everybody who was asked, oldest first")
    receipts: list[Receipt] = Field(description="The stage move first, then what routing decided, oldest first")


class OwnerOfPerson(BaseModel):
    """The rep who takes care of a person."""

    rep_id: str = Field(description="The rep who accepted them", examples=["rep_01J8Z0"])
    name: str | None = Field(description="The rep's name; null: not known", examples=["Ana Ruiz"])
    since: AwareDatetime | None = Field(
        description="When they accepted; null: not known", examples=["2026-03-02T09:30:00Z"]
    )
    referral_id: str = Field(description="The referral that they accepted", examples=["ref_01J8Z0"])


class ReferralOfPerson(BaseModel):
    """A person's referral: the one that is not over, else the last one."""

    referral_id: str = Field(description="The referral's id", examples=["ref_01J8Z0"])
    state: State = Field(description="Where it stands")
    rep_id: str | None = Field(description="Who is asked or accepted; null: nobody", examples=["rep_01J8Z0"])
    due_at: AwareDatetime | None = Field(
        description="When the offer goes on to the next rep; null: no offer is open", examples=["2026-03-02T13:30:00Z"]
    )


class PersonView(BaseModel):
    """What routing knows of a person."""

    person_id: str = Field(description="The person", examples=["per_01J8Z0"])
    owner: OwnerOfPerson | None = Field(description="Who takes care of them; null: nobody")
    referral: ReferralOfPerson | None = Field(description="Their referral; null: there was none")


class LookupAnswer(BaseModel):
    """The people found; unknown ids are left out."""

    items: list[PersonView] = Field(description="The people found")
    current: Current
