"""The hot door: Segment-compatible captures, from raw bytes to one atomic batch on disk, then 200.

A pure ASGI layer before the framework's router: the path is looked up in a dict, nothing is built that is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

import orjson
from starlette.types import Receive, Scope, Send

from chassis.bus.coalescer import Told
from chassis.errors import NotFound, Problem, Unauthenticated
from chassis.lanes import Lanes
from chassis.message import OutMessage
from chassis.telemetry import trace_onward
from chassis.web.fast_path import OUTCOME
from contracts.limits import BATCH_BYTES, EVENT_BYTES, EXCERPT_BYTES
from contracts.values import InteractionKind, JsonObject
from gateway import requests
from gateway.admission import Admission, Arriving
from gateway.crowd import Crowd
from gateway.directory import Directory
from gateway.domain.batch import BatchArrival, BatchReading, excerpt_of, read_batch, read_single
from gateway.domain.body import inflate, parse
from gateway.domain.capture import Capture, CaptureSource
from gateway.domain.keys import key_header, write_key_in
from gateway.domain.refusal import CaptureRefused, Reject
from gateway.domain.sdk_settings import sdk_settings
from gateway.domain.segment import KINDS
from gateway.requests import ClientGone, Incoming, MethodNotOffered

BATCH = None  # the kind of a path whose body holds many events


class History(Enum):
    """The other kind of such a path: events of the past, of which each has to say when it happened."""

    IMPORT = "import"


Kind = InteractionKind | History | None
_BEACON = "/beacon"
_SUCCESS = orjson.dumps({"success": True})
_SINGLE = {name: kind for kind in KINDS.values() for name in (kind.value, kind.value[0])}
ENDPOINTS: dict[str, Kind] = {f"/v1/{name}": kind for name, kind in _SINGLE.items()} | {
    "/v1/batch": BATCH,
    "/v1/b": BATCH,
    "/v1/import": History.IMPORT,
    "/beacon/v1/batch": BATCH,
}
# Jitsu's: the same events under paths and with a key header of its own; no part of our document
JITSU: dict[str, Kind] = {f"/api/s/{way}{kind.value}": kind for way in ("", "s2s/") for kind in KINDS.values()}


class CapturePublisher(Protocol):
    """What stores captures: `publish` returns when they are on disk, `put` calls `told` then."""

    async def publish(self, messages: Sequence[OutMessage]) -> None: ...

    def put(self, messages: Sequence[OutMessage], told: Told) -> None: ...


class RejectLog(Protocol):
    """Who is told of what was not taken."""

    def note(self, source: CaptureSource, at: datetime, rejects: Sequence[Reject]) -> None: ...


@dataclass(slots=True)
class CaptureService:
    """What capturing needs, held for the life of the process."""

    directory: Directory
    publisher: CapturePublisher
    rejects: RejectLog
    clock: Callable[[], datetime]
    lanes: Lanes = field(default_factory=Lanes)
    trusted_proxies: int = 0
    public_url: str | None = None
    admission: Admission = field(default_factory=Admission)
    crowd: Crowd = field(default_factory=lambda: Crowd(0, lambda _: None))

    def source_of(self, write_key: str | None, incoming: Incoming) -> CaptureSource:
        """The source of a write key; the request is remembered as its own, also where the key is good no more. Raises
        Unauthenticated.
        """
        try:
            source = self.directory.source_of(write_key)
        except Unauthenticated:
            incoming.belongs_to(self.directory.owner_of(write_key))
            raise
        incoming.belongs_to(source.source_id)
        return source

    def note(self, source: CaptureSource, at: datetime, refused: CaptureRefused, excerpt: str) -> None:
        """Remember a request that was refused whole."""
        self.rejects.note(source, at, (Reject(0, refused.field, refused.told, excerpt),))

    async def store(self, captures: Sequence[Capture]) -> None:
        """Returns when all are on disk. Raises Unavailable otherwise."""
        await self.publisher.publish(self.messages(captures))

    def messages(self, captures: Sequence[Capture]) -> list[OutMessage]:
        """The captures as they travel; each carries the trace of the request it came with."""
        trace = trace_onward()
        if not trace:
            return self.untraced(captures)
        return [
            OutMessage(capture.subject(self.lanes.said), capture.headers() | trace, capture.body)
            for capture in captures
        ]

    def untraced(self, captures: Sequence[Capture]) -> list[OutMessage]:
        """The captures as they travel where no trace is recorded."""
        lanes = self.lanes.said
        return [OutMessage(capture.subject(lanes), capture.headers(), capture.body) for capture in captures]


def kind_of_path(path: str, prefixes: frozenset[str]) -> tuple[bool, Kind]:
    """(is a capture endpoint, kind) of a path, which may begin with one of `prefixes`."""
    if path in ENDPOINTS:
        return True, ENDPOINTS[path]
    if path in JITSU:
        return True, JITSU[path]
    at = path.find("/v1/")
    if at > len(_BEACON) and path.startswith(_BEACON, at - len(_BEACON)):  # RudderStack's: /<prefix>/beacon/v1/batch
        at -= len(_BEACON)
    if at > 0 and path[:at] in prefixes and path[at:] in ENDPOINTS:
        return True, ENDPOINTS[path[at:]]
    return False, BATCH


async def capture(service: CaptureService, kind: Kind, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request to a capture endpoint."""
    requests.name_route(scope, route_of(kind))
    if scope["method"] == "OPTIONS":
        await requests.send_preflight(scope, send)
        return
    try:
        if scope["method"] != "POST":
            raise MethodNotOffered(("POST", "OPTIONS"))
        if OUTCOME in scope:
            raise scope[OUTCOME]
        incoming = Incoming(scope)
        rejects = await _take(service, kind, incoming, receive)
    except ClientGone:
        return
    except CaptureRefused as refused:
        await requests.send_problem(requests.problem_of(refused), scope, receive, send)
    except Problem as problem:
        await requests.send_problem(problem, scope, receive, send)
    else:
        await requests.send_json(send, 200, success(rejects), requests.origin_of(incoming), incoming.stated)


async def sdk_settings_of(service: CaptureService, write_key: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer `GET /v1/projects/{writeKey}/settings`, which analytics.js asks for before it sends anything."""
    requests.name_route(scope, "/v1/projects/{write_key}/settings")
    if scope["method"] == "OPTIONS":
        await requests.send_preflight(scope, send)
        return
    try:
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotOffered(("GET", "HEAD", "OPTIONS"))
        if not service.directory.knows(write_key):
            raise NotFound("No source has this write key")
    except Problem as problem:
        await requests.send_problem(problem, scope, receive, send)
    else:
        url = Incoming(scope).base_url(service.public_url)
        await requests.send_json(
            send, 200, orjson.dumps(sdk_settings(write_key, url)), headers=[(b"cache-control", b"public, max-age=300")]
        )


async def _take(service: CaptureService, kind: Kind, incoming: Incoming, receive: Receive) -> tuple[Reject, ...]:
    """Read, judge and store one request's events; gives back those of a batch that were refused."""
    raw = await requests.read_body(receive, incoming.headers.get(b"content-length"), limit_of(kind))
    source, reading = judged(service, kind, raw, incoming)
    with service.admission.room(source, service.admission.shares.weight(reading.captures)):
        await service.store(reading.captures)
    return reading.rejects


def judged(service: CaptureService, kind: Kind, raw: bytes, incoming: Incoming) -> tuple[CaptureSource, BatchReading]:
    """Whose body it is and the events that it holds. What is refused of them, or with
    all of them (Refused, Problem), was noted; what comes too often was not (TooMany).
    """
    limit = limit_of(kind)
    received_at, authorization, in_query = (
        service.clock(),
        key_header(incoming.header(b"authorization"), incoming.header(b"x-write-key")),
        incoming.query("writeKey"),
    )
    try:
        encoding = incoming.header(b"content-encoding").strip().lower()
        raw = inflate(raw, encoding, limit) if encoding else raw
        body = parse(raw)
    except CaptureRefused as refused:
        if (key := write_key_in(authorization, None, in_query)) is not None:
            service.note(
                service.source_of(key, incoming), received_at, refused, raw[:EXCERPT_BYTES].decode("utf-8", "replace")
            )
        raise
    source = service.source_of(write_key_in(authorization, body.get("writeKey"), in_query), incoming)
    sender = incoming.sender(service.trusted_proxies)
    _admit(service, source, body, incoming, sender.ip)
    try:
        reading = _read(kind, body, len(raw), BatchArrival(source, received_at, sender, kind is History.IMPORT))
    except CaptureRefused as refused:
        service.note(source, received_at, refused, excerpt_of(body))
        raise
    if reading.rejects:
        service.rejects.note(source, received_at, reading.rejects)
    incoming.counted(len(reading.captures), reading.rejects)
    return source, reading


def _admit(
    service: CaptureService, source: CaptureSource, body: JsonObject, incoming: Incoming, address: str | None
) -> None:
    """Raises NotThisPage, TooManyEvents. A batch counts its events, good and bad; a body that is none counts once."""
    batch = body.get("batch")
    events = batch if isinstance(batch, list) and batch else (body,)
    origin = incoming.page_origin() if source.origins else ""
    standing = service.admission.admit(Arriving(source, address, origin, len(events), events))
    incoming.stated = [] if standing is None else standing.headers()


def limit_of(kind: Kind) -> int:
    """How many bytes a body may have, unpacked."""
    return EVENT_BYTES if isinstance(kind, InteractionKind) else BATCH_BYTES


def route_of(kind: Kind) -> str:
    """What metrics and traces call the endpoints of this kind."""
    return f"/v1/{kind.value}" if isinstance(kind, InteractionKind) else "/v1/batch"


def success(rejects: Sequence[Reject]) -> bytes:
    """The answer when all but `rejects` is on disk."""
    return _SUCCESS if not rejects else _partly(rejects)


def _read(kind: Kind, body: JsonObject, size: int, arrival: BatchArrival) -> BatchReading:
    if isinstance(kind, InteractionKind):
        return BatchReading((read_single(body, kind, arrival),), ())
    return read_batch(body, size, arrival)


def _partly(rejects: Sequence[Reject]) -> bytes:
    listed = [{"index": reject.index, "field": reject.field, "reason": reject.reason} for reject in rejects]
    return orjson.dumps({"success": True, "rejected": listed})
