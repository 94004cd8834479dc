"""The door that every request comes through: trace, token, size, NUL, time, and the last word on errors.

One pure ASGI middleware, because each further one costs, and Starlette's BaseHTTPMiddleware most of all.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog
from opentelemetry.trace import Span, SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.errors import BadInput, Malformed, Problem, TooLarge, Unavailable
from chassis.metrics import Metrics
from chassis.telemetry import Telemetry, carried_trace, current_ids, mark_failed
from chassis.web.auth import TokenVerifier
from chassis.web.problems import answer, from_unexpected

log = structlog.get_logger()

BEGAN = "rapport.began"
"""In the scope of what came by the express lane: when it came (`time.perf_counter`)."""
IS_RECORDED = "rapport.is_recorded"
"""... and whether its trace is recorded, which was drawn there."""
REQUEST_ID = b"x-request-id"
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/readyz/traffic", "/metrics", "/openapi.json", "/lanesz"})
_READ = frozenset({b"authorization", b"content-length", b"content-type", b"traceparent", b"tracestate"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NUL = re.compile(rb"\x00|(?<!\\)(?:\\\\)*\\u0000")
_NUL_REACH = 64  # bytes of one chunk that are looked at again with the next: an escape may be cut in two


@dataclass(frozen=True, slots=True)
class AccessRules:
    """What the door insists on.

    `verifier` None: no token is asked for (the gateway), and a stranger's trace is not joined.
    """

    verifier: TokenVerifier | None
    body_limit: int  # bytes

    @property
    def is_public(self) -> bool:
        return self.verifier is None


class RequestMiddleware:
    """Wraps the application; see the module."""

    def __init__(self, app: ASGIApp, *, rules: AccessRules, metrics: Metrics, telemetry: Telemetry) -> None:
        self._app = app
        self._rules = rules
        self._metrics = metrics
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _READ}
        exchange = _Exchange(scope, receive, send, self._limit(headers))
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        began = scope.get(BEGAN) or time.perf_counter()
        parent = None if self._rules.is_public else carried_trace(headers)
        with self._telemetry.span(method, SpanKind.SERVER, parent, is_recorded=scope.get(IS_RECORDED)) as span:
            await self._answer(exchange, headers, span)
            route = getattr(scope.get("route"), "path_format", "unmatched")
            _describe(span, method, route, exchange.status)
        self._metrics.request_answered(method, route, exchange.status, time.perf_counter() - began)

    async def _answer(self, exchange: _Exchange, headers: Mapping[str, str], span: Span) -> None:
        try:
            self._admit(exchange.scope, headers)
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except Problem as problem:
            await exchange.refuse(problem)
        except Exception as error:
            mark_failed(span, error)
            told = _told(error, exchange.scope)
            log.error("request.failed", exc_info=error, problem=type(told).__name__, path=exchange.scope["path"])
            if exchange.status:
                raise  # the head is out: all that is left is to break the connection off
            await exchange.refuse(told)

    def _admit(self, scope: Scope, headers: Mapping[str, str]) -> None:
        if self._rules.verifier is not None and scope["path"] not in OPEN_PATHS:
            scope["rapport.principal"] = self._rules.verifier.principal_of_header(headers.get("authorization"))
        if "\x00" in scope["path"] or b"%00" in scope["query_string"] or b"\x00" in scope["query_string"]:
            raise Malformed("The address contains a NUL character", remedy="Leave it out")

    def _limit(self, headers: Mapping[str, str]) -> _Limit:
        length = headers.get("content-length", "")
        looks_for_nul = not self._rules.is_public and "json" in headers.get("content-type", "")
        return _Limit(self._rules.body_limit, int(length) if length.isdecimal() else 0, looks_for_nul)


@dataclass(slots=True)
class _Limit:
    """How much of a body is read, and whether it may hold NUL characters (which PostgreSQL cannot store)."""

    most_bytes: int
    announced: int
    looks_for_nul: bool
    read: int = 0
    tail: bytes = b""

    def check(self, chunk: bytes) -> None:
        self.read += len(chunk)
        if max(self.read, self.announced) > self.most_bytes:
            raise TooLarge(f"The body is longer than {self.most_bytes} bytes", remedy="Send less at a time")
        if self.looks_for_nul:
            self._check_nul(chunk)

    def _check_nul(self, chunk: bytes) -> None:
        seen = self.tail + chunk
        if _NUL.search(seen):
            raise BadInput("The text contains a NUL character", field="body", remedy="Leave it out")
        self.tail = seen[-_NUL_REACH:]


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: _Limit) -> None:
        self.scope = scope
        self.status = 0  # 0: the answer has not begun
        self._receive = receive
        self._send = send
        self._limit = limit
        self._refusal: Problem | None = None
        self._is_replaced = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            try:
                self._limit.check(message.get("body", b""))
            except Problem as problem:
                # frameworks make a 400 of any error while the body is read; `send` puts it right
                self._refusal = problem
                raise
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._refusal is not None:
                await self.refuse(self._refusal)
                return
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], *_request_id()]}
        if not self._is_replaced:
            await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        if self._is_replaced:
            return
        self._is_replaced, self.status = True, problem.status
        with suppress(OSError):  # the caller may have gone
            response = answer(problem, self.scope["path"])
            response.raw_headers += _request_id()
            await response(self.scope, self._receive, self._send)


def _request_id() -> list[tuple[bytes, bytes]]:
    """By which the caller can ask about this very request: the id of its trace, which finds its log lines too."""
    ids = current_ids()
    return [] if ids is None else [(REQUEST_ID, ids[0].encode())]


def _told(error: Exception, scope: Scope) -> Problem:
    runtime = getattr(scope["app"].state, "runtime", None)
    if runtime is not None and runtime.database.is_transient(error):
        return Unavailable("The store cannot be reached", remedy="Try again in a moment")
    if runtime is not None and runtime.database.is_conflict(error):
        return Unavailable("Somebody else was changing the same things", remedy="Try again in a moment")
    return from_unexpected(error)


def _describe(span: Span, method: str, route: str, status: int) -> None:
    if not span.is_recording():
        return
    span.update_name(f"{method} {route}")
    span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
