"""A rep's key to NATS."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request

from chassis.auth import Caller, require
from chassis.errors import Conflict, problem_responses
from chassis.routes import runtime_of
from services.routing.api.rep_views import MANAGING, CredentialsView, RepId
from services.routing.domain.credentials import DOMAIN, STREAM, alerts_of, durable_of, inbox_of
from services.routing.effects.durables import ensure_durable
from services.routing.effects.keys import new_key, public_url
from services.routing.handlers.reps import get_rep
from services.routing.settings import RoutingSettings
from services.routing.store.reps import save_credential

router = APIRouter(tags=["reps"])


class CredentialsNotOffered(Conflict):
    """This installation lets no reps into NATS."""


class RepInactive(Conflict):
    """An inactive rep is not let into NATS."""


@router.post("/v1/reps/{rep_id}/credentials", status_code=201, responses=problem_responses(403, 404, 409))
async def issue_credentials(request: Request, caller: Caller, rep_id: RepId) -> CredentialsView:
    """A new password for a rep on NATS, with which they read their own alerts and nothing else. The one before does not work any more.

    A rep may ask for their own. Who is connected already stays so for an hour at most.
    """
    if caller.rep_id != rep_id:
        require(caller, *MANAGING)
    runtime = runtime_of(request)
    settings = cast(RoutingSettings, runtime.settings)
    if settings.callout_seed is None:
        raise CredentialsNotOffered(
            "This installation lets no reps into NATS: ROUTING_CALLOUT_SEED is not set", remedy="Use GET /v1/alerts/stream, or have the seed set"
        )
    async with runtime.reading() as reading:
        rep = await get_rep(rep_id, reading)
    if not rep.is_active:
        raise RepInactive(f"{rep.name} is inactive", remedy="Activate the rep first")
    await ensure_durable(runtime.broker, rep_id)  # before the transaction: the network is not waited for in one
    key = new_key()
    async with runtime.writing() as writing:
        await save_credential(writing.session, rep_id, key.hashed, (caller.subject, writing.now))
    return CredentialsView(
        nats_url=public_url(settings),
        user=rep_id,
        password=key.password,
        stream=STREAM,
        durable=durable_of(rep_id),
        subject=alerts_of(rep_id),
        inbox_prefix=inbox_of(rep_id),
        domain=DOMAIN,
    )
