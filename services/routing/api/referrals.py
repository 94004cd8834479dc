"""Referrals over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chassis.auth import Caller, Principal
from chassis.context import Context
from chassis.errors import Forbidden, problem_responses
from chassis.routes import Read
from contracts.values import Receipt
from people_kernel.api.paging import from_cursor, to_cursor
from people_kernel.store.placements import load_fragments_of, survivors
from services.routing.api.views import ReferralDetail, ReferralId, ReferralsPage, offer_view, referral_view
from services.routing.domain.referral import Referral, State
from services.routing.handlers.answering import ReferralNotFound
from services.routing.store.reading import Filters, find_referral, offers_of, receipts_on, referrals_page
from services.routing.store.reps import rep_names
from services.routing.store.tables import FRAGMENT

router = APIRouter(tags=["referrals"])

_SEE_ALL = frozenset({"marketing", "manager", "agent", "ops", "admin"})


class ReferralQuery(BaseModel):
    """Which referrals."""

    state: State | None = Field(default=None, description="Where they stand")
    rep_id: str | None = Field(default=None, min_length=1, max_length=64, description="Who has them")
    person_id: str | None = Field(default=None, min_length=1, max_length=64, description="An id that a merge absorbed answers with the survivor")
    include_test: bool = Field(default=False, description="Also those of tests; with `person_id` they are never left out")
    cursor: str | None = Field(default=None, max_length=128, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="Items on a page")


class NotForYou(Forbidden):
    """A rep sees what they were asked about, and what nobody is asked about."""


@router.get("/v1/referrals")
async def list_referrals(reading: Read, caller: Caller, asked: Annotated[ReferralQuery, Query()]) -> ReferralsPage:
    """Referrals, newest first. A rep sees their own and those that nobody is asked about."""
    person_id = asked.person_id
    if person_id is not None:
        person_id = (await survivors(reading.session, FRAGMENT, [person_id])).get(person_id, person_id)
    includes_tests = asked.include_test or person_id is not None
    filters = Filters(None if asked.state is None else asked.state.value, asked.rep_id, person_id, includes_tests, _limited_to(caller))
    found = await referrals_page(reading.session, filters, from_cursor(asked.cursor), asked.limit + 1)
    names = await rep_names(reading.session, {referral.rep_id for referral in found if referral.rep_id is not None})
    items = [referral_view(referral, names) for referral in found[: asked.limit]]
    return ReferralsPage(items=items, next_cursor=to_cursor(items[-1].created_at, items[-1].referral_id) if len(found) > asked.limit else None)


@router.get("/v1/referrals/{referral_id}", responses=problem_responses(403, 404))
async def read_referral(reading: Read, caller: Caller, referral_id: ReferralId) -> ReferralDetail:
    """One referral: what was known of the person, everybody who was asked, and why."""
    referral = await find_referral(reading.session, referral_id)
    if referral is None:
        raise ReferralNotFound(f"There is no referral {referral_id}")
    rep_id = _limited_to(caller)
    if rep_id is not None and referral.state is not State.UNASSIGNED and rep_id not in (referral.rep_id, *referral.asked):
        raise NotForYou("Other reps are asked about this referral, not you", remedy="Ask a manager")
    return await _detail(reading, referral)


async def _detail(reading: Context, referral: Referral) -> ReferralDetail:
    trail = await offers_of(reading.session, referral.referral_id)
    named = {offer.rep_id for offer in trail} | ({referral.rep_id} if referral.rep_id else set())
    names = await rep_names(reading.session, named)
    owned = (await load_fragments_of(reading.session, FRAGMENT, [referral.person_id]))[referral.person_id]
    receipts = await receipts_on(reading.session, {*owned, referral.fragment_id}, referral.referral_id)
    moved = [Receipt.model_validate_json(referral.move)] if referral.move else []
    return ReferralDetail(
        **referral_view(referral, names).model_dump(),
        profile=dict(sorted(referral.card.attributes.items())),
        scores=referral.card.scores,
        highlights=list(referral.card.highlights),
        trail=[offer_view(offer, names) for offer in trail],
        receipts=[*moved, *receipts],
    )


def _limited_to(caller: Principal) -> str | None:
    """None: sees all; else the rep whose referrals may be seen."""
    return None if caller.roles & _SEE_ALL else caller.rep_id or ""
