"""What a rep may do on NATS, who is let in, and the consumers that hold their places.

A rep reads their own alerts, through a consumer that was made for them because they may make none themselves, and
nothing else. A key is a random password per rep, kept as its hash.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import structlog

from chassis.bus.broker import Broker
from chassis.bus.callout.claims import Grant
from chassis.bus.callout.responder import AuthCallout
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.bus.streams import ack_subjects
from chassis.progress import Progress
from chassis.readiness import Finding
from chassis.runtime import Runtime
from chassis.settings import SettingsRefused
from services.routing.settings import RoutingSettings
from services.routing.store.queries import find_credential, keyholders

log = structlog.get_logger(__name__)

STREAM = "ALERTS"
DOMAIN = "RAPPORT"
"""The JetStream domain that a rep's client names: reps are an account of their
own, and JetStream is at home in another.
"""

_LIVE = ".live"  # no rep's id has a dot
_PASSWORD_BYTES = 32
_MARK_DIGITS = 12  # of the hash of 256 random bits: enough to tell two apart, and nothing to guess from
_MOMENT_SECONDS = 1.0
_TRIES = 3
_PAUSE_SECONDS = 0.2
_RETRY_SECONDS = 5.0
_ACK_WAIT_SECONDS = 30
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RepPermissions:
    """Whom NATS lets in as `name`, and the subjects they may publish and subscribe to."""

    name: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def durable_of(rep_id: str) -> str:
    """The durable consumer on ALERTS that holds this rep's place.

    Raises ValueError for an id that cannot be part of a subject.
    """
    return f"rep-{_plain_name(rep_id)}"


def alerts_of(rep_id: str) -> str:
    """The subjects of this rep's alerts: what the durable filters by, and what they may listen to live."""
    return f"alerts.rep.{_plain_name(rep_id)}.>"


def inbox_of(rep_id: str) -> str:
    """The inbox prefix that this rep's client has to be told: no other is open to it."""
    return f"_INBOX_{_plain_name(rep_id)}"


def live_user_of(rep_id: str) -> str:
    """The user that this rep's client comes as to listen to alerts as they come; the password is the same."""
    return f"{_plain_name(rep_id)}{_LIVE}"


def rep_permissions(rep_id: str, durable: str) -> RepPermissions:
    """Pull from `durable`, ask about it, acknowledge; hear the answers.

    Raises ValueError for odd names.
    """
    consumer = _plain_name(durable)
    return RepPermissions(
        name=_plain_name(rep_id),
        publish=(
            f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}",  # for clients that bind without asking
            f"$JS.{DOMAIN}.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}",
            f"$JS.{DOMAIN}.API.CONSUMER.INFO.{STREAM}.{consumer}",
            *ack_subjects(STREAM, consumer),
        ),
        subscribe=(f"{inbox_of(rep_id)}.>",),
    )


def live_permissions(rep_id: str) -> RepPermissions:
    """Hear the alerts as they come, and say nothing.

    As a user and in an account of its own, because nobody may publish there: beside those who pull, another rep could
    have an answer sent to just the subject that this one listens to.

    Raises ValueError for odd names.
    """
    return RepPermissions(live_user_of(rep_id), publish=(), subscribe=(alerts_of(rep_id),))


def connection_name(user: str, hashed: str) -> str:
    """What the server calls a connection that was let in as `user` with the password of this hash: whoever looks
    which connections are still right reads it there.
    """
    return f"{user}#{hashed[:_MARK_DIGITS]}"


def rep_of_user(user: str) -> str:
    """Whose key it is that `user` comes with."""
    return user.removesuffix(_LIVE)


def _plain_name(name: str) -> str:
    # refused rather than cleaned: two ids must not become one, and a wildcard would open other reps' alerts
    if not _PLAIN.fullmatch(name):
        raise ValueError("a name on NATS has 1 to 64 letters, digits, - and _")
    return name


class RepKey(NamedTuple):
    """A password, shown once, and the hash that is kept of it."""

    password: str
    hashed: str


def new_key() -> RepKey:
    """256 random bits: nobody guesses them, so a slow hash would only slow the server's question down."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    return RepKey(password, hash_password(password))


def hash_password(password: str) -> str:
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).hexdigest()


@asynccontextmanager
async def letting_reps_in(runtime: Runtime) -> AsyncIterator[None]:
    """Answers the server's questions about reps, if this installation has the seed for it.

    Raises SettingsRefused for a bad one.
    """
    settings = runtime.settings
    if not isinstance(settings, RoutingSettings) or settings.callout_seed is None:
        yield
        return

    async def decide(user: str, password: str) -> Grant | None:
        rep_id = rep_of_user(user)
        async with runtime.database.read() as session:
            kept = await find_credential(session, rep_id)
        if kept is None or not hmac.compare_digest(kept, hash_password(password)):
            return None
        # no lifetime: clients take its end for a refusal and give up. Whoever may not be there any more is
        # hung up on (`evictions`)
        return grant_of(user, kept, settings.callout_account)

    try:
        callout = AuthCallout(
            settings.nats_url, settings.callout_seed.get_secret_value(), decide, account=settings.callout_account
        )
    except ValueError as error:
        raise SettingsRefused(f"ROUTING_CALLOUT_SEED: {error}") from None
    runtime.checks.append(partial(_unheard, runtime, callout, Progress()))
    async with _begun(callout):
        yield


def grant_of(user: str, hashed: str, account: str) -> Grant:
    """What somebody may do who came as `user` with a rep's password. Raises ValueError for odd names."""
    rep_id = rep_of_user(user)
    if user == rep_id:
        may = rep_permissions(rep_id, durable_of(rep_id))
        return Grant(connection_name(user, hashed), may.publish, may.subscribe)
    may = live_permissions(rep_id)
    return Grant(connection_name(user, hashed), may.publish, may.subscribe, account=live_account(account))


def live_account(account: str) -> str:
    """Where those are who listen, beside the account of those who pull."""
    return f"{account}_LIVE"


async def _unheard(runtime: Runtime, callout: AuthCallout, progress: Progress) -> Sequence[Finding]:
    """That no rep can be let in is work that stands still; that NATS is away is told elsewhere."""
    if callout.is_ready or not runtime.broker.is_connected:
        progress.rest()
        return ()
    progress.begin()
    if progress.stuck_seconds <= runtime.settings.stuck_seconds:
        return ()
    says = f"the server's questions about reps have not arrived for {progress.stuck_seconds:.0f} s: none can connect"
    return (Finding("reps", says, "Look at nats-server's log for this user. It is tried again by itself"),)


@asynccontextmanager
async def _begun(callout: AuthCallout) -> AsyncIterator[None]:
    """Answers inside the block.

    A NATS that is there is waited for, so that reps come in as soon as we are ready; one that is not comes later.
    """
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
    return ",".join(_without_password(url) for url in settings.nats_url.split(","))


def _without_password(url: str) -> str:
    parts = urlsplit(url.strip())
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


async def ensure_durable(broker: Broker, rep_id: str) -> None:
    """The consumer is there afterwards, with the place it held if it was there before. Raises BrokerUnavailable."""
    for attempt in range(1, _TRIES + 1):
        try:
            await _create(broker, rep_id)
            return
        except BrokerUnavailable:
            if attempt == _TRIES:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)


@asynccontextmanager
async def kept_durables(runtime: Runtime) -> AsyncIterator[None]:
    """Makes the consumers of all who have a key, in the background: a NATS that lost its store gets them back at the
    next start.
    """
    task = asyncio.create_task(_restore(runtime), name="routing: consumers of reps")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _restore(runtime: Runtime) -> None:
    async with runtime.database.read() as session:
        missing = await keyholders(session)
    while missing:
        try:
            await ensure_durable(runtime.broker, missing[-1])
            missing.pop()
        except (BrokerUnavailable, ApiRefused) as error:
            log.warning("durable.delayed", rep_id=missing[-1], reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)


async def _create(broker: Broker, rep_id: str) -> None:
    durable, subjects = durable_of(rep_id), alerts_of(rep_id)
    config = {
        "durable_name": durable,
        "name": durable,
        "description": "referral alerts of one rep",
        "filter_subject": subjects,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": _ACK_WAIT_SECONDS * 1_000_000_000,
        "max_deliver": -1,
    }
    await broker.request(f"CONSUMER.CREATE.{STREAM}.{durable}.{subjects}", {"stream_name": STREAM, "config": config})
