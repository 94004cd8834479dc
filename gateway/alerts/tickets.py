"""Tickets for clients that cannot send headers, as a browser's EventSource: good for one minute and one stream."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from pydantic import Field

from chassis.errors import Unauthenticated
from chassis.runtime import Runtime
from chassis.web.auth import Principal, require
from chassis.web.problems import problem_responses
from chassis.web.routes import Write
from gateway import store
from gateway.admin.access import AdminView, ApiCaller, State
from gateway.directory import Directory, bearer_hash
from gateway.domain.keys import ENTROPY_BYTES, TICKET_PREFIX, hash_of, key_from

router = APIRouter(tags=["alerts"])

LISTENERS = ("sales", "manager", "ops", "admin")
_GOOD_FOR = timedelta(minutes=1)


class TicketView(AdminView):
    """A ticket; the only answer that holds it."""

    ticket: str = Field(
        description="Send it as `?ticket=` of GET /v1/alerts/stream", examples=["tkt_mfrggzdfmztwq2lknnwg23tpobyxe43u"]
    )
    expires_at: datetime = Field(description="Until when it can be used: one minute", examples=["2026-03-02T09:31:00Z"])


class TicketRefused(Unauthenticated):
    """No such ticket, or it was used, or its minute is over."""

    slug = "ticket-refused"


@router.post("/v1/alerts/tickets", status_code=201, responses=problem_responses(401, 403))
async def create_ticket(request: Request, context: Write, caller: ApiCaller, state: State) -> TicketView:
    """A ticket to open the alert stream with, once, within a minute. It may what the API key may that asked for it."""
    require(caller, *LISTENERS)
    ticket, expires_at = key_from(TICKET_PREFIX, secrets.token_bytes(ENTROPY_BYTES)), context.now + _GOOD_FOR
    await store.forget_tickets(context.session, context.now)
    key_hash = bearer_hash(request.headers.get("authorization"))
    told = state.directory.told_of(key_hash)
    row = store.TicketRow(ticket_hash=hash_of(ticket), key_hash=key_hash, expires_at=expires_at, caller=told)
    await store.add(context.session, row)
    return TicketView(ticket=ticket, expires_at=expires_at)


async def redeem(runtime: Runtime, directory: Directory, ticket: str) -> tuple[str, Principal]:
    """The hash of the key that a ticket was made with, and whose key it is; the ticket
    is gone after that. Raises TicketRefused.
    """
    async with runtime.writing() as context:
        taken = await store.take_ticket(context.session, hash_of(ticket))
    known = (
        directory.caller_believed(taken.key_hash, taken.caller)
        if taken is not None and taken.expires_at > runtime.clock()
        else None
    )
    if taken is None or known is None:
        raise TicketRefused(
            "The ticket is not known, was used, or has run out",
            field="query.ticket",
            remedy="Get one with POST /v1/alerts/tickets",
        )
    return taken.key_hash, known.principal
