"""Keys to NATS: a random password per rep, kept as its hash, and the answer when the server asks about somebody."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

from chassis.bus.callout.claims import Grant
from chassis.bus.callout.listening import AuthCallout
from chassis.runtime import Runtime
from chassis.settings import SettingsRefused
from services.routing.domain.credentials import durable_of, rep_permissions
from services.routing.settings import RoutingSettings
from services.routing.store.reps import find_credential

_PASSWORD_BYTES = 32
_MOMENT_SECONDS = 1.0


class Key(NamedTuple):
    """A password, shown once, and the hash that is kept of it."""

    password: str
    hashed: str


def new_key() -> Key:
    """256 random bits: nobody guesses them, so a slow hash would only slow the server's question down."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    return Key(password, hash_password(password))


def hash_password(password: str) -> str:
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).hexdigest()


@asynccontextmanager
async def letting_reps_in(runtime: Runtime) -> AsyncIterator[None]:
    """Answers the server's questions about reps, if this installation has the seed for it. Raises SettingsRefused for a bad one."""
    settings = runtime.settings
    if not isinstance(settings, RoutingSettings) or settings.callout_seed is None:
        yield
        return

    async def decide(user: str, password: str) -> Grant | None:
        async with runtime.database.read() as session:
            kept = await find_credential(session, user)
        if kept is None or not hmac.compare_digest(kept, hash_password(password)):
            return None
        may = rep_permissions(user, durable_of(user))
        # no lifetime: clients take its end for a refusal and give up. Who left hears nothing new: nobody raises an alert for them
        return Grant(may.name, may.publish, may.subscribe)

    try:
        callout = AuthCallout(settings.nats_url, settings.callout_seed.get_secret_value(), decide, account=settings.callout_account)
    except ValueError as error:
        raise SettingsRefused(f"ROUTING_CALLOUT_SEED: {error}") from None
    async with _begun(callout):
        yield


@asynccontextmanager
async def _begun(callout: AuthCallout) -> AsyncIterator[None]:
    """Answers inside the block. A NATS that is there is waited for, so that reps come in as soon as we are ready; one that is not comes later."""
    starting = asyncio.create_task(callout.start(), name="routing: callout")
    await asyncio.wait((starting,), timeout=_MOMENT_SECONDS)
    try:
        yield
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await callout.stop()


def public_url(settings: RoutingSettings) -> str:
    """Where reps connect: as configured, or our own address without our name and password."""
    if settings.public_nats_url is not None:
        return settings.public_nats_url
    return ",".join(_plain(url) for url in settings.nats_url.split(","))


def _plain(url: str) -> str:
    parts = urlsplit(url.strip())
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
