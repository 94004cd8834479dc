"""The door for forms: a post is a lead, so it is taken even while NATS is away,
and the visitor sees what they always see.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import NamedTuple

from starlette.types import Receive, Scope, Send

from chassis.errors import Forbidden, Problem, Unavailable
from chassis.runtime import Runtime
from chassis.store import outbox
from contracts.ids import hash_id
from contracts.limits import BATCH_BYTES, CAPTURE_BYTES, EXCERPT_BYTES, KB
from contracts.values import Flag
from gateway import form_pages, requests
from gateway.admission import Arriving
from gateway.capture import CaptureService
from gateway.domain.batch import excerpt_of
from gateway.domain.capture import Capture
from gateway.domain.forms import signatures
from gateway.domain.forms.form_body import decode
from gateway.domain.forms.kept_posts import kept, read_again
from gateway.domain.forms.submission import Form, FormReading, Visit, message_id_of, read_form
from gateway.domain.keys import hash_of
from gateway.domain.refusal import CaptureRefused, RefusalKind, Reject, RejectKind
from gateway.requests import ClientGone, Incoming, MethodNotOffered

DOUBLE_CLICK = timedelta(seconds=60)

_REMEMBERED_POSTS = 10_000
_LONGEST_CHALLENGE = 200
_SECRET = re.compile(
    r"((?:google_?key|handshake_?key|pass(?:word|wd)?|secret)\"?\s*[=:]\s*\"?)[^\"&,\s]+", re.IGNORECASE
)
_NAMES_TOLD = 30  # fields of a form that was sent by GET


class FormReplay(NamedTuple):
    """What a post that was read again was captured as, or why nobody was found in it."""

    message_id: str | None
    reason: str | None


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
            await requests.send_preflight(scope, send)
            return
        try:
            if scope["method"] in ("GET", "HEAD"):
                await self._answer_get(self._captures.directory.form(form_id), scope, send)
                return
            if scope["method"] != "POST":
                raise MethodNotOffered(("GET", "POST", "PATCH", "OPTIONS"))
            await self._take(self._captures.directory.form(form_id), Incoming(scope), receive, send)
        except ClientGone:
            return
        except CaptureRefused as refused:
            await form_pages.refuse(requests.problem_of(refused), scope, receive, send)
        except Problem as problem:
            await form_pages.refuse(problem, scope, receive, send)

    async def _answer_get(self, form: Form, scope: Scope, send: Send) -> None:
        """Meta's question; or a form that its page sends by GET. That puts what a visitor writes into addresses, and so
        into logs and histories: it is not taken, the visitor is told, and the owner finds it among the rejects.
        """
        if b"hub.challenge=" in scope["query_string"]:
            await _answer_handshake(form, Incoming(scope), send)
            return
        names = ", ".join(Incoming(scope).query_names(_NAMES_TOLD))
        if names:
            remedy = 'write method="post" into the form; nothing of it was kept'
            refused = CaptureRefused("method", "is GET: what was filled in stood in the address", remedy=remedy)
            self._captures.note(form.source, self._captures.clock(), refused, f"fields: {names}"[:EXCERPT_BYTES])
        await form_pages.send_page(
            send, 405, form_pages.SENT_BY_GET, [(b"allow", b"POST, OPTIONS"), (b"cache-control", b"no-store")]
        )

    async def _take(self, form: Form, incoming: Incoming, receive: Receive, send: Send) -> None:
        may_hold_files = incoming.header(b"content-type").lstrip().lower().startswith("multipart/")
        limit = self._body_limit if may_hold_files else min(self._body_limit, BATCH_BYTES)
        raw = await requests.read_body(receive, incoming.headers.get(b"content-length"), limit)
        received_at = self._captures.clock()
        incoming.belongs_to(form.source.source_id)
        arriving = self._admit(form, incoming)
        try:
            form = _proven(form, incoming, raw, received_at)
            submission = decode(raw, incoming.header(b"content-type"), incoming.query("encoding"))
            visit = self._visit(incoming)
            reading = read_form(form, submission, visit, received_at)
            self._captures.admission.admit_names(arriving, [claim["value"] for claim in reading.draft.claims])
            message_id = self._recent.message_id(reading, received_at)
            capture = _fitting(reading.capture(message_id))
        except CaptureRefused as refused:
            excerpt = _SECRET.sub(r"\1(dropped)", raw[:EXCERPT_BYTES].decode("utf-8", "replace"))
            self._captures.note(form.source, received_at, refused, excerpt)
            raise
        is_stored = await self._store(capture)
        incoming.counted(1)
        if reading.unrecognized is not None:
            self._list(form, reading, kept(submission, visit, message_id), received_at)
        await form_pages.thank(send, incoming, reading, 200 if is_stored else 202)

    def _admit(self, form: Form, incoming: Incoming) -> Arriving:
        """Raises NotThisPage, TooManyEvents. Whom it names is not known yet."""
        address = incoming.sender(self._captures.trusted_proxies).ip
        arriving = Arriving(form.source, address, incoming.page_origin(), is_form=True)
        self._captures.admission.admit(arriving)
        return arriving

    async def take_again(self, form_id: str, post: str, received_at: datetime) -> FormReplay:
        """Read a kept post with its form's present mapping, and capture it as of when it came; once, however often it
        is asked for. Raises FormNotFound, CaptureRefused's problems.
        """
        submission, visit, message_id = read_again(post)
        try:
            form = replace(self._captures.directory.form(form_id), secret_hash=None)  # it was proven when it came
            reading = read_form(form, submission, visit, received_at)
            if reading.unrecognized is not None:
                return FormReplay(None, reading.unrecognized)
            reading.draft.properties["replay_of"] = message_id
            named = hash_id("msg", message_id, "replay")
            await self._store(_fitting(reading.capture(named)))
        except CaptureRefused as refused:
            raise requests.problem_of(refused) from refused
        return FormReplay(named, None)

    def _list(self, form: Form, reading: FormReading, post: str | None, received_at: datetime) -> None:
        """With the source's rejects: somebody has to say what the fields mean. What robots fill in nobody maps."""
        if reading.unrecognized is None or Flag.HONEYPOT in reading.draft.flags:
            return
        excerpt = excerpt_of(reading.draft.properties["fields"])
        reject = Reject(0, "body", reading.unrecognized, excerpt, RejectKind.UNRECOGNIZED, form.form_id, post)
        self._captures.rejects.note(form.source, received_at, (reject,))

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


def _proven(form: Form, incoming: Incoming, raw: bytes, received_at: datetime) -> Form:
    """The form, of which no further proof is asked where the post is signed. Raises CaptureRefused."""
    if not form.is_strict:
        return form
    if form.secret is None:
        remedy = "Give the form its webhook_secret again: PATCH /v1/forms/{form_id}"
        raise CaptureRefused("webhook_secret", "cannot be read any more", RefusalKind.FORBIDDEN, remedy=remedy)
    is_signed = signatures.check(form.preset, form.secret, incoming.headers, raw, received_at)
    return replace(form, secret_hash=None) if is_signed else form


def _fitting(capture: Capture) -> Capture:
    if len(capture.body) > CAPTURE_BYTES:
        raise CaptureRefused("body", f"holds more than {CAPTURE_BYTES // KB} KB of text", RefusalKind.TOO_LARGE)
    return capture


async def _answer_handshake(form: Form, incoming: Incoming, send: Send) -> None:
    """What Meta asks before it posts leads to a form: the challenge back, for the token that the form has.
    Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
    """
    token, challenge = incoming.query("hub.verify_token") or "", incoming.query("hub.challenge") or ""
    if form.verify_hash is None or not compare_digest(hash_of(token), form.verify_hash):
        remedy = "Give the form the token as its verify_token: PATCH /v1/forms/{form_id}"
        raise Forbidden("hub.verify_token is not the one of this form", field="query.hub.verify_token", remedy=remedy)
    body = challenge[:_LONGEST_CHALLENGE].encode()
    kind = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    headers = [*kind, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
