"""A rep answers."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter

from chassis.auth import Caller, Principal, require
from chassis.context import Context
from chassis.errors import BadInput, problem_responses
from chassis.routes import Write
from services.routing.api.rep_views import MANAGING
from services.routing.api.views import AnswerRequest, ReassignRequest, ReferralId, ReferralView, ReturnRequest, referral_view
from services.routing.domain.answering import Asker
from services.routing.domain.referral import Referral
from services.routing.handlers.answering import Answer, accept_referral, reassign_referral, return_referral, see_referral
from services.routing.store.reps import rep_names

router = APIRouter(tags=["referrals"])

_REFUSALS = problem_responses(403, 404, 409)
_AHEAD = timedelta(minutes=1)  # clocks differ by less


@router.post("/v1/referrals/{referral_id}:see", responses=_REFUSALS)
async def see(writing: Write, caller: Caller, referral_id: ReferralId) -> ReferralView:
    """The rep looked at it. It is still to be answered."""
    return await _view(writing, await see_referral(referral_id, Answer(_asker(caller)), writing))


@router.post("/v1/referrals/{referral_id}:accept", responses=_REFUSALS)
async def accept(writing: Write, caller: Caller, referral_id: ReferralId, body: AnswerRequest | None = None) -> ReferralView:
    """The rep takes care of this person from now on. Only who is asked may; what is unassigned any rep may take. Again by the same: nothing changes.

    After the offer went on, 409 says to whom and when.
    """
    answer = _answer(caller, writing, body or AnswerRequest())
    return await _view(writing, await accept_referral(referral_id, answer, writing))


@router.post("/v1/referrals/{referral_id}:return", responses=_REFUSALS)
async def give_back(writing: Write, caller: Caller, referral_id: ReferralId, body: ReturnRequest) -> ReferralView:
    """The rep gives this person back, also one that was accepted before. With `wrong_rep` the next rep is asked."""
    return await _view(writing, await return_referral(referral_id, body.reason, _answer(caller, writing, body), writing))


@router.post("/v1/referrals/{referral_id}:reassign", responses=_REFUSALS)
async def reassign(writing: Write, caller: Caller, referral_id: ReferralId, body: ReassignRequest) -> ReferralView:
    """Somebody in charge gives it to another rep, whatever their turn, team or capacity. They are asked, and have to answer like anybody else."""
    require(caller, *MANAGING)
    return await _view(writing, await reassign_referral(referral_id, body.rep_id, Answer(_asker(caller), body.note), writing))


def _asker(caller: Principal) -> Asker:
    return Asker(caller.subject, caller.rep_id, not caller.roles.isdisjoint(MANAGING))


def _answer(caller: Principal, context: Context, body: AnswerRequest) -> Answer:
    return Answer(_asker(caller), body.note, _past(body.occurred_at, context.now))


def _past(occurred_at: datetime | None, now: datetime) -> datetime | None:
    if occurred_at is not None and occurred_at > now + _AHEAD:
        raise BadInput("This lies in the future", field="body.occurred_at", remedy="Leave it out for now, or send a moment that has passed")
    return occurred_at


async def _view(context: Context, referral: Referral) -> ReferralView:
    return referral_view(referral, await rep_names(context.session, [referral.rep_id] if referral.rep_id else []))
