"""Three ways to hear of a lead: NATS with credentials of one's own, server-sent events that resume, or asking now and
then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from demo.api import Api
from demo.cast.roster import Hired, Way

_PULL_SECONDS = 1.0
_POLL_SECONDS = 0.5
_RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class OfferSeen:
    """A lead offered to a rep. `alert` is what the rep was told; None where they found it by asking."""

    referral_id: str
    alert: dict[str, Any] | None = None


def offers(rep: Hired, api: Api, since: datetime) -> AsyncIterator[OfferSeen]:
    """What is offered to `rep`, as it comes; an offer may come more than once, and a durable on NATS remembers those
    before `since`.
    """
    listen: dict[Way, Callable[[], AsyncIterator[OfferSeen]]] = {
        Way.NATS: lambda: _from_nats(rep),
        Way.STREAM: lambda: _from_stream(api, since),
        Way.POLLING: lambda: _by_asking(rep, api),
    }
    return listen[rep.seat.way]()


async def _from_nats(rep: Hired) -> AsyncIterator[OfferSeen]:
    assert rep.nats is not None
    known = rep.nats
    who = {"user": known["user"], "password": known["password"], "inbox_prefix": known["inbox_prefix"].encode()}
    client = await nats.connect(known["nats_url"], error_cb=_ignored, **who)
    try:
        pull = await client.jetstream().pull_subscribe_bind(durable=known["durable"], stream=known["stream"])
        async for message in _messages(pull):
            found = _offer(json.loads(message.data))
            if found is not None:
                yield found
            await message.ack()  # afterwards: an alert nobody dealt with comes again
    finally:
        await client.close()


async def _messages(pull: JetStreamContext.PullSubscription) -> AsyncIterator[Msg]:
    while True:
        with suppress(TimeoutError):  # nats-py's own is one too
            for message in await pull.fetch(10, timeout=_PULL_SECONDS):
                yield message


async def _ignored(_: Exception) -> None:
    """The client connects again by itself."""


async def _from_stream(api: Api, since: datetime) -> AsyncIterator[OfferSeen]:
    last: str | None = None
    while True:
        async for event in _events_after(api, last, since):
            last = event.get("id", last)
            found = _offer(json.loads(event["data"])) if event.get("event") == "alert" else None
            if found is not None:
                yield found
        await asyncio.sleep(_RETRY_SECONDS)


async def _events_after(api: Api, last: str | None, since: datetime) -> AsyncIterator[dict[str, str]]:
    """Until the stream ends; the next one goes on after the last event that came."""
    headers = {"accept": "text/event-stream", **({"last-event-id": last} if last else {})}
    query = {} if last else {"since": since.isoformat()}
    asked = api.http.stream(
        "GET", "/v1/alerts/stream", params=query, headers=headers, timeout=httpx.Timeout(10, read=None)
    )
    with suppress(httpx.TransportError):
        async with asked as answer:
            lines = answer.aiter_lines()  # what is no success tells no events
            async for event in events_of(lines):
                yield event


async def _by_asking(rep: Hired, api: Api) -> AsyncIterator[OfferSeen]:
    known: set[str] = set()
    while True:
        page = await api.get("/v1/referrals", state="offered", rep_id=rep.rep_id, limit="100")
        for referral in page["items"]:
            if referral["referral_id"] not in known:
                known.add(referral["referral_id"])
                yield OfferSeen(referral["referral_id"])
        await asyncio.sleep(_POLL_SECONDS)


async def events_of(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    """Server-sent events of a stream of lines: fields by name, several `data` lines joined; comments keep the line
    alive.
    """
    event: dict[str, str] = {}
    async for line in lines:
        if not line:
            if "data" in event:
                yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            event[name] = f"{event['data']}\n{value}" if name == "data" and "data" in event else value


def _offer(alert: dict[str, Any]) -> OfferSeen | None:
    return OfferSeen(alert["referral_id"], alert) if alert["kind"] == "offered" else None
