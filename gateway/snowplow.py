"""The door for Snowplow's trackers: their POSTs and pixels become captures like any other."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import orjson
from starlette.types import Receive, Scope, Send

from chassis.errors import Problem, Unauthenticated
from contracts.limits import BATCH_BYTES
from contracts.values import JsonObject
from gateway import capture, requests
from gateway.admission import Arriving
from gateway.capture import CaptureService
from gateway.domain.batch import BatchArrival, BatchReading, excerpt_of, read_batch
from gateway.domain.body import inflate, parse
from gateway.domain.capture import CaptureSender, CaptureSource
from gateway.domain.protocols import snowplow
from gateway.domain.refusal import CaptureRefused, Reject
from gateway.requests import ClientGone, Incoming, MethodNotOffered

PIXEL: Final = "/i"
POSTS: Final = "/com.snowplowanalytics.snowplow/tp2"
_GIF: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_MOST_APPS: Final = 10  # a tracker's queue holds the events of one

Event = tuple[int, Any]  # its number in the request, and what came


async def answer(service: CaptureService, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request to a path of Snowplow's collector."""
    requests.name_route(scope, PIXEL if scope["path"] == PIXEL else POSTS)
    method, incoming = scope["method"], Incoming(scope)
    if method == "OPTIONS":
        await requests.send_preflight(scope, send)
        return
    try:
        if method == "POST" and scope["path"] != PIXEL:
            raw = await requests.read_body(receive, incoming.headers.get(b"content-length"), BATCH_BYTES)
            raw = inflate(raw, incoming.header(b"content-encoding").strip().lower(), BATCH_BYTES)
            rejects = await _take(service, snowplow.events_of(parse(raw)), incoming)
            await requests.send_json(send, 200, capture.success(rejects), requests.origin_of(incoming))
        elif method in ("GET", "HEAD") and scope["path"] == PIXEL:
            await _take(service, [snowplow.event_of_query(scope["query_string"])], incoming)
            await _send_pixel(send, incoming, is_head=method == "HEAD")
        else:
            raise MethodNotOffered(("GET", "OPTIONS") if scope["path"] == PIXEL else ("POST", "OPTIONS"))
    except ClientGone:
        return
    except CaptureRefused as refused:
        await requests.send_problem(requests.problem_of(refused), scope, receive, send)
    except Problem as problem:
        await requests.send_problem(problem, scope, receive, send)


async def _take(service: CaptureService, events: Sequence[Any], incoming: Incoming) -> tuple[Reject, ...]:
    """Judge and store the events; gives back those that were refused, which were noted."""
    received_at, sender = service.clock(), incoming.sender(service.trusted_proxies)
    page, readings = incoming.page_origin(), list[BatchReading]()
    with ExitStack() as rooms:
        for source, own in _by_source(service, events).values():
            incoming.belongs_to(source.source_id)
            reading = _judged(service, source, own, (received_at, sender, page))
            rooms.enter_context(service.admission.room(source, service.admission.shares.weight(reading.captures)))
            readings.append(reading)
        captures = [one for reading in readings for one in reading.captures]
        if captures:
            await service.store(captures)
    rejects = sorted((one for reading in readings for one in reading.rejects), key=lambda reject: reject.index)
    incoming.counted(len(captures), rejects)
    if len(rejects) == 1 == len(events):
        raise CaptureRefused(rejects[0].field, rejects[0].reason)
    return tuple(rejects)


def _by_source(service: CaptureService, events: Sequence[Any]) -> dict[str, tuple[CaptureSource, list[Event]]]:
    """The events of each source, in their order. Raises Unauthenticated where an app id is nobody's."""
    found: dict[str | None, CaptureSource] = {}
    parted: dict[str, tuple[CaptureSource, list[Event]]] = {}
    for index, event in enumerate(events):
        app_id = snowplow.app_id_of(event)
        if app_id not in found:
            if len(found) == _MOST_APPS:
                raise Unauthenticated(f"Events of more than {_MOST_APPS} app ids in one request", field="aid")
            found[app_id] = service.directory.source_of_app(app_id)
        source = found[app_id]
        if app_id not in service.directory.known.apps:  # it is a write key, which goes nowhere
            event = {name: value for name, value in event.items() if name != "aid"}
        parted.setdefault(source.source_id, (source, []))[1].append((index, event))
    return parted


def _judged(
    service: CaptureService, source: CaptureSource, events: Sequence[Event], came: tuple[datetime, CaptureSender, str]
) -> BatchReading:
    places, read, rejects = [], list[JsonObject](), list[Reject]()
    for index, event in events:
        try:
            read.append(snowplow.segment_event(event))
            places.append(index)
        except CaptureRefused as refused:
            rejects.append(Reject(index, refused.field, refused.told, excerpt_of(event)))
    service.admission.admit(Arriving(source, came[1].ip, came[2], len(events), read))
    arrival = BatchArrival(source, came[0], came[1])
    try:
        reading = read_batch({"batch": read}, len(orjson.dumps([event for _, event in events])), arrival)
    except CaptureRefused as refused:
        service.note(source, came[0], refused, excerpt_of(events[0][1]))
        raise
    rejects += [replace(reject, index=places[reject.index]) for reject in reading.rejects]
    if rejects:
        service.rejects.note(source, came[0], tuple(rejects))
    return BatchReading(reading.captures, tuple(rejects))


async def _send_pixel(send: Send, incoming: Incoming, *, is_head: bool) -> None:
    kind = [(b"content-type", b"image/gif"), (b"content-length", b"%d" % len(_GIF)), (b"cache-control", b"no-store")]
    headers = [*kind, *requests.origin_of(incoming)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else _GIF})
