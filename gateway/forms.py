"""The door for forms: a post is a lead, so it is taken even while NATS is away,
and the visitor sees what they always see.
"""

from __future__ import annotations

import html
from collections import OrderedDict
from datetime import datetime, timedelta

import orjson
from starlette.types import Receive, Scope, Send

from chassis.errors import Problem, Unavailable
from chassis.runtime import Runtime
from chassis.store import outbox
from contracts.limits import BATCH_BYTES, CAPTURE_BYTES, EXCERPT_BYTES, KB
from gateway import requests
from gateway.capture import CaptureService
from gateway.domain.capture import Capture
from gateway.domain.forms.form_body import decode
from gateway.domain.forms.submission import Form, FormReading, Visit, message_id_of, read_form
from gateway.domain.refusal import CaptureRefused, RefusalKind
from gateway.requests import ANY_ORIGIN, ClientGone, Incoming, MethodNotOffered

DOUBLE_CLICK = timedelta(seconds=60)

_REMEMBERED_POSTS = 10_000
_THANKS = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Thank you</title>
<body style="font-family:system-ui;margin:20vh auto;max-width:30em;text-align:center">
<h1>Thank you</h1><p>We have received your message.</p></body></html>
"""


class RecentPosts:
    """Which message a post is: the same content within a minute is one double
    click, whatever the clock shows in between.

    Held by this process; another replica falls back on the minute of the clock, which
    differs only where the two clicks straddle it.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[str, datetime]] = OrderedDict()

    def message_id(self, reading: FormReading, received_at: datetime) -> str:
        """The message id of a post."""
        if reading.named_message_id is not None:
            return reading.named_message_id
        known = self._seen.get(reading.content)
        if known is not None and received_at - known[1] <= DOUBLE_CLICK:
            return known[0]
        message_id = message_id_of(reading.content, received_at)
        self._seen[reading.content] = (message_id, received_at)
        self._seen.move_to_end(reading.content)
        if len(self._seen) > _REMEMBERED_POSTS:
            self._seen.popitem(last=False)
        return message_id


class FormService:
    """Answers `POST /v1/forms/{form_id}`."""

    def __init__(self, service: CaptureService, runtime: Runtime, body_limit: int) -> None:
        self._captures = service
        self._runtime = runtime
        self._body_limit = body_limit
        self._recent = RecentPosts()

    async def answer(self, form_id: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one post. GET and PATCH of a form are the API's, and do not come here."""
        requests.name_route(scope, "/v1/forms/{form_id}")
        if scope["method"] == "OPTIONS":
            await requests.send_preflight(send)
            return
        try:
            if scope["method"] != "POST":
                raise MethodNotOffered(("GET", "POST", "PATCH", "OPTIONS"))
            await self._take(self._captures.directory.form(form_id), Incoming(scope), receive, send)
        except ClientGone:
            return
        except CaptureRefused as refused:
            await requests.send_problem(requests.problem_of(refused), scope, receive, send)
        except Problem as problem:
            await requests.send_problem(problem, scope, receive, send)

    async def _take(self, form: Form, incoming: Incoming, receive: Receive, send: Send) -> None:
        may_hold_files = incoming.header(b"content-type").lstrip().lower().startswith("multipart/")
        limit = self._body_limit if may_hold_files else min(self._body_limit, BATCH_BYTES)
        raw = await requests.read_body(receive, incoming.headers.get(b"content-length"), limit)
        received_at = self._captures.clock()
        try:
            submission = decode(raw, incoming.header(b"content-type"), incoming.query("encoding"))
            reading = read_form(form, submission, self._visit(incoming), received_at)
            capture = reading.capture(self._recent.message_id(reading, received_at))
            if len(capture.body) > CAPTURE_BYTES:
                raise CaptureRefused("body", f"holds more than {CAPTURE_BYTES // KB} KB of text", RefusalKind.TOO_LARGE)
        except CaptureRefused as refused:
            self._captures.note(form.source, received_at, refused, raw[:EXCERPT_BYTES].decode("utf-8", "replace"))
            raise
        is_stored = await self._store(capture)
        await _thank(send, incoming, reading.return_url, 200 if is_stored else 202)

    async def _store(self, capture: Capture) -> bool:
        """Put it on the stream, or else on this disk, from where the relay brings
        it there later. False in the second case.
        """
        try:
            if not self._runtime.broker.is_ready:
                # a visitor need not wait until it says so once more
                raise Unavailable("NATS is away, or takes nothing")
            await self._captures.store((capture,))
        except Unavailable:
            async with self._runtime.database.begin() as session:
                await outbox.append(
                    session, [(capture.event_id, message) for message in self._captures.messages((capture,))]
                )
            if self._runtime.relay is not None:
                self._runtime.relay.wake()
            return False
        return True

    def _visit(self, incoming: Incoming) -> Visit:
        language = incoming.header(b"accept-language").partition(",")[0].partition(";")[0].strip()[:35]
        return Visit(
            incoming.sender(self._captures.trusted_proxies),
            incoming.header(b"referer") or None,
            incoming.cookies(),
            language or None,
        )


async def _thank(send: Send, incoming: Incoming, return_url: str | None, status: int) -> None:
    if "text/html" not in incoming.header(b"accept"):
        answer = {"success": True} if return_url is None else {"success": True, "return_url": return_url}
        await requests.send_json(send, status, orjson.dumps(answer))
        return
    kind = [(b"content-type", b"text/html; charset=utf-8"), ANY_ORIGIN]
    if return_url is None:
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*kind, (b"content-length", str(len(_THANKS)).encode())],
            }
        )
        await send({"type": "http.response.body", "body": _THANKS})
        return
    page = f'<a href="{html.escape(return_url)}">Thank you</a>'.encode()
    location = (b"location", _as_header(return_url))
    await send(
        {
            "type": "http.response.start",
            "status": 303,
            "headers": [*kind, location, (b"content-length", str(len(page)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": page})


def _as_header(url: str) -> bytes:
    """A URL in ASCII; what is beyond it is percent-encoded, as browsers do."""
    return "".join(
        mark if mark.isascii() else "".join(f"%{byte:02X}" for byte in mark.encode()) for mark in url
    ).encode()
