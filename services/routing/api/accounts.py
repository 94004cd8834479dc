"""Who owns which account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from chassis.auth import Caller, require
from chassis.context import Context
from chassis.errors import problem_responses
from chassis.routes import Read, Write
from services.routing.api.rep_views import MANAGING, OwnerRequest, OwnerView
from services.routing.handlers.reps import own_account
from services.routing.store.reps import find_owner, rep_names

router = APIRouter(tags=["reps"])

_AccountId = Annotated[str, Path(min_length=1, max_length=64, description="An account", examples=["acc_01J8Z0"])]


@router.put("/v1/accounts/{account_id}/owner", responses=problem_responses(403))
async def set_owner(body: OwnerRequest, writing: Write, caller: Caller, account_id: _AccountId) -> OwnerView:
    """From now on people of this account are offered to this rep first. What was offered already stays where it is."""
    require(caller, *MANAGING)
    await own_account(account_id, body.rep_id, caller.subject, writing)
    return await _view(writing, account_id)


@router.get("/v1/accounts/{account_id}/owner")
async def read_owner(reading: Read, account_id: _AccountId) -> OwnerView:
    """Whose the account is; all null where nobody ever said."""
    return await _view(reading, account_id)


async def _view(context: Context, account_id: str) -> OwnerView:
    row = await find_owner(context.session, account_id)
    if row is None:
        return OwnerView(account_id=account_id, rep_id=None, name=None, since=None, by=None)
    names = await rep_names(context.session, [row.rep_id] if row.rep_id is not None else [])
    return OwnerView(account_id=account_id, rep_id=row.rep_id, name=names.get(row.rep_id), since=row.changed_at, by=row.changed_by)
