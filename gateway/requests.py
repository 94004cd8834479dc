"""What a raw request tells, read once: headers, body within a bound, the sender's
address, and answers that any page may read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from starlette.types import Message, Receive, Scope, Send

from chassis.errors import BadInput, Forbidden, Malformed, MethodNotAllowed, Problem, TooLarge, UnsupportedMediaType
from chassis.web.problems import answer
from gateway.domain.body import within
from gateway.domain.capture import CaptureSender
from gateway.domain.origins import origin_told
from gateway.domain.refusal import CaptureRefused, RefusalKind, Reject
from gateway.request_log import COUNTS, OWNER

ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-max-age", b"86400"),
    (b"vary", b"origin, access-control-request-headers"),
]
_USUAL_HEADERS = b"authorization, content-type, content-encoding, x-requested-with"
_HEADER_NAMES = re.compile(rb"[\w\-.!#$%&'*+^`|~, \t]{1,2000}")
_ORIGIN = re.compile(rb"[\x21-\x7e]{1,300}")
_PROBLEMS: Mapping[RefusalKind, type[Problem]] = {
    RefusalKind.MALFORMED: Malformed,
    RefusalKind.WRONG: BadInput,
    RefusalKind.TOO_LARGE: TooLarge,
    RefusalKind.UNSUPPORTED: UnsupportedMediaType,
    RefusalKind.FORBIDDEN: Forbidden,
}
_MAX_USER_AGENT = 1_000


class ClientGone(Exception):
    """The caller hung up before its body was complete."""


class MethodNotOffered(MethodNotAllowed):
    """This path takes other methods."""

    slug = "method-not-offered"

    def __init__(self, offered: Sequence[str]) -> None:
        super().__init__(f"This path takes {', '.join(offered)}")
        self._offered = tuple(offered)

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self._offered)}


class Incoming:
    """One request. Header names are lower-case; of a repeated header the last counts."""

    __slots__ = ("_scope", "headers", "stated")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.stated: list[tuple[bytes, bytes]] = []  # headers of its answer: how its sender stands with a limit

    def header(self, name: bytes) -> str:
        """A header's value, or an empty text."""
        return self.headers.get(name, b"").decode("latin-1")

    def query(self, name: str) -> str | None:
        """The first value of a query parameter."""
        raw: bytes = self._scope["query_string"]
        if not raw:
            return None
        values = parse_qs(raw.decode("latin-1"), max_num_fields=None).get(name)
        return values[0] if values else None

    def query_names(self, most: int) -> list[str]:
        """The names of query parameters, without their values; of `most` at most, each cut to 64 characters."""
        raw: bytes = self._scope["query_string"]
        parts = raw.decode("latin-1").split("&", most)[:most]
        return [name[:64] for part in parts if (name := unquote_plus(part.partition("=")[0]))]

    def page_origin(self) -> str:
        """Of which page it tells; empty when it does not."""
        return origin_told(self.header(b"origin"), self.header(b"referer"))

    def base_url(self, public_url: str | None) -> str:
        """What this gateway is reached under: as it was told, or else the address that the connection came to. What the
        request itself says decides nothing: answers are cached, and links go to others.
        """
        if public_url:
            return public_url.rstrip("/")
        host, port = self._scope.get("server") or ("127.0.0.1", None)
        host = f"[{host}]" if ":" in host else host
        return f"{self._scope['scheme']}://{host}" + (f":{port}" if port else "")

    def belongs_to(self, owner_id: str | None) -> None:
        """The request came with a secret of this key or source: it is remembered there."""
        if owner_id is not None:
            self._scope[OWNER] = owner_id

    def counted(self, taken: int, rejects: Sequence[Reject] = ()) -> None:
        """So many events came in it, and these of them were refused."""
        self._scope[COUNTS] = (taken, len(rejects), f"{rejects[0].field} {rejects[0].reason}" if rejects else None)

    def cookies(self) -> dict[str, str]:
        """The cookies, as they were written."""
        pairs = (part.partition("=") for part in self.header(b"cookie").split(";"))
        return {name.strip(): value.strip() for name, found, value in pairs if found}

    def sender(self, trusted_proxies: int) -> CaptureSender:
        """Whose browser this is. Behind proxies of our own the address is the one that the outermost of them saw."""
        client = self._scope.get("client")
        address = client[0] if client else None
        if trusted_proxies:
            forwarded = [hop.strip() for hop in self.header(b"x-forwarded-for").split(",") if hop.strip()]
            address = forwarded[-min(trusted_proxies, len(forwarded))] if forwarded else address
        return CaptureSender(address, self.header(b"user-agent")[:_MAX_USER_AGENT] or None)


async def read_body(receive: Receive, announced: bytes | None, limit: int) -> bytes:
    """The whole body. Raises Refused beyond `limit` bytes (not reading on), ClientGone when it is cut off."""
    if announced is not None and announced.isdigit() and int(announced[:20]) > limit:
        raise _too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body", False):
        return within(body, limit)
    chunks, size = [body], len(body)
    while message["type"] == "http.request" and message.get("more_body", False):
        message = await receive()
        chunk: bytes = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
    if message["type"] != "http.request":
        raise ClientGone
    return b"".join(chunks)


def problem_of(refused: CaptureRefused) -> Problem:
    """A refusal as the caller is told of it."""
    return _PROBLEMS[refused.fault](f"{refused.field} {refused.reason}", field=refused.field, remedy=refused.remedy)


def origin_of(incoming: Incoming) -> list[tuple[bytes, bytes]]:
    """What lets the page that asked read the answer, also where it sends its cookies along: some beacons always do.

    No cookie lets anybody in here, so that any page may be answered so; without an origin it is any.
    """
    origin = incoming.headers.get(b"origin")
    if origin is None or origin == b"null" or _ORIGIN.fullmatch(origin) is None:
        return [ANY_ORIGIN]
    allowed = [(b"access-control-allow-origin", origin), (b"access-control-allow-credentials", b"true")]
    return [*allowed, (b"vary", b"origin")]


async def send_json(
    send: Send,
    status: int,
    body: bytes,
    origin: Sequence[tuple[bytes, bytes]] = (ANY_ORIGIN,),
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """Answer with JSON that any page, or the page of `origin_of`, may read."""
    said = [*json_headers(body, origin), *headers]
    await send({"type": "http.response.start", "status": status, "headers": said})
    await send({"type": "http.response.body", "body": body})


def json_headers(body: bytes, origin: Sequence[tuple[bytes, bytes]] = (ANY_ORIGIN,)) -> list[tuple[bytes, bytes]]:
    """Of an answer that is JSON, with who may read it."""
    return [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *origin]


async def send_problem(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a problem that any page may read."""
    response = answer(problem, scope["path"])
    for name, value in origin_of(Incoming(scope)):
        response.headers[name.decode()] = value.decode("latin-1")
    await response(scope, receive, send)


async def send_preflight(scope: Scope, send: Send) -> None:
    """Allow a browser to send what it asked for: the headers it names, whatever an SDK adds on a retry."""
    incoming = Incoming(scope)
    asked = incoming.headers.get(b"access-control-request-headers", b"")
    allowed = asked if _HEADER_NAMES.fullmatch(asked) else _USUAL_HEADERS
    origin = [header for header in origin_of(incoming) if header[0] != b"vary"]
    headers = [*origin, (b"access-control-allow-headers", allowed), *_PREFLIGHT]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def readable_by_any_page(send: Send) -> Send:
    """`send`, with the header that lets any page read the answer."""

    async def send_readable(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], ANY_ORIGIN]}
        await send(message)

    return send_readable


def name_route(scope: Scope, template: str) -> None:
    """Tell metrics and traces which route this was; paths themselves may hold keys and ids."""
    scope["route"] = _Named(template)


def _too_large(limit: int) -> CaptureRefused:
    return CaptureRefused("body", f"is larger than {limit // 1024} KB", RefusalKind.TOO_LARGE)


class _Named:
    __slots__ = ("path_format",)

    def __init__(self, template: str) -> None:
        self.path_format: Any = template
