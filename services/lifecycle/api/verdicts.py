"""What humans decide about people."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter

from chassis.auth import Caller, Principal, require
from chassis.context import Context
from chassis.errors import problem_responses
from chassis.routes import Write
from people_kernel.api.paging import PersonId
from services.lifecycle.api.moments import ahead, happened
from services.lifecycle.api.showing import show
from services.lifecycle.api.views import DisqualifyRequest, PersonView, QualifyRequest, RecycleRequest, ReopenRequest
from services.lifecycle.domain.verdicts import Verdict
from services.lifecycle.handlers.verdicts import give_verdict

router = APIRouter(tags=["lifecycle"])

MAY_JUDGE = ("sales", "manager", "marketing", "agent", "admin")
_PROBLEMS = problem_responses(403, 404, 409)


@router.post("/v1/lifecycle/people/{person_id}:qualify", responses=_PROBLEMS)
async def qualify_person(writing: Write, caller: Caller, person_id: PersonId, body: QualifyRequest) -> PersonView:
    """Sales found a real need. What was learned of budget, authority, need and timing is kept in the receipt."""
    bant = {} if body.bant is None else body.bant.model_dump(exclude_none=True)
    return await _give(writing, caller, person_id, replace(_verdict(writing, caller, "qualify", body), bant=bant))


@router.post("/v1/lifecycle/people/{person_id}:recycle", responses=_PROBLEMS)
async def recycle_person(writing: Write, caller: Caller, person_id: PersonId, body: RecycleRequest) -> PersonView:
    """Not now: back to nurture, until new interest, or until `wake_at`."""
    wake_at = ahead(body.wake_at, writing.now)
    return await _give(writing, caller, person_id, replace(_verdict(writing, caller, "recycle", body), reason=body.reason, wake_at=wake_at))


@router.post("/v1/lifecycle/people/{person_id}:disqualify", responses=_PROBLEMS)
async def disqualify_person(writing: Write, caller: Caller, person_id: PersonId, body: DisqualifyRequest) -> PersonView:
    """Will not buy: no rule takes this person up again, only a human does."""
    return await _give(writing, caller, person_id, replace(_verdict(writing, caller, "disqualify", body), reason=body.reason))


@router.post("/v1/lifecycle/people/{person_id}:reopen", responses=_PROBLEMS)
async def reopen_person(writing: Write, caller: Caller, person_id: PersonId, body: ReopenRequest) -> PersonView:
    """After all. Without `to` the process says where to begin again, and its rules go on from there; a stage that you choose stays."""
    return await _give(writing, caller, person_id, replace(_verdict(writing, caller, "reopen", body), to=body.to))


def _verdict(writing: Context, caller: Principal, verb: str, body: QualifyRequest | RecycleRequest | DisqualifyRequest | ReopenRequest) -> Verdict:
    return Verdict(
        verdict_id="",  # derived when it is known whom it is on
        verb=verb,
        by=caller.subject,
        at=writing.now,
        occurred_at=happened(body.occurred_at, writing.now),
        note=body.note,
    )


async def _give(writing: Context, caller: Principal, person_id: str, verdict: Verdict) -> PersonView:
    require(caller, *MAY_JUDGE)
    owner = await give_verdict(writing, person_id, verdict)
    return (await show(writing, [owner]))[owner]
