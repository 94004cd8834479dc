"""Pairs of people who may be one: listed with what was claimed, and decided by a human."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.web.auth import Caller, require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from contracts.values import CandidateStatus, IdentifierKind, Strength
from people_kernel.api.pages import ID_CURSOR, NextCursor, from_id_cursor, to_id_cursor
from services.identity.api.views import MAY_REGROUP, NamedIdentifier, RequestBody, View
from services.identity.commands import candidates as commands
from services.identity.domain.fragments import Fragment
from services.identity.domain.links import HumanDecision, Reason
from services.identity.domain.proposals.candidates import CANDIDATE_CLAIMS, CANDIDATES, Candidate, CandidateClaim
from services.identity.store.queries import candidates as queries

router = APIRouter(tags=["people"])

_CANDIDATE = "cnd_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"
_PERSON, _OTHER = "per_01JNQ5M0E8K3V7ZJ4T9XW2RBCD", "per_01JNQ7Y4R2A6HM1CFK8SD0PVQG"
_SOURCE, _CAPTURE = "src_01JNQ5M0E8K3V7ZJ4T9XW2RBCD", "cap_1XR29R4K929C0H1P6ZZK8TTA54"
_MOMENT = "2026-03-02T09:30:00Z"
_NAMES = [{"kind": "user_id", "value": "u-77"}, {"kind": "email", "value": "ann.lee@acme.com"}]
_CandidateId = Annotated[
    str, Path(min_length=1, max_length=64, description="The pair, as the list has it", examples=[_CANDIDATE])
]


class CandidatesQuery(BaseModel):
    """Filters are combined."""

    model_config = ConfigDict(extra="forbid")

    status: CandidateStatus = Field(
        default=CandidateStatus.OPEN,
        description="`open`: still two people and nobody has decided; `confirmed`, `rejected`: by a human",
        examples=["open"],
    )
    person_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="Pairs of which this person is one", examples=[_PERSON]
    )
    source_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="Whose claim came first", examples=[_SOURCE]
    )
    reason: Reason | None = Field(
        default=None, description="Why no machine joins them", examples=["two_verified_people"]
    )
    cursor: str | None = Field(
        default=None, max_length=1_000, description="`next_cursor` of the page before", examples=[ID_CURSOR]
    )
    limit: int = Field(default=50, ge=1, le=200, description="How many pairs a page has at most", examples=[50])


class DecisionRequest(RequestBody):
    reason: str = Field(
        min_length=1,
        max_length=500,
        description="Why the two are one, or are not, in words; kept with the decision, and told",
        examples=["Called them: it is the same Ann, she changed her address"],
    )


class CandidateClaimView(View):
    """That some source named two of their names together."""

    names: list[NamedIdentifier] = Field(
        description="The two names that were claimed to be one person's", examples=[_NAMES]
    )
    strength: Strength = Field(description="`claimed` by a public key, or `verified` by a server", examples=["claimed"])
    source_id: str | None = Field(
        description="Who sent it; null where it was sent before that was kept", examples=[_SOURCE]
    )
    first_evidence_id: str = Field(description="The first capture that said so", examples=[_CAPTURE])
    first_at: AwareDatetime = Field(description="When it came", examples=[_MOMENT])
    last_evidence_id: str = Field(description="The last capture that said so", examples=[_CAPTURE])
    last_at: AwareDatetime = Field(description="When that came", examples=[_MOMENT])
    times: int = Field(ge=1, description="How many captures said so", examples=[3])


class CandidateSideView(View):
    """One of the two."""

    person_id: str = Field(description="Who it is now", examples=[_PERSON])
    identifier: NamedIdentifier = Field(
        description="The name of theirs that was first claimed together with the other's", examples=[_NAMES[0]]
    )
    is_verified: bool = Field(description="Whether a server ever went by this name", examples=[True])


class DecisionView(View):
    """What a human decided."""

    decided_by: str = Field(description="Who decided", examples=["ada"])
    decided_at: AwareDatetime = Field(description="When", examples=[_MOMENT])
    reason: str = Field(
        description="Why, in their words", examples=["Called them: it is the same Ann, she changed her address"]
    )
    link_id: str | None = Field(
        description="Of the merge; `:split` with it takes the decision back, and the pair waits again. Null for two",
        examples=["lnk_01JNQ5P2TB9D6WX3KE7MZ1HFYA"],
    )


class CandidateView(View):
    """Two people of whom somebody claims that they are one."""

    candidate_id: str = Field(description="The pair's own id", examples=[_CANDIDATE])
    status: CandidateStatus = Field(description="What became of it", examples=["open"])
    reason: Reason = Field(
        description="Why no machine joins them, when it was first claimed", examples=["two_verified_people"]
    )
    strength: Strength = Field(
        description="The best of the claims: `verified` where a server says it as well", examples=["claimed"]
    )
    people: list[CandidateSideView] = Field(description="The two, the one that was seen first before the other")
    times: int = Field(ge=1, description="How many captures claimed it, in all", examples=[3])
    first_at: AwareDatetime = Field(description="When it was first claimed", examples=[_MOMENT])
    last_at: AwareDatetime = Field(description="When it was last claimed", examples=[_MOMENT])
    claims: list[CandidateClaimView] = Field(
        description=f"What was claimed, by which source, when: the first {CANDIDATE_CLAIMS} different claims"
    )
    decision: DecisionView | None = Field(description="Null while nobody has decided")


class CandidatesPage(View):
    """A page of pairs, in the order of their ids."""

    items: list[CandidateView] = Field(description="The pairs")
    next_cursor: NextCursor


@router.get(
    "/v1/identity/candidates",
    description=(
        "People of whom somebody claims that they are one, and cannot prove it. A pair stands once, with all that was"
        f" claimed of it; at most {CANDIDATES} wait at one person."
    ),
)
async def list_candidates(reading: Read, query: Annotated[CandidatesQuery, Query()]) -> CandidatesPage:
    """Pairs for review."""
    filters = query.model_dump(include={"status", "source_id", "reason"}, exclude_none=True, mode="json")
    after = from_id_cursor(query.cursor) or ""
    found = await queries.candidates(reading.session, filters, query.person_id, after, query.limit + 1)
    page = found[: query.limit]
    return CandidatesPage(
        items=[_view(one, known) for one, known in await queries.with_fragments(reading.session, page)],
        next_cursor=to_id_cursor(page[-1].candidate_id) if len(found) > query.limit else None,
    )


@router.get("/v1/identity/candidates/{candidate_id}", responses=problem_responses(404))
async def read_candidate(reading: Read, candidate_id: _CandidateId) -> CandidateView:
    """One pair, with all that was claimed of it."""
    one = await commands.find_candidate(candidate_id, reading)
    return await _answer(reading, one)


@router.post("/v1/identity/candidates/{candidate_id}:confirm", responses=problem_responses(403, 404, 409))
async def confirm_candidate(
    candidate_id: _CandidateId, body: DecisionRequest, context: Write, caller: Caller
) -> CandidateView:
    """Say that the two are one. They are merged by hand, with your reason; cutting the link of the decision (`:split`)
    takes it back. Saying it again answers the same.
    """
    require(caller, *MAY_REGROUP)
    decision = HumanDecision(by=caller.subject, at=context.now, reason=body.reason)
    return await _answer(context, await commands.confirm_candidate(candidate_id, decision, context))


@router.post("/v1/identity/candidates/{candidate_id}:reject", responses=problem_responses(403, 404, 409))
async def reject_candidate(
    candidate_id: _CandidateId, body: DecisionRequest, context: Write, caller: Caller
) -> CandidateView:
    """Say that the two are two people. Nobody is asked about them again; you may still confirm it later."""
    require(caller, *MAY_REGROUP)
    decision = HumanDecision(by=caller.subject, at=context.now, reason=body.reason)
    return await _answer(context, await commands.reject_candidate(candidate_id, decision, context))


async def _answer(context: Read, one: Candidate) -> CandidateView:
    ((candidate, known),) = await queries.with_fragments(context.session, [one])
    return _view(candidate, known)


def _view(one: Candidate, known: dict[str, Fragment]) -> CandidateView:
    made = one.decision
    return CandidateView(
        candidate_id=one.candidate_id,
        status=one.status,
        reason=Reason(one.reason),
        strength=one.strength,
        people=[_side(known[fragment_id]) for fragment_id in one.pair],
        times=one.times,
        first_at=one.first_at,
        last_at=one.last_at,
        claims=[_claim(claim, known) for claim in one.claims],
        decision=None
        if made is None
        else DecisionView(decided_by=made.by, decided_at=made.at, reason=made.reason, link_id=made.link_id),
    )


def _side(fragment: Fragment) -> CandidateSideView:
    return CandidateSideView(
        person_id=fragment.person_id, identifier=_named(fragment), is_verified=fragment.vouched_at is not None
    )


def _claim(claim: CandidateClaim, known: dict[str, Fragment]) -> CandidateClaimView:
    told = {name: getattr(claim, name) for name in CandidateClaimView.model_fields if name != "names"}
    return CandidateClaimView(names=[_named(known[one]) for one in (claim.left_id, claim.right_id)], **told)


def _named(fragment: Fragment) -> NamedIdentifier:
    assert fragment.kind is not None  # what carries no name is no candidate
    assert fragment.value is not None
    return NamedIdentifier(kind=IdentifierKind(fragment.kind), value=fragment.value)
