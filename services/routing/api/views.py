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

    name: _Name = Field(examples=["Ana Ruiz"])
    email: _Email | None = Field(default=None, examples=["ana.ruiz@rapport.example"])
    weight: _Weight = Field(default=1, description="Share of a rotation against the others; 0 gets nothing by rotation")
    capacity: _Capacity | None = Field(default=None, description="Open referrals at most; null: without limit")
    teams: _Teams = Field(default=[], examples=[["enterprise", "west"]])
    is_active: Truth = Field(default=True, description="An inactive rep is asked nothing")
    external_id: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The id in the tool they come from"
    )


class RepPatch(BaseModel):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    # a factory, so that a field may be left out and may not be null
    name: _Name = Field(default_factory=str)
    email: _Email | None = None
    weight: _Weight = Field(default_factory=int)
    capacity: _Capacity | None = Field(default=None, description="null: without limit")
    teams: _Teams = Field(default_factory=list)
    is_active: Truth = Field(default_factory=bool)


class RepView(BaseModel):
    """Somebody who can be asked to take care of a lead."""

    rep_id: str = Field(examples=["rep_01J8Z0"])
    name: str
    email: str | None
    weight: int
    capacity: int | None
    teams: list[str]
    is_active: bool
    external_id: str | None
    open_referrals: int = Field(description="Offered, seen and accepted ones that count for the capacity")


class RepsPage(BaseModel):
    """Reps in the order they came."""

    items: list[RepView]
    next_cursor: str | None


class OwnerRequest(BaseModel):
    """Whose the account is from now on."""

    model_config = ConfigDict(extra="forbid")

    rep_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(description="null: nobody's")


class OwnerView(BaseModel):
    """Whose an account is."""

    account_id: str
    rep_id: str | None
    name: str | None = Field(description="The rep's")
    since: AwareDatetime | None
    by: str | None = Field(description="Who said so")
    displaced: list[OwnerView] = Field(
        default_factory=list,
        description="Owners of the younger accounts that turned out to be this one: the oldest account's owner counts",
    )


class CredentialsView(BaseModel):
    """How a rep, or their tool, reads their alerts on NATS. The password is shown this once."""

    nats_url: str = Field(examples=["nats://127.0.0.1:4222"])
    user: str
    password: str
    stream: str = Field(examples=["ALERTS"])
    durable: str = Field(description="The consumer to bind to; it is there already, and holds the place")
    live_user: str = Field(
        description="The user to connect as, with the same password, to listen to alerts as they come: nobody can say"
        " anything there"
    )
    subject: str = Field(description="What `live_user` listens to: the alerts as they come, beside the stream")
    inbox_prefix: str = Field(description="What the client has to use for its inboxes; no other is open")
    domain: str = Field(description="The JetStream domain, for clients that ask about the consumer before they pull")


ReferralId = Annotated[str, Path(min_length=1, max_length=64, description="A referral", examples=["ref_01J8Z0"])]

_Note = Annotated[str, Field(max_length=2000)]


class AnswerRequest(BaseModel):
    """What a rep has to say about it."""

    model_config = ConfigDict(extra="forbid")

    note: _Note | None = Field(default=None, description="The rep's own words")
    occurred_at: Moment | None = Field(default=None, description="When it happened; default: now")


class ReturnRequest(AnswerRequest):
    """Why a rep gives somebody back."""

    reason: Reason = Field(
        description="`wrong_rep`: another rep is asked; for any other reason the person leaves the stage"
    )


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
