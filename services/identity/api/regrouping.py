"""Merge and split by hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from chassis.auth import Caller, Principal, require
from chassis.context import Context
from chassis.errors import BadInput, problem_responses
from chassis.routes import WRITING, Write
from contracts.values import Identifier
from services.identity import domain, handlers
from services.identity.api.views import MergeRequest, PersonId, RegroupingView, SplitRequest, regrouping_view

_Write = Annotated[Context[domain.Rules], WRITING]
router = APIRouter(tags=["people"])

_ROLES = ("marketing", "sales", "manager", "ops", "admin")
_DryRun = Annotated[bool, Query(description="Only say what would become of them")]


@router.post("/v1/people/{person_id}:merge", responses=problem_responses(403, 404, 409))
async def merge(person_id: PersonId, body: MergeRequest, context: Write, caller: Caller, dry_run: _DryRun = False) -> RegroupingView:
    """Make one person of two. The one that was seen first survives; the other id stays valid and answers with the survivor.

    Nothing is overwritten: the merge is a link, and cutting it (`:split` with its `link_ids`) leaves exactly what would have been without it.
    """
    require(caller, *_ROLES)
    came = await handlers.merge_people(person_id, body.with_person_id, _act(caller, context, body.reason), context, dry_run=dry_run)
    return regrouping_view(came, dry_run=dry_run)


@router.post("/v1/people/{person_id}:split", responses=problem_responses(403, 404))
async def split(person_id: PersonId, body: SplitRequest, context: _Write, caller: Caller, dry_run: _DryRun = False) -> RegroupingView:
    """Cut links, so that one person becomes several. What machines linked and a human cut is not linked by machines again."""
    require(caller, *_ROLES)
    choice = _choice(body, context.service)
    came = await handlers.split_person(person_id, choice, _act(caller, context, body.reason), context, dry_run=dry_run)
    return regrouping_view(came, dry_run=dry_run)


def _act(caller: Principal, context: Context, reason: str) -> domain.Act:
    return domain.Act(by=caller.subject, at=context.now, reason=reason)


def _choice(body: SplitRequest, rules: domain.Rules) -> handlers.Choice:
    given = [name for name in ("link_ids", "identifiers", "fragment_ids") if getattr(body, name) is not None]
    if len(given) != 1:
        raise BadInput("Name exactly one of link_ids, identifiers, fragment_ids", field="body", remedy="Send one of the three")
    identifiers = []
    for index, named in enumerate(body.identifiers or ()):
        read = domain.normalise(named.kind, named.value, rules.region)
        if not isinstance(read, Identifier):
            raise BadInput(f"Nobody can go by this: {read.reason}", field=f"body.identifiers.{index}")
        identifiers.append((read.kind.value, read.value))
    return handlers.Choice(f"body.{given[0]}", body.link_ids or (), body.fragment_ids or (), identifiers)
