"""The vocabulary of tests on the bus: give signals, and read what a stream holds."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused
from chassis.bus.streams import probe_subject
from chassis.message import OutMessage
from chassis.store.database import Database
from contracts.envelope import Meta, whole_headers
from tests.chassis.app.echo import SignalGiven

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


def a_signal(text: str, event_id: str | None = None, headers: Mapping[str, str] | None = None) -> OutMessage:
    """A signal as it comes from the bus."""
    name = event_id or f"evt_{text}"
    event = SignalGiven(meta=Meta(event_id=name, at=BEGAN, correlation_id=name), text=text)
    return OutMessage(event.subjects(1)[0], {**event.headers(), **(headers or {})}, event.body())


@dataclass(frozen=True)
class Stored:
    """A message as a stream keeps it."""

    subject: str
    headers: dict[str, str]
    body: bytes


async def stored(broker: Broker, stream: str) -> list[Stored]:
    """Everything on `stream`, in order."""
    state = (await broker.request(f"STREAM.INFO.{stream}"))["state"]
    messages = []
    for sequence in range(state["first_seq"], state["last_seq"] + 1):
        try:
            answer = await broker.request(f"STREAM.MSG.GET.{stream}", {"seq": sequence})
        except ApiRefused:
            continue
        message = answer["message"]
        if message["subject"] == probe_subject(stream):
            continue  # gone in a second
        lines = base64.b64decode(message.get("hdrs", "")).decode().split("\r\n")[1:]
        headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        headers = whole_headers(message["subject"], headers) if "ce-id" in headers and "ce-time" in headers else headers
        messages.append(Stored(message["subject"], headers, base64.b64decode(message.get("data", ""))))
    return messages


async def ids_on(broker: Broker, stream: str) -> set[str]:
    """The ids of the events on `stream`."""
    return {message.headers["ce-id"] for message in await stored(broker, stream)}


async def echoes(database: Database) -> list[str]:
    """The texts that were echoed, in order, as often as they were."""
    async with database.read() as session:
        return [row[0] for row in await session.execute(text("SELECT text FROM echo ORDER BY echo_id"))]
