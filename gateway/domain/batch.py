"""A batch: each event stands for itself, so one bad event never takes a good one with it.
Unless all of them together are too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
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
from contracts.values import InteractionKind, JsonObject, SourceKind
from gateway.domain import hints
from gateway.domain.body import is_empty_map, kind_of
from gateway.domain.capture import Capture, CaptureDraft, CaptureSender, CaptureSource, ids_of
from gateway.domain.refusal import CaptureRefused, RefusalKind, Reject
from gateway.domain.segment import check_time, draft_event, read_event, seal_event

_ABREAST = 32  # events that are drafted before their ids are made


@dataclass(frozen=True, slots=True)
class BatchArrival:
    """When, from whom and over which connection something came."""

    source: CaptureSource
    received_at: datetime  # aware UTC
    sender: CaptureSender
    is_import: bool = False  # history: an event that cannot say when it happened is refused


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
    reader = _Reader(arrival, size)
    for start in range(0, len(events), _ABREAST):
        run = events[start : start + _ABREAST]
        reader.read(start, run, [_completed(event, defaults, context) for event in run] if defaults or context else run)
    return BatchReading(tuple(reader.captures), tuple(reader.rejects))


class _Reader:
    """Reads events a run at a time: many ids are made at once for little more than one, and a
    batch that makes too much is found out early.
    """

    def __init__(self, arrival: BatchArrival, size: int) -> None:
        self.captures: list[Capture] = []
        self.rejects: list[Reject] = []
        self._source, self._received_at = arrival.source, arrival.received_at
        self._sender = arrival.sender if arrival.source.kind is SourceKind.WEB else None
        self._is_import = arrival.is_import
        self._size = size
        self._written = 0

    def read(self, start: int, events: Sequence[Any], completed: Sequence[Any]) -> None:
        """Take the `events` from number `start` on, as they came and as the batch completed them."""
        rejects: list[Reject] = []
        drafts: list[tuple[int, CaptureDraft]] = []
        for index, event in enumerate(completed):
            try:
                draft = draft_event(event, None, self._received_at, self._sender)
                if self._is_import:
                    check_time(draft)
                drafts.append((index, draft))
            except CaptureRefused as refused:
                rejects.append(Reject(start + index, refused.field, refused.told, excerpt_of(events[index])))
        places = [start + index for index, _ in drafts]
        made = ids_of([draft for _, draft in drafts], self._source, self._received_at, places)
        for (index, draft), ids in zip(drafts, made, strict=True):
            try:
                capture = seal_event(draft, self._source, ids)
            except CaptureRefused as refused:
                rejects.append(Reject(start + index, refused.field, refused.told, excerpt_of(events[index])))
                continue
            self._count(capture, start + index + 1)
            if (reason := _too_large(capture, completed[index])) is not None:
                rejects.append(Reject(start + index, "event", reason, excerpt_of(events[index])))
            else:
                self.captures.append(capture)
        self.rejects += sorted(rejects, key=attrgetter("index"))

    def _count(self, capture: Capture, events: int) -> None:
        self._written += len(capture.body)
        if self._written > COMPLETED_FACTOR * self._size + ENVELOPE_BYTES * events:
            raise CaptureRefused(
                "context",
                f"would be kept with each event, more than {COMPLETED_FACTOR} times the batch in all",
                RefusalKind.TOO_LARGE,
            )


def excerpt_of(event: Any) -> str:
    """The start of an event as JSON, for the list of rejects."""
    try:
        return orjson.dumps(event)[:EXCERPT_BYTES].decode("utf-8", "ignore")
    except orjson.JSONEncodeError:
        return "(nests too deep to be shown)"


def _context_of(body: JsonObject, size: int) -> JsonObject | None:
    """What the batch says for all of its events."""
    context = body.get("context")
    if is_empty_map(context):
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
        if isinstance(own, dict):
            completed["context"] = {**context, **own}
        elif own is None or is_empty_map(own):
            completed["context"] = context
    return completed


def _too_large(capture: Capture, completed: Any) -> str | None:
    """Why it is too large to be kept. What is kept as little costs nothing more to judge;
    else the event is measured as it was sent.
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
