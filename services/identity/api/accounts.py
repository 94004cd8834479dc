"""Companies."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.errors import problem_responses
from chassis.routes import Read
from services.identity import domain, store
from services.identity.api.views import AccountId, AccountsPage, AccountView, account_view
from services.identity.handlers import AccountNotFound

router = APIRouter(tags=["accounts"])


class AccountsQuery(BaseModel):
    """Filters are combined."""

    model_config = ConfigDict(extra="forbid")

    domain: str | None = Field(default=None, min_length=1, max_length=255, description="Any host of the company", examples=["mail.acme.com"])
    group_id: str | None = Field(default=None, min_length=1, max_length=255, examples=["grp-77"])
    q: str | None = Field(default=None, min_length=1, max_length=200, description="A part of the name, the domain or the group id")
    cursor: str | None = Field(default=None, max_length=64, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200)


@router.get("/v1/accounts")
async def find_accounts(reading: Read, query: Annotated[AccountsQuery, Query()]) -> AccountsPage:
    """Companies by domain, group id or a part of their name."""
    named = {} if query.group_id is None else {"group_id": query.group_id.strip()}
    if query.domain is not None:
        named["domain"] = domain.registrable_domain(query.domain.strip()) or query.domain
    found = await store.find_accounts(reading.session, named, query.q, query.cursor or "", query.limit + 1)
    page = found[: query.limit]
    return AccountsPage(items=[account_view(one) for one in page], next_cursor=page[-1].account_id if len(found) > query.limit else None)


@router.get("/v1/accounts/{account_id}", responses=problem_responses(404))
async def account(reading: Read, account_id: AccountId) -> AccountView:
    """One company. An account that turned out to be another one answers with that."""
    found = await store.load_accounts(reading.session, [account_id])
    if account_id not in found:
        raise AccountNotFound(f"There is no account {account_id}")
    return account_view(found[account_id])
