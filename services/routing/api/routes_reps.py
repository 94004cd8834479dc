"""Reps, their keys to NATS, and the accounts they own."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.context import Context
from chassis.errors import Conflict
from chassis.web.auth import Caller, require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write, runtime_of
from people_kernel.api.pages import Cursor, Limit, from_cursor, to_cursor
from services.routing.api.views import MANAGING, RepId, RepPatch, RepRequest, RepsPage, RepView
from services.routing.commands import add_rep, change_rep, get_rep, own_account
from services.routing.domain.assignment import Rep
from services.routing.effects.evictions import end_old_connections
from services.routing.effects.keys import (
    DOMAIN,
    STREAM,
    alerts_of,
    durable_of,
    ensure_durable,
    inbox_of,
    live_user_of,
    new_key,
    public_url,
)
from services.routing.settings import RoutingSettings
from services.routing.store import write
from services.routing.store.queries import load_of, owners_said, rep_names, reps_page
from services.routing.store.rows import rep_of

router = APIRouter(tags=["reps"])

_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": RepView, "description": "A rep with this external id was known, and is now as given"}
}
_AccountId = Annotated[str, Path(min_length=1, max_length=64, description="An account", examples=["acc_01J8Z0"])]
_External = Annotated[str | None, Query(min_length=1, max_length=200, description="The rep with this external id")]
_Active = Annotated[bool | None, Query(description="Only those who can be asked, or only those who cannot")]


class CredentialsNotOffered(Conflict):
    """This installation lets no reps into NATS."""

    slug = "credentials-not-offered"


class RepInactive(Conflict):
    """An inactive rep is not let into NATS."""

    slug = "rep-inactive"


class OwnerRequest(BaseModel):
    """Whose the account is from now on."""

    model_config = ConfigDict(extra="forbid")

    rep_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        description="null: nobody's", examples=["rep_01J8Z0"]
    )


class OwnerView(BaseModel):
    """Whose an account is."""

    account_id: str = Field(description="The account", examples=["acc_01J8Z0"])
    rep_id: str | None = Field(description="The rep who owns it; null: nobody", examples=["rep_01J8Z0"])
    name: str | None = Field(description="The rep's", examples=["Ana Ruiz"])
    since: AwareDatetime | None = Field(
        description="Since when; null: it was never given to anybody", examples=["2026-03-02T09:30:00Z"]
    )
    by: str | None = Field(description="Who said so", examples=["dana@acme.test"])
    displaced: list[OwnerView] = Field(
        default_factory=list,
        description="Owners of the younger accounts that turned out to be this one: the oldest account's owner counts",
    )


class CredentialsView(BaseModel):
    """How a rep, or their tool, reads their alerts on NATS. The password is shown this once."""

    nats_url: str = Field(description="The NATS server to connect to", examples=["nats://127.0.0.1:4222"])
    user: str = Field(description="The user to connect as, to read the stream", examples=["rep_01J8Z0"])
    password: str = Field(description="The password of both users", examples=["Zq3xN0v8TtYw5sKd2Rb7Lm1C"])
    stream: str = Field(description="The JetStream stream that keeps the alerts", examples=["ALERTS"])
    durable: str = Field(
        description="The consumer to bind to; it is there already, and holds the place", examples=["rep-rep_01J8Z0"]
    )
    live_user: str = Field(
        description="The user to connect as, with the same password, to listen to alerts as they come: nobody can say"
        " anything there",
        examples=["rep_01J8Z0.live"],
    )
    subject: str = Field(
        description="What `live_user` listens to: the alerts as they come, beside the stream",
        examples=["alerts.rep.rep_01J8Z0.>"],
    )
    inbox_prefix: str = Field(
        description="What the client has to use for its inboxes; no other is open", examples=["_INBOX_rep_01J8Z0"]
    )
    domain: str = Field(
        description="The JetStream domain, for clients that ask about the consumer before they pull",
        examples=["RAPPORT"],
    )


@router.post("/v1/reps", status_code=201, responses={**_KNOWN, **problem_responses(403)})
async def create_rep(body: RepRequest, request: Request, response: Response, caller: Caller) -> RepView:
    """A new rep. With an `external_id` that is known this changes that rep (200), so that
    a tool can send its list again and again.

    Who waits unassigned is offered to the rep at once, as far as team and capacity allow.
    """
    require(caller, *MANAGING)
    runtime = runtime_of(request)
    async with runtime.writing() as writing:
        rep, is_new = await add_rep(_fields(body.model_dump()), caller.subject, writing)
        view = await _view(writing, rep)
    end_old_connections(runtime)
    response.status_code = 201 if is_new else 200
    return view


@router.get("/v1/reps")
async def list_reps(
    reading: Read, external_id: _External = None, is_active: _Active = None, cursor: Cursor = None, limit: Limit = 50
) -> RepsPage:
    """Reps in the order they came."""
    rows = await reps_page(reading.session, (external_id, is_active), from_cursor(cursor), limit + 1)
    load = await load_of(reading.session, [row.rep_id for row in rows[:limit]])
    items = [_rep_view(rep_of(row), load.get(row.rep_id, 0)) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return RepsPage(items=items, next_cursor=None if last is None else to_cursor(last.created_at, last.rep_id))


@router.get("/v1/reps/{rep_id}", responses=problem_responses(404))
async def read_rep(reading: Read, rep_id: RepId) -> RepView:
    """One rep."""
    return await _view(reading, await get_rep(rep_id, reading))


@router.patch("/v1/reps/{rep_id}", responses=problem_responses(403, 404))
async def update_rep(body: RepPatch, request: Request, caller: Caller, rep_id: RepId) -> RepView:
    """Change what is given. What a rep was asked about goes to the next one when they become
    inactive; what they accepted stays theirs. Their connections to NATS end, and they cannot come again.
    """
    require(caller, *MANAGING)
    runtime = runtime_of(request)
    async with runtime.writing() as writing:
        rep = await change_rep(rep_id, _fields(body.model_dump(exclude_unset=True)), caller.subject, writing)
        view = await _view(writing, rep)
    end_old_connections(runtime)
    return view


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    return {**given, "teams": tuple(given["teams"])} if "teams" in given else given


async def _view(context: Context, rep: Rep) -> RepView:
    return _rep_view(rep, (await load_of(context.session, [rep.rep_id])).get(rep.rep_id, 0))


def _rep_view(rep: Rep, open_referrals: int) -> RepView:
    return RepView(
        rep_id=rep.rep_id,
        name=rep.name,
        email=rep.email,
        weight=rep.weight,
        capacity=rep.capacity,
        teams=list(rep.teams),
        is_active=rep.is_active,
        external_id=rep.external_id,
        open_referrals=open_referrals,
    )


@router.post("/v1/reps/{rep_id}/credentials", status_code=201, responses=problem_responses(403, 404, 409))
async def issue_rep_credentials(request: Request, caller: Caller, rep_id: RepId) -> CredentialsView:
    """A new password for a rep on NATS, with which they read their own alerts and nothing
    else. The one before does not work any more, and who is connected with it is hung up on.

    A rep may ask for their own.
    """
    if caller.rep_id != rep_id:
        require(caller, *MANAGING)
    runtime = runtime_of(request)
    settings = cast(RoutingSettings, runtime.settings)
    if settings.callout_seed is None:
        raise CredentialsNotOffered(
            "This installation lets no reps into NATS: ROUTING_CALLOUT_SEED is not set",
            remedy="Use GET /v1/alerts/stream, or have the seed set",
        )
    async with runtime.reading() as reading:
        rep = await get_rep(rep_id, reading)
    if not rep.is_active:
        raise RepInactive(f"{rep.name} is inactive", remedy="Activate the rep first")
    await ensure_durable(runtime.broker, rep_id)  # before the transaction: the network is not waited for in one
    key = new_key()
    async with runtime.writing() as writing:
        await write.credential(writing.session, rep_id, key.hashed, (caller.subject, writing.now))
    end_old_connections(runtime)
    return CredentialsView(
        nats_url=public_url(settings),
        user=rep_id,
        live_user=live_user_of(rep_id),
        password=key.password,
        stream=STREAM,
        durable=durable_of(rep_id),
        subject=alerts_of(rep_id),
        inbox_prefix=inbox_of(rep_id),
        domain=DOMAIN,
    )


@router.put("/v1/accounts/{account_id}/owner", responses=problem_responses(403))
async def set_account_owner(body: OwnerRequest, writing: Write, caller: Caller, account_id: _AccountId) -> OwnerView:
    """From now on people of this account are offered to this rep first. What was offered already stays where it is."""
    require(caller, *MANAGING)
    await own_account(account_id, body.rep_id, caller.subject, writing)
    return await _owner_view(writing, account_id)


@router.get("/v1/accounts/{account_id}/owner")
async def read_account_owner(reading: Read, account_id: _AccountId) -> OwnerView:
    """Whose the account is; all null where nobody ever said."""
    return await _owner_view(reading, account_id)


async def _owner_view(context: Context, account_id: str) -> OwnerView:
    said = await owners_said(context.session, account_id)
    if not said:
        return OwnerView(account_id=account_id, rep_id=None, name=None, since=None, by=None)
    names = await rep_names(context.session, [row.rep_id for row in said if row.rep_id is not None])
    first, *others = [
        OwnerView(
            account_id=row.account_id,
            rep_id=row.rep_id,
            name=names.get(row.rep_id),
            since=row.changed_at,
            by=row.changed_by,
        )
        for row in said
    ]
    displaced = [one for one in others if one.rep_id not in (None, first.rep_id)]
    return first.model_copy(update={"account_id": account_id, "displaced": displaced})
