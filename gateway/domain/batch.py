"""A batch: each event stands for itself, so one bad event never takes a good one with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from contracts.values import InteractionKind, JsonObject
from gateway.domain.body import MAX_EVENT_BYTES, kind_of
from gateway.domain.capture import Capture, Sender, Source
from gateway.domain.refusal import Fault, Refused, Reject
from gateway.domain.segment import read_event

MAX_EVENTS = 2_500  # 200 bytes an event in 500 KB; more than that is not a batch of events
MAX_EXCERPT = 300


@dataclass(frozen=True, slots=True)
class Arrival:
    """When, from whom and over which connection something came."""

    source: Source
    received_at: datetime  # aware UTC
    sender: Sender


@dataclass(frozen=True, slots=True)
class BatchReading:
    """What a batch turned out to be."""

    captures: tuple[Capture, ...]
    rejects: tuple[Reject, ...]


def read_single(event: JsonObject, kind: InteractionKind, arrival: Arrival) -> Capture:
    """The capture that the body of `/v1/<kind>` is."""
    return read_event(event, kind, arrival.source, arrival.received_at, arrival.sender)


def read_batch(body: JsonObject, size: int, arrival: Arrival) -> BatchReading:
    """All events of a batch; `size` is the length of its JSON in bytes. Raises `Refused` when it is not a batch."""
    events = body.get("batch")
    if not isinstance(events, list):
        raise Refused("batch", "must be an array of events")
    if len(events) > MAX_EVENTS:
        raise Refused("batch", f"holds more than {MAX_EVENTS} events", Fault.TOO_LARGE)
    context = body.get("context")
    if context is not None and not isinstance(context, dict):
        raise Refused("context", f"must be a JSON object, not {kind_of(context)}")
    defaults = {"sentAt": body.get("sentAt") or body.get("sent_at")}
    captures, rejects = [], []
    for index, event in enumerate(events):
        try:
            if size > MAX_EVENT_BYTES:
                _check_size(event)
            captures.append(read_event(_completed(event, defaults, context), None, arrival.source, arrival.received_at, arrival.sender))
        except Refused as refused:
            rejects.append(Reject(index, refused.field, refused.reason, excerpt_of(event)))
    return BatchReading(tuple(captures), tuple(rejects))


def excerpt_of(event: Any) -> str:
    """The start of an event as JSON, for the list of rejects."""
    try:
        return orjson.dumps(event).decode()[:MAX_EXCERPT]
    except orjson.JSONEncodeError:
        return "(nests too deep to be shown)"


def _completed(event: Any, defaults: JsonObject, context: JsonObject | None) -> Any:
    """The event with what the batch says for all of them."""
    if not isinstance(event, dict):
        return event
    completed = {**defaults, **event}
    if context:
        own = event.get("context")
        if own is None:
            completed["context"] = context
        elif isinstance(own, dict):
            completed["context"] = {**context, **own}
    return completed


def _check_size(event: Any) -> None:
    try:
        size = len(orjson.dumps(event))
    except orjson.JSONEncodeError:
        return  # too deep: the reader says so
    if size > MAX_EVENT_BYTES:
        raise Refused("event", f"is larger than {MAX_EVENT_BYTES // 1024} KB", Fault.TOO_LARGE)
