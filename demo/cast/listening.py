"""Three ways to hear of a lead: NATS with credentials of one's own, server-sent events that resume, or asking now and then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import nats

from demo.api import Api
from demo.cast.roster import Hired, Way

_PULL_SECONDS = 1.0
_POLL_SECONDS = 0.5
_RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Offer:
    """A lead offered to a rep. `alert` is what the rep was told; None where they found it by asking."""

    referral_id: str
    alert: dict[str, Any] | None = None


def offers(rep: Hired, api: Api, since: datetime) -> AsyncIterator[Offer]:
    """What is offered to `rep`, as it comes; an offer may come more than once, and a durable on NATS remembers those before `since`."""
    listen: dict[Way, Callable[[], AsyncIterator[Offer]]] = {
        Way.NATS: lambda: _from_nats(rep),
        Way.STREAM: lambda: _from_stream(api, since),
        Way.POLLING: lambda: _by_asking(rep, api),
    }
    return listen[rep.seat.way]()


async def _from_nats(rep: Hired) -> AsyncIterator[Offer]:
    assert rep.nats is not None
    known = rep.nats
    who = {"user": known["user"], "password": known["password"], "inbox_prefix": known["inbox_prefix"].encode()}
    client = await nats.connect(known["nats_url"], error_cb=_ignored, **who)
    try:
        pull = await client.jetstream().pull_subscribe_bind(durable=known["durable"], stream=known["stream"])
        while True:
            try:
                messages = await pull.fetch(10, timeout=_PULL_SECONDS)
            except TimeoutError:  # nats-py's own is one too
                continue
            for message in messages:
                found = _offer(json.loads(message.data))
                if found is not None:
                    yield found
                await message.ack()  # afterwards: an alert nobody dealt with comes again
    finally:
        await client.close()


async def _ignored(_: Exception) -> None:
    """The client connects again by itself."""


async def _from_stream(api: Api, since: datetime) -> AsyncIterator[Offer]:
    last: str | None = None
    while True:
        headers = {"accept": "text/event-stream", **({"last-event-id": last} if last else {})}
        query = {} if last else {"since": since.isoformat()}
        try:
            async with api.http.stream("GET", "/v1/alerts/stream", params=query, headers=headers, timeout=httpx.Timeout(10, read=None)) as answer:
                if answer.is_success:
                    async for event in events_of(answer.aiter_lines()):
                        last = event.get("id", last)
                        found = _offer(json.loads(event["data"])) if event.get("event") == "alert" else None
                        if found is not None:
                            yield found
        except httpx.TransportError:
            pass  # the stream ended; it resumes after the last event that came
        await asyncio.sleep(_RETRY_SECONDS)


async def _by_asking(rep: Hired, api: Api) -> AsyncIterator[Offer]:
    known: set[str] = set()
    while True:
        page = await api.get("/v1/referrals", state="offered", rep_id=rep.rep_id, limit="100")
        for referral in page["items"]:
            if referral["referral_id"] not in known:
                known.add(referral["referral_id"])
                yield Offer(referral["referral_id"])
        await asyncio.sleep(_POLL_SECONDS)


async def events_of(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    """Server-sent events of a stream of lines: fields by name, several `data` lines joined; comments keep the line alive."""
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


def _offer(alert: dict[str, Any]) -> Offer | None:
    return Offer(alert["referral_id"], alert) if alert["kind"] == "offered" else None
