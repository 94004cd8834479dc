"""What is remembered of each request, around everything else: whose key it came with and how it was answered (the
request log), and who changed or saw what (the audit).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.errors import Problem
from chassis.runtime import Runtime
from chassis.telemetry import current_ids
from chassis.web.problems import MEDIA_TYPE
from gateway.audit.entries import AuditEntry, AuditOutcome
from gateway.audit.operations import CREATED, SAFE, FoundOperation, made_objects, shown_people
from gateway.directory import KnownCaller, bearer_of
from gateway.request_log import OWNER

if TYPE_CHECKING:
    from gateway.middleware import GatewayState

_REFUSED = 400
_MOST_OF_PROBLEM, _MOST_OF_ANSWER = 16 * 1024, 4 * 1024 * 1024
_FAILED = 500


class Recorder:
    """Pure ASGI, outside of what answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        runtime: Runtime[GatewayState] = scope["app"].state.runtime
        watch = _Watch(scope, receive, send, runtime)
        await watch.begin()
        try:
            await self._app(scope, watch.receive, watch.send)
        except Problem as problem:
            watch.refusal = problem
            raise
        finally:
            watch.finish()


class _Audited(NamedTuple):
    """What is known of an entry before the answer; `number` is that of a change, which is written already."""

    entry: AuditEntry
    found: FoundOperation
    number: int | None


class _Watch:
    """One request, and what comes of it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, runtime: Runtime[GatewayState]) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._runtime = runtime
        self._state = runtime.service
        self._audited: _Audited | None = None
        self._status = _FAILED  # until the answer begins
        self._headers: Mapping[bytes, bytes] = {}
        self._body = b""
        self._most = 0
        self._is_finished = False
        self.refusal: Problem | None = None

    async def begin(self) -> None:
        """Who is it, and is it to be recorded before it is done?"""
        authorization = _authorization(self._scope)
        token = bearer_of(authorization)
        if not token:
            return
        directory, records = self._state.directory, self._state.records
        if records.tokens is not None:
            await records.tokens.prepare(token)
        owner = directory.owner_of(token)
        if owner is not None:
            self._scope[OWNER] = owner
        caller = directory.whoever(authorization)
        if caller is not None:
            await self._audit(caller)

    async def receive(self) -> Message:
        try:
            return await self._receive()
        except Problem as problem:  # too long: frameworks would make something else of it
            self.refusal = problem
            raise

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], dict(message["headers"])
            self._most = self._wanted()
            if self._headers.get(b"content-type", b"").startswith(b"text/event-stream"):
                self.finish()  # it may go on for days
        elif self._most and len(self._body) <= self._most:
            self._body += message.get("body", b"")
        await self._send(message)

    def finish(self) -> None:
        """Remember it; once."""
        if self._is_finished:
            return
        self._is_finished = True
        status = self._status if self.refusal is None else self.refusal.status
        reason = None
        if status >= _REFUSED:
            reason = _reason(self._body) if self.refusal is None else _told(self.refusal.detail, self.refusal.remedy)
        self._state.records.requests.note(self._scope, status, reason)
        if self._audited is not None:
            self._finish_audit(self._audited, status)

    async def _audit(self, caller: KnownCaller) -> None:
        scope, records = self._scope, self._state.records
        found = await records.operations.find(scope["app"], scope["method"], scope["path"])
        if found is None or found.operation.is_capture or scope["method"] == "OPTIONS":
            return
        is_change = scope["method"] not in SAFE
        if is_change or found.operation.shows_people:
            entry = self._entry(caller, found)
            number = await records.journal.begin(entry) if is_change else None
            self._audited = _Audited(entry, found, number)

    def _entry(self, caller: KnownCaller, found: FoundOperation) -> AuditEntry:
        ids = current_ids()
        who = caller.principal
        return AuditEntry(
            at=self._runtime.clock(),
            principal=who.subject,
            roles=tuple(sorted(who.roles)),
            key_id=caller.key_id,
            operation=found.operation.operation_id,
            method=self._scope["method"],
            objects=found.objects,
            status=None,
            request_id=None if ids is None else ids[0],
        )

    def _finish_audit(self, audited: _Audited, status: int) -> None:
        entry, found, number = audited
        journal = self._state.records.journal
        if number is not None:
            made = tuple(one for one in dict.fromkeys(made_objects(self._body)) if one not in entry.objects)
            journal.end(AuditOutcome(number, status, (*entry.objects, *made), made))
            return
        shown = shown_people(self._body) if found.operation.is_list and status < _REFUSED else ()
        journal.saw(entry._replace(status=status, objects=(*entry.objects, *shown)))

    def _wanted(self) -> int:
        """How much of the answer's body is looked at."""
        if b"content-encoding" in self._headers:
            return 0
        if self._status >= _REFUSED:
            is_problem = self._headers.get(b"content-type", b"").startswith(MEDIA_TYPE.encode())
            return _MOST_OF_PROBLEM if is_problem else 0
        audited = self._audited
        is_made = audited is not None and audited.number is not None and self._status == CREATED
        return _MOST_OF_ANSWER if is_made or (audited is not None and audited.found.operation.is_list) else 0


def _authorization(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            told: str = value.decode("latin-1")
            return told
    return ""


def _reason(body: bytes) -> str | None:
    """Why, in words, as the problem has it."""
    try:
        problem: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(problem, dict):
        return None
    errors = problem.get("errors") or [{}]
    reason = errors[0].get("reason")
    detail = str(problem.get("detail", ""))
    said = detail if reason in (None, detail) else f"{detail}: {reason}"
    return _told(said, problem.get("remedy") or errors[0].get("remedy"))


def _told(detail: str, remedy: str | None) -> str:
    return detail if remedy is None else f"{detail}; {remedy}"
