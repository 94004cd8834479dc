"""Referrals: reps answer, everybody reads, and who takes care of whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chassis.context import Context
from chassis.errors import BadInput
from chassis.web.auth import Caller, Principal, require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from contracts.values import Receipt
from people_kernel.api.pages import LookupRequest, from_cursor, to_cursor
from people_kernel.profile import display_name, text_of
from people_kernel.store.people import load_fragments_of, survivors
from services.routing.api.routes_rights import seat_of
from services.routing.api.views import (
    MANAGING,
    AnswerRequest,
    LookupAnswer,
    OfferView,
    OwnerOfPerson,
    PersonName,
    PersonView,
    ReassignRequest,
    ReferralDetail,
    ReferralId,
    ReferralOfPerson,
    ReferralsPage,
    ReferralView,
    RepName,
    ReturnRequest,
)
from services.routing.commands import (
    ReferralNotFound,
    RepAnswer,
    accept_referral,
    reassign_referral,
    return_referral,
    see_referral,
)
from services.routing.domain.answers import Asker
from services.routing.domain.workspace import Offer, Referral, State
from services.routing.store.queries import (
    ReferralFilter,
    find_referral,
    offers_of,
    receipts_on,
    referrals_of,
    referrals_page,
    rep_names,
)
from services.routing.store.queries.rights import view_from
from services.routing.store.tables import FRAGMENT

router = APIRouter(tags=["referrals"])
people_router = APIRouter(tags=["routing"])

_REFUSALS = problem_responses(403, 404, 409)
_AHEAD = timedelta(minutes=1)  # clocks differ by less


class ReferralQuery(BaseModel):
    """Which referrals."""

    state: State | None = Field(default=None, description="Where they stand")
    rep_id: str | None = Field(default=None, min_length=1, max_length=64, description="Who has them")
    person_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="An id that a merge absorbed answers with the survivor"
    )
    include_test: bool = Field(
        default=False, description="Also those of tests; with `person_id` they are never left out"
    )
    cursor: str | None = Field(default=None, max_length=1_000, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="Items on a page")


@router.post("/v1/referrals/{referral_id}:see", name="see_referral", responses=_REFUSALS)
async def see(writing: Write, caller: Caller, referral_id: ReferralId) -> ReferralView:
    """The rep looked at it. It is still to be answered."""
    await _refuse_unseen(writing, caller, referral_id)
    return await _view(writing, await see_referral(referral_id, RepAnswer(_asker(caller)), writing))


@router.post("/v1/referrals/{referral_id}:accept", name="accept_referral", responses=_REFUSALS)
async def accept(
    writing: Write, caller: Caller, referral_id: ReferralId, body: AnswerRequest | None = None
) -> ReferralView:
    """The rep takes care of this person from now on. Only who is asked may; what is unassigned any rep may
    take. Again by the same: nothing changes.

    After the offer went on, 409 says to whom and when.
    """
    await _refuse_unseen(writing, caller, referral_id)
    answer = _answer(caller, writing, body or AnswerRequest())
    return await _view(writing, await accept_referral(referral_id, answer, writing))


@router.post("/v1/referrals/{referral_id}:return", name="return_referral", responses=_REFUSALS)
async def give_back(writing: Write, caller: Caller, referral_id: ReferralId, body: ReturnRequest) -> ReferralView:
    """The rep gives this person back, also one that was accepted before. With `wrong_rep` the next rep is asked."""
    await _refuse_unseen(writing, caller, referral_id)
    return await _view(
        writing, await return_referral(referral_id, body.reason, _answer(caller, writing, body), writing)
    )


@router.post("/v1/referrals/{referral_id}:reassign", name="reassign_referral", responses=_REFUSALS)
async def reassign(writing: Write, caller: Caller, referral_id: ReferralId, body: ReassignRequest) -> ReferralView:
    """Somebody in charge gives it to another rep, whatever their turn, team or capacity. They are
    asked, and have to answer like anybody else.
    """
    require(caller, *MANAGING)
    await _refuse_unseen(writing, caller, referral_id)
    return await _view(
        writing, await reassign_referral(referral_id, body.rep_id, RepAnswer(_asker(caller), body.note), writing)
    )


def _asker(caller: Principal) -> Asker:
    return Asker(caller.subject, caller.rep_id, not caller.roles.isdisjoint(MANAGING))


def _answer(caller: Principal, context: Context, body: AnswerRequest) -> RepAnswer:
    return RepAnswer(_asker(caller), body.note, _past(body.occurred_at, context.now))


def _past(occurred_at: datetime | None, now: datetime) -> datetime | None:
    if occurred_at is not None and occurred_at > now + _AHEAD:
        raise BadInput(
            "This lies in the future",
            field="body.occurred_at",
            remedy="Leave it out for now, or send a moment that has passed",
        )
    return occurred_at


async def _view(context: Context, referral: Referral) -> ReferralView:
    return _referral_view(referral, await rep_names(context.session, [referral.rep_id] if referral.rep_id else []))


@router.get("/v1/referrals")
async def list_referrals(reading: Read, caller: Caller, asked: Annotated[ReferralQuery, Query()]) -> ReferralsPage:
    """Referrals, newest first. A rep sees their own, their teams', and those that nobody is asked about."""
    person_id = asked.person_id
    if person_id is not None:
        person_id = (await survivors(reading.session, FRAGMENT, [person_id])).get(person_id, person_id)
    includes_tests, reps = asked.include_test or person_id is not None, await _limited_to(reading, caller)
    filters = ReferralFilter(
        None if asked.state is None else asked.state.value, asked.rep_id, person_id, includes_tests, reps
    )
    found = await referrals_page(reading.session, filters, from_cursor(asked.cursor), asked.limit + 1)
    names = await rep_names(reading.session, {referral.rep_id for referral in found if referral.rep_id is not None})
    items = [_referral_view(referral, names) for referral in found[: asked.limit]]
    return ReferralsPage(
        items=items,
        next_cursor=to_cursor(items[-1].created_at, items[-1].referral_id) if len(found) > asked.limit else None,
    )


@router.get("/v1/referrals/{referral_id}", responses=problem_responses(403, 404))
async def read_referral(reading: Read, caller: Caller, referral_id: ReferralId) -> ReferralDetail:
    """One referral: what was known of the person, everybody who was asked, and why."""
    referral = await _refuse_unseen(reading, caller, referral_id)
    return await _detail(reading, referral)


async def _detail(reading: Context, referral: Referral) -> ReferralDetail:
    trail = await offers_of(reading.session, referral.referral_id)
    named = {offer.rep_id for offer in trail} | ({referral.rep_id} if referral.rep_id else set())
    names = await rep_names(reading.session, named)
    owned = (await load_fragments_of(reading.session, FRAGMENT, [referral.person_id]))[referral.person_id]
    receipts = await receipts_on(reading.session, {*owned, referral.fragment_id}, referral.referral_id)
    moved = [Receipt.model_validate_json(referral.move)] if referral.move else []
    return ReferralDetail(
        **_referral_view(referral, names).model_dump(),
        profile=dict(sorted(referral.card.attributes.items())),
        scores=referral.card.scores,
        highlights=list(referral.card.highlights),
        trail=[_offer_view(offer, names) for offer in trail],
        receipts=[*moved, *receipts],
    )


async def _refuse_unseen(context: Context, caller: Principal, referral_id: str) -> Referral:
    """The referral, if the caller may see it: theirs and their teams', those they were asked about, and those that
    nobody is asked about. Raises ReferralNotFound, whether it is there or not.
    """
    referral = await find_referral(context.session, referral_id)
    reps = await _limited_to(context, caller)
    if referral is not None and (
        reps is None or referral.state is State.UNASSIGNED or not reps.isdisjoint((referral.rep_id, *referral.asked))
    ):
        return referral
    raise ReferralNotFound(
        f"There is no referral {referral_id}", remedy="See GET /v1/referrals: it may have gone to another rep"
    )


async def _limited_to(context: Context, caller: Principal) -> frozenset[str] | None:
    """None: sees all; else the reps whose referrals may be seen."""
    seat = seat_of(caller)
    return None if seat is None else (await view_from(context.session, seat)).reps


def _referral_view(referral: Referral, names: Mapping[str, str]) -> ReferralView:
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


def _offer_view(offer: Offer, names: Mapping[str, str]) -> OfferView:
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


@people_router.post("/v1/routing/people:lookup")
async def look_people_up(reading: Read, body: LookupRequest) -> LookupAnswer:
    """Who takes care of up to 200 people, in one go. Ids that a merge absorbed answer
    with the survivor; unknown ids are left out.
    """
    current = await survivors(reading.session, FRAGMENT, set(body.person_ids))
    people = sorted(set(current.values()))
    referrals = await referrals_of(reading.session, people)
    names = await rep_names(
        reading.session, {one.rep_id for owned in referrals.values() for one in owned if one.rep_id is not None}
    )
    items = [_person_view(person_id, referrals.get(person_id, ()), names) for person_id in people]
    return LookupAnswer(items=items, current=dict(sorted(current.items())))


def _person_view(person_id: str, referrals: Sequence[Referral], names: Mapping[str, str]) -> PersonView:
    accepted = next((one for one in referrals if one.state is State.ACCEPTED and one.rep_id is not None), None)
    shown = next((one for one in referrals if one.is_live), referrals[0] if referrals else None)
    return PersonView(
        person_id=person_id,
        owner=None if accepted is None else _owner(accepted, names),
        referral=None if shown is None else _referral(shown),
    )


def _owner(referral: Referral, names: Mapping[str, str]) -> OwnerOfPerson:
    rep_id = referral.rep_id or ""
    return OwnerOfPerson(
        rep_id=rep_id, name=names.get(rep_id), since=referral.answered_at, referral_id=referral.referral_id
    )


def _referral(referral: Referral) -> ReferralOfPerson:
    return ReferralOfPerson(
        referral_id=referral.referral_id, state=referral.state, rep_id=referral.rep_id, due_at=referral.due_at
    )
