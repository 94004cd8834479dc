"""Passing requests on to services: streamed both ways, hop-by-hop headers dropped, failures told as problems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from yarl import URL

from chassis.errors import Problem, TimedOut, Unavailable
from chassis.telemetry import trace_headers
from chassis.web.auth import Principal, TokenIssuer
from chassis.web.problems import MEDIA_TYPE
from gateway.requests import Incoming, read_body
from gateway.retries import Retries
from gateway.routes import Route

# https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1, and what speaks of the connection to the gateway only
_HOPS = (
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"host",
)
_OURS = (b"authorization", b"cookie", b"traceparent", b"tracestate", b"forwarded", b"x-forwarded-for", b"expect")
_HOP_BY_HOP = frozenset((*_HOPS, *_OURS))
_NOT_BACK = frozenset(
    (b"connection", b"keep-alive", b"transfer-encoding", b"trailer", b"upgrade", b"server", b"date", b"x-request-id")
)
_OF_BODY = frozenset((b"content-type", b"content-length", b"content-encoding", b"transfer-encoding"))
_CHUNK = 64 * 1024
REPEATABLE = frozenset(("GET", "HEAD"))


@dataclass(slots=True)
class Upstreams:
    """The services, by name, and one client for all of them."""

    session: aiohttp.ClientSession
    urls: Mapping[str, str]
    tokens: TokenIssuer
    retries: Retries
    single: aiohttp.ClientSession  # each request on a connection of its own

    async def ask(self, upstream: str, method: str, path: str, caller: Principal, **options: Any) -> Any:
        """A JSON answer for the gateway's own use. Raises Unavailable or TimedOut when
        there is none, AnsweredBadly when it refuses.
        """

        async def attempt(limit: aiohttp.ClientTimeout) -> Any:
            async with self.session.request(
                method, self.urls[upstream] + path, headers=self.headers_for(caller), timeout=limit, **options
            ) as answer:
                body = await answer.read()
                if answer.status >= 500:
                    raise Unavailable(f"{upstream} could not answer", remedy="Try again in a moment")
                if answer.status >= 400:
                    raise AnsweredBadly(upstream, answer.status, body, answer.content_type)
                return await answer.json(content_type=None)

        within = options.pop("timeout_seconds", 2.0)
        try:
            return await self.retries.ask(upstream, attempt, lambda: method in REPEATABLE, within)
        except TimeoutError as error:
            raise _late(upstream) from error
        except aiohttp.ClientError as error:
            raise _away(upstream) from error

    def headers_for(self, caller: Principal) -> dict[str, str]:
        """Who asks, and as part of which trace."""
        return {"authorization": f"Bearer {self.tokens.token_for(caller)}", **trace_headers()}


class AnsweredBadly(Exception):
    """An upstream refused what was asked (4xx)."""

    def __init__(self, upstream: str, status: int, body: bytes, media_type: str) -> None:
        super().__init__(f"{upstream} answered {status}")
        self.upstream = upstream
        self.status = status
        self.body = body
        self.media_type = media_type


async def pass_on(
    upstreams: Upstreams, route: Route, names: Mapping[str, str], caller: Principal, exchange: Exchange
) -> None:
    """Ask the route's upstream what the caller asked, and answer what it answers."""
    scope = exchange.scope
    headers = _forwarded(scope) + list(upstreams.headers_for(caller).items())
    path = quote(route.upstream_path(scope["path"], names), safe="/:@!$&'()*+,;=~-._")
    query = scope["query_string"].decode("latin-1")
    url = URL(upstreams.urls[route.upstream] + path + (f"?{query}" if query else ""), encoded=True)
    is_repeatable = scope["method"] in REPEATABLE
    # one that waits in a pool may be closed at any moment, and then it is not known what became of the request
    session = upstreams.session if is_repeatable else upstreams.single

    async def attempt(limit: aiohttp.ClientTimeout) -> None:
        body = exchange.body() if _has_body(scope) else None
        async with session.request(
            scope["method"], url, headers=headers, data=body, timeout=limit, allow_redirects=False
        ) as answer:
            await _answer(answer, exchange, scope["path"] if route.to is not None else None)

    def may_repeat() -> bool:
        return is_repeatable and not exchange.has_begun and exchange.refusal is None

    try:
        await upstreams.retries.ask(route.upstream, attempt, may_repeat, route.timeout_seconds)
    except (TimeoutError, aiohttp.ClientError) as error:
        if exchange.has_begun or exchange.refusal is not None:
            # half an answer is out, or it was the caller's own body that was refused
            raise exchange.refusal or error from None
        raise (_late if isinstance(error, TimeoutError) else _away)(route.upstream) from error


class Exchange:
    """One request that is passed on."""

    __slots__ = ("_receive", "_send", "has_begun", "refusal", "scope")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.has_begun = False
        self.refusal: Problem | None = None
        self._receive = receive
        self._send = send

    async def body(self) -> AsyncIterator[bytes]:
        """The request's body as it comes in."""
        while True:
            try:
                message = await self._receive()
            except Problem as problem:
                self.refusal = problem
                raise
            if message.get("body"):
                yield message["body"]
            if message["type"] != "http.request" or not message.get("more_body", False):
                return

    async def send(self, message: Any) -> None:
        """A part of the answer."""
        self.has_begun = True
        await self._send(message)

    async def answer(self, response: ASGIApp) -> None:
        """The whole answer, where it is the gateway's own."""
        await response(self.scope, self._receive, self.send)

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises CaptureRefused beyond `limit` bytes, ClientGone when it is cut off."""
        return await read_body(self._receive, Incoming(self.scope).headers.get(b"content-length"), limit)

    def with_body(self, body: bytes) -> Exchange:
        """The same request with another body, as JSON: what was read is what is passed on."""
        kept = [(name, value) for name, value in self.scope["headers"] if name not in _OF_BODY]
        own = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        return Exchange({**self.scope, "headers": [*kept, *own]}, receive, self._send)


def told_at(problem: bytes, path: str) -> bytes:
    """A service's problem document, told of the path that the caller asked for instead of the service's own."""
    try:
        told = orjson.loads(problem)
    except orjson.JSONDecodeError:
        return problem
    return orjson.dumps({**told, "instance": path}) if isinstance(told, dict) else problem


async def _answer(answer: aiohttp.ClientResponse, exchange: Exchange, path: str | None) -> None:
    """`path`: what the caller asked for, where the service knows it by another name."""
    headers = [(name.lower(), value) for name, value in answer.raw_headers if name.lower() not in _NOT_BACK]
    if path is not None and answer.content_type == MEDIA_TYPE:
        body = told_at(await answer.read(), path)
        headers = [(name, value) for name, value in headers if name != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await exchange.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await exchange.send({"type": "http.response.body", "body": body})
        return
    await exchange.send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for chunk in answer.content.iter_chunked(_CHUNK):
        await exchange.send({"type": "http.response.body", "body": chunk, "more_body": True})
    await exchange.send({"type": "http.response.body", "body": b""})


def _forwarded(scope: Scope) -> list[tuple[str, str]]:
    named = {name.strip().lower() for name in Incoming(scope).headers.get(b"connection", b"").split(b",")}
    kept = [(name, value) for name, value in scope["headers"] if name not in _HOP_BY_HOP and name not in named]
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in kept]


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return b"transfer-encoding" in names or (
        b"content-length" in names and Incoming(scope).headers[b"content-length"] != b"0"
    )


def _away(upstream: str) -> Unavailable:
    return Unavailable(f"{upstream} cannot be reached", remedy="Try again in a moment")


def _late(upstream: str) -> TimedOut:
    return TimedOut(f"{upstream} did not answer in time", remedy="Try again in a moment")
