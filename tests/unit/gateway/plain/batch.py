"""A batch: each event stands for itself, so one bad event never takes a good one with it.

Unless all of them together are too much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import orjson

from contracts.limits import (
    BATCH_EVENTS,
    CAPTURE_BYTES,
    COMPLETED_FACTOR,
    ENVELOPE_BYTES,
    EVENT_BYTES,
    EXCERPT_BYTES,
    KB,
)
from contracts.values import InteractionKind, JsonObject
from gateway.domain import hints
from gateway.domain.batch import BatchArrival
from gateway.domain.body import kind_of
from gateway.domain.refusal import CaptureRefused, RefusalKind, Reject
from tests.unit.gateway.plain.capture import Capture
from tests.unit.gateway.plain.segment import read_event


@dataclass(frozen=True, slots=True)
class BatchReading:
    """What a batch turned out to be."""

    captures: tuple[Capture, ...]
    rejects: tuple[Reject, ...]


def read_single(event: JsonObject, kind: InteractionKind, arrival: BatchArrival) -> Capture:
    """The capture that the body of `/v1/<kind>` is."""
    capture = read_event(event, kind, arrival.source, arrival.received_at, arrival.sender)
    if (reason := _too_large(capture, event)) is not None:
        raise CaptureRefused("event", reason, RefusalKind.TOO_LARGE)
    return capture


def read_batch(body: JsonObject, size: int, arrival: BatchArrival) -> BatchReading:
    """All events of a batch; `size` is the length of its JSON in bytes.

    Raises `CaptureRefused` when it is not a batch, or when its context would make many times its size of it: no SDK
    reads which events were refused of a request that succeeded, but each tells of one that failed.
    """
    events = body.get("batch")
    if not isinstance(events, list):
        raise CaptureRefused("batch", "must be an array of events", remedy=hints.instead(body, "batch"))
    if len(events) > BATCH_EVENTS:
        raise CaptureRefused("batch", f"holds more than {BATCH_EVENTS} events", RefusalKind.TOO_LARGE)
    context = _context_of(body, size)
    sent_at = body.get("sentAt") or body.get("sent_at")
    defaults = {} if sent_at is None else {"sentAt": sent_at}
    captures, rejects, written = [], [], 0
    for index, event in enumerate(events):
        completed = _completed(event, defaults, context)
        try:
            capture = read_event(completed, None, arrival.source, arrival.received_at, arrival.sender)
        except CaptureRefused as refused:
            rejects.append(Reject(index, refused.field, refused.told, excerpt_of(event)))
            continue
        capture = _in_its_place(capture, index)
        written += len(capture.body)
        if written > COMPLETED_FACTOR * size + ENVELOPE_BYTES * (index + 1):
            raise CaptureRefused(
                "context",
                f"would be kept with each event, more than {COMPLETED_FACTOR} times the batch in all",
                RefusalKind.TOO_LARGE,
            )
        if (reason := _too_large(capture, completed)) is not None:
            rejects.append(Reject(index, "event", reason, excerpt_of(event)))
        else:
            captures.append(capture)
    return BatchReading(tuple(captures), tuple(rejects))


def _in_its_place(capture: Capture, index: int) -> Capture:
    """Its interaction's id, with the position as letters eleven to thirteen of what follows `int_`."""
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    place = "".join(letters[index // 32**power % 32] for power in (2, 1, 0)).encode()
    start = capture.body.index(b'"int_') + len(b'"int_') + 10
    return replace(capture, body=capture.body[:start] + place + capture.body[start + 3 :])


def excerpt_of(event: Any) -> str:
    """The start of an event as JSON, for the list of rejects."""
    try:
        return orjson.dumps(event)[:EXCERPT_BYTES].decode("utf-8", "ignore")
    except orjson.JSONEncodeError:
        return "(nests too deep to be shown)"


def _context_of(body: JsonObject, size: int) -> JsonObject | None:
    """What the batch says for all of its events."""
    context = body.get("context")
    if context == []:
        return None
    if context is not None and not isinstance(context, dict):
        raise CaptureRefused("context", f"must be a JSON object, not {kind_of(context)}")
    if context and size > EVENT_BYTES and _size_of(context) > EVENT_BYTES:
        raise CaptureRefused(
            "context", f"is larger than {EVENT_BYTES // KB} KB, more than any event may be", RefusalKind.TOO_LARGE
        )
    return context


def _completed(event: Any, defaults: JsonObject, context: JsonObject | None) -> Any:
    """The event with what the batch says for all of them."""
    if not isinstance(event, dict):
        return event
    completed = {**defaults, **event}
    if context:
        own = event.get("context")
        if own is None or own == []:
            completed["context"] = context
        elif isinstance(own, dict):
            completed["context"] = {**context, **own}
    return completed


def _too_large(capture: Capture, completed: Any) -> str | None:
    """Why it is too large to be kept.

    What is kept as little costs nothing more to judge; else the event is measured as it was sent.
    """
    if len(capture.body) <= EVENT_BYTES:
        return None
    if _size_of(completed) > EVENT_BYTES:
        return f"is larger than {EVENT_BYTES // KB} KB, the batch's context included"
    return f"makes more than {CAPTURE_BYTES // KB} KB to keep" if len(capture.body) > CAPTURE_BYTES else None


def _size_of(value: Any) -> int:
    try:
        return len(orjson.dumps(value))
    except orjson.JSONEncodeError:
        return 0  # too deep: the reader says so
