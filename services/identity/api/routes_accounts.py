"""Companies: by what they are known, and what is known of them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.web.auth import Caller, require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from contracts.events.scoring import Attribute
from contracts.values import JsonObject
from people_kernel.api.pages import ID_CURSOR, NextCursor, from_id_cursor, to_id_cursor
from services.identity.api.views import MAY_REGROUP, DryRun, RequestBody, View
from services.identity.commands import people as commands
from services.identity.commands.people import AccountNotFound
from services.identity.domain.account_claims import registrable_domain
from services.identity.domain.account_groups import AccountRegrouping
from services.identity.domain.accounts import WholeAccount
from services.identity.domain.links import HumanDecision
from services.identity.store import queries

router = APIRouter(tags=["accounts"])

_ACCOUNT, _OTHER = "acc_7ZQ4M0E8K3V7ZJ4T9XW2RBCDA1", "acc_2MK6V9T4X1B8H5R3C7ZQW0EJ5D"
AccountId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        description="The account; one that turned out to be another answers with that",
        examples=[_ACCOUNT],
    ),
]
_Kind = Annotated[
    Literal["group_id", "domain", "name"],
    Field(description="What it is: the id that sources group by, a domain on the web, or a name", examples=["domain"]),
]


_FACT = {
    "value": 120,
    "strength": "verified",
    "source_id": "src_01JNQ5M0E8K3V7ZJ4T9XW2RBCD",
    "interaction_id": "int_01JNQ5M0E8K3V7ZJ4T9XW2RBCD",
    "occurred_at": "2026-03-02T09:30:00Z",
}


class AccountKeyView(View):
    """One name of a company."""

    kind: _Kind
    value: str = Field(description="The name itself", examples=["acme.com"])
    account_id: str = Field(description="As what it was first known; answers with the account", examples=[_ACCOUNT])


class AccountView(View):
    """A company."""

    account_id: str = Field(description="Which company; its oldest name gives the id", examples=[_ACCOUNT])
    domain: str | None = Field(description="Its first domain on the web; null: none is known", examples=["acme.com"])
    group_id: str | None = Field(description="The id that sources group by; null: none did", examples=["grp-77"])
    name: str | None = Field(description="What it is called; null: nobody said", examples=["Acme Inc."])
    traits: JsonObject = Field(
        description="What was told of it, as it came", examples=[{"industry": "Logistics", "employees": 120}]
    )
    created_at: AwareDatetime = Field(description="When it was first named, in UTC", examples=["2026-03-02T09:30:00Z"])
    keys: list[AccountKeyView] = Field(description="All it is known by, the oldest first")
    facts: dict[str, Attribute] = Field(
        description="What is believed of the company, with where it comes from", examples=[{"employees": _FACT}]
    )


class AccountsPage(View):
    """A page of accounts."""

    items: list[AccountView] = Field(description="The companies, in the order of their ids")
    next_cursor: NextCursor


class AccountKeyRequest(RequestBody):
    """One name of a company, as the account tells it."""

    kind: _Kind
    value: str = Field(
        min_length=1, max_length=255, description="The name itself, as `keys` has it", examples=["subsidiary.example"]
    )


_Reason = Annotated[
    str, Field(min_length=1, max_length=500, description="Told with what comes of it", examples=["One group"])
]


class AccountMergeRequest(RequestBody):
    with_account_id: str = Field(min_length=1, max_length=64, description="The other one", examples=[_OTHER])
    reason: _Reason


class AccountSplitRequest(RequestBody):
    keys: list[AccountKeyRequest] = Field(
        min_length=1, max_length=100, description="The names that are a company of their own"
    )
    reason: _Reason


class AccountRegroupingView(View):
    """What came of a merge or a split; of a dry run, what would."""

    dry_run: bool = Field(description="true: nothing was changed, this is what would come of it")
    accounts: list[AccountView] = Field(description="The companies there are now")
    sentence: str = Field(description="What came of it, in plain words", examples=["ada merged the two: One group"])


class AccountsQuery(BaseModel):
    """Filters are combined."""

    model_config = ConfigDict(extra="forbid")

    domain: str | None = Field(
        default=None, min_length=1, max_length=255, description="Any host of the company", examples=["mail.acme.com"]
    )
    group_id: str | None = Field(
        default=None, min_length=1, max_length=255, description="The id that sources group by", examples=["grp-77"]
    )
    q: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="A part of the name, the domain or the group id",
        examples=["acme"],
    )
    cursor: str | None = Field(
        default=None, max_length=1_000, description="`next_cursor` of the page before", examples=[ID_CURSOR]
    )
    limit: int = Field(default=50, ge=1, le=200, description="How many companies a page has at most", examples=[50])


@router.get("/v1/accounts")
async def find_accounts(reading: Read, query: Annotated[AccountsQuery, Query()]) -> AccountsPage:
    """Companies by domain, group id or a part of their name."""
    named = {} if query.group_id is None else {"group_id": query.group_id.strip()}
    if query.domain is not None:
        named["domain"] = registrable_domain(query.domain.strip()) or query.domain
    after = from_id_cursor(query.cursor) or ""
    found = await queries.find_accounts(reading.session, named, query.q, after, query.limit + 1)
    page = found[: query.limit]
    return AccountsPage(
        items=[account_view(one) for one in page],
        next_cursor=to_id_cursor(page[-1].account_id) if len(found) > query.limit else None,
    )


@router.get("/v1/accounts/{account_id}", responses=problem_responses(404))
async def read_account(reading: Read, account_id: AccountId) -> AccountView:
    """One company. An account that turned out to be another one answers with that."""
    found = await queries.load_accounts(reading.session, [account_id])
    if account_id not in found:
        raise AccountNotFound(f"There is no account {account_id}")
    return account_view(found[account_id])


@router.post("/v1/accounts/{account_id}:merge", responses=problem_responses(403, 404, 409))
async def merge_accounts(
    account_id: AccountId, body: AccountMergeRequest, context: Write, caller: Caller, dry_run: DryRun = False
) -> AccountRegroupingView:
    """Make one company of two, also of two that have a domain or a group id each. The one that was seen first survives;
    the other id stays valid and answers with it.
    """
    require(caller, *MAY_REGROUP)
    decision = HumanDecision(by=caller.subject, at=context.now, reason=body.reason)
    came = await commands.merge_accounts(account_id, body.with_account_id, decision, context, dry_run=dry_run)
    return _regrouping_view(came, dry_run=dry_run)


@router.post("/v1/accounts/{account_id}:split", responses=problem_responses(403, 404))
async def split_account(
    account_id: AccountId, body: AccountSplitRequest, context: Write, caller: Caller, dry_run: DryRun = False
) -> AccountRegroupingView:
    """Make a company of its own of some names of an account: what was said with them goes with them, and no machine
    joins them again.
    """
    require(caller, *MAY_REGROUP)
    decision = HumanDecision(by=caller.subject, at=context.now, reason=body.reason)
    keys = [(one.kind, one.value) for one in body.keys]
    came = await commands.split_account(account_id, keys, decision, context, dry_run=dry_run)
    return _regrouping_view(came, dry_run=dry_run)


def _regrouping_view(came: AccountRegrouping, *, dry_run: bool) -> AccountRegroupingView:
    return AccountRegroupingView(
        dry_run=dry_run, accounts=[account_view(one) for one in came.wholes], sentence=came.sentence
    )


def account_view(whole: WholeAccount) -> AccountView:
    root = whole.parts[0]
    return AccountView(
        account_id=root.account_id,
        domain=whole.first("domain"),
        group_id=whole.first("group_id"),
        name=root.name,
        traits=root.traits,
        created_at=root.created_at,
        keys=[
            AccountKeyView.model_validate({"kind": kind, "value": value, "account_id": one.account_id})
            for one in whole.parts
            for kind, value in one.keys
        ],
        facts={name: fact for name, fact in whole.facts.items() if fact.value is not None},
    )
