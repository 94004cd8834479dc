"""What requests and answers about reps look like."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from chassis.http.fields import WHOLE, Truth
from services.routing.domain.reps import ANY, Rep

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
    external_id: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(default=None, description="The id in the tool they come from")


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


class CredentialsView(BaseModel):
    """How a rep, or their tool, reads their alerts on NATS. The password is shown this once."""

    nats_url: str = Field(examples=["nats://127.0.0.1:4222"])
    user: str
    password: str
    stream: str = Field(examples=["ALERTS"])
    durable: str = Field(description="The consumer to bind to; it is there already, and holds the place")
    subject: str = Field(description="The alerts as they come, for who wants to listen without the stream")
    inbox_prefix: str = Field(description="What the client has to use for its inboxes; no other is open")
    domain: str = Field(description="The JetStream domain, for clients that ask about the consumer before they pull")


def rep_view(rep: Rep, open_referrals: int) -> RepView:
    return RepView(
        rep_id=rep.rep_id,
        name=rep.name,
        email=rep.email,
        weight=rep.weight,
        capacity=rep.capacity,
        teams=list(rep.teams),
        is_active=rep.is_active,
        external_id=rep.external_id,
        open_referrals=open_referrals,
    )
