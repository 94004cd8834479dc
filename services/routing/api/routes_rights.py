"""What somebody may see who does not see everybody, asked by the gateway before it passes on what they ask.

Who asks stands in the token: the rep, and the teams. One local transaction answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from chassis.context import Context
from chassis.web.auth import Caller, Principal
from chassis.web.routes import Read
from people_kernel.store.people import survivors
from services.routing.domain.rights import RepSeat
from services.routing.store.queries import owners_of
from services.routing.store.queries.rights import RepSight, Stretch, stretch_of, view_from, visible
from services.routing.store.tables import FRAGMENT

router = APIRouter(tags=["routing"])

_SEE_ALL = frozenset({"marketing", "agent", "ops", "admin"})
_MOST = 1_000
_Id = Annotated[str, Field(min_length=1, max_length=64)]


class RightsQuestion(BaseModel):
    """Of whom it is asked whether the caller may see them."""

    model_config = ConfigDict(extra="forbid")

    person_ids: list[_Id] = Field(default=[], max_length=_MOST, examples=[["per_01J8Z0"]])
    account_ids: list[_Id] = Field(default=[], max_length=_MOST, description="Seen is one that a rep they see owns")
    rep_ids: list[_Id] = Field(default=[], max_length=_MOST, description="Seen is the rep they are, and colleagues")


class RightsAnswer(BaseModel):
    """Those who may be seen; the others are left out, whether they are there or not."""

    person_ids: list[str] = Field(description="As they were asked for; also ids that a merge absorbed")
    account_ids: list[str]
    rep_ids: list[str]


class LeadsQuestion(BaseModel):
    """A part of the people whom the caller may see, in the order of their ids."""

    model_config = ConfigDict(extra="forbid")

    after: str = Field(default="", max_length=64, description="The id that the part before ended with")
    until: _Id | None = Field(default=None, description="Where the part ends, if that is known")
    limit: int = Field(default=_MOST, ge=1, le=_MOST)


class LeadsAnswer(BaseModel):
    """The people of the part. `until`: where it ends; null where nobody follows."""

    person_ids: list[str]
    until: str | None


@router.post("/v1/routing/rights:check")
async def check_rights(reading: Read, caller: Caller, asked: RightsQuestion) -> RightsAnswer:
    """Which of these the caller may see."""
    seat = seat_of(caller)
    if seat is None:
        return RightsAnswer(**asked.model_dump())
    view = await view_from(reading.session, seat)
    owners = await owners_of(reading.session, asked.account_ids)
    return RightsAnswer(
        person_ids=await _seen_people(reading, view, asked.person_ids),
        account_ids=[one for one in asked.account_ids if owners.get(one) in view.reps],
        rep_ids=[one for one in asked.rep_ids if one in view.reps],
    )


@router.post("/v1/routing/rights:leads")
async def list_leads(reading: Read, caller: Caller, asked: LeadsQuestion) -> LeadsAnswer:
    """Whom the caller may see who does not see everybody: their own leads, their teams', and those whom nobody has."""
    seat = seat_of(caller) or RepSeat(caller.rep_id, caller.teams)
    view = await view_from(reading.session, seat)
    found, until = await stretch_of(reading.session, view, Stretch(asked.after, asked.until, asked.limit))
    return LeadsAnswer(person_ids=found, until=until)


def seat_of(caller: Principal) -> RepSeat | None:
    """Where the caller sits; None: they see everybody. A manager who leads no team in particular leads all."""
    if caller.roles & _SEE_ALL or ("manager" in caller.roles and not caller.teams):
        return None
    return RepSeat(caller.rep_id, caller.teams)


async def _seen_people(reading: Context, view: RepSight, person_ids: Sequence[str]) -> list[str]:
    current = await survivors(reading.session, FRAGMENT, set(person_ids))
    seen = await visible(reading.session, view, sorted(set(current.values())))
    return [one for one in person_ids if current.get(one) in seen]
