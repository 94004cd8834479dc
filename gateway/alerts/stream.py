"""`GET /v1/alerts/stream`: who may listen to whose alerts, from where on, and what they are told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

import anyio
import orjson
import structlog
from fastapi import APIRouter, Header, Query, Request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from chassis.errors import BadInput, Forbidden, Unavailable
from chassis.message import Received
from chassis.web.auth import Principal, require
from chassis.web.fields import Moment
from chassis.web.problems import problem_responses
from chassis.web.routes import runtime_of
from gateway.access.rights import refuse_unled_rep
from gateway.access.table import operation
from gateway.admin.access import State
from gateway.alerts.activity import is_inactive
from gateway.alerts.reader import AlertReader, Place, newest
from gateway.alerts.tickets import LISTENERS, redeem
from gateway.directory import bearer_hash
from gateway.settings import GatewaySettings

log = structlog.get_logger(__name__)

router = APIRouter(tags=["alerts"])

_LISTENING = operation("GET", "/v1/alerts/stream")
_LEADERS = ("manager", "ops", "admin")
# a rep's id becomes a part of a subject, where `*` and `>` would open others' alerts
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
KEEP_ALIVE = b": still here\n"
"""A comment and no empty line: that would end an event, and clients that remember the last id (httpx-sse) make one of
it, without name or data.
"""
_EXAMPLE = (
    "retry: 2000\nid: 16\nevent: listening\ndata: {}\n\nid: 17\nevent: alert\n"
    'data: {"alert_id":"evt_01KJPY44E0W3QFZ9Z1TQ7E9NFN","kind":"offered",'
    '"referral_id":"ref_01KJPY44E0YCDJBMHP7K3WFCYQ",'
    '"headline":"Mara Lindqvist, Head of Logistics at Tidewater Freight, is ready: asked for a demo.",'
    '"due_at":"2026-03-02T13:30:00Z",'
    '"actions":{"accept":"POST /v1/referrals/ref_01KJPY44E0YCDJBMHP7K3WFCYQ:accept"}}\n\n'
)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "First `listening`, with the id to resume from; then `alert`, as they happen. `id` is the place on the"
            " stream, `data` what routing said, with the alert's own id as `alert_id`: it stays the same when an alert"
            " comes twice."
        ),
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


def _all_or_moment(value: object) -> object:
    return datetime(1970, 1, 1, tzinfo=UTC) if value == "all" else value


Since = Annotated[Moment, BeforeValidator(_all_or_moment, json_schema_input_type=Literal["all"] | AwareDatetime)]
EventId = Annotated[int, Field(ge=0, le=2**62)]


class Listening(BaseModel):
    """Whose alerts, and from where on."""

    model_config = ConfigDict(extra="forbid")

    rep_id: str | None = Field(
        default=None, max_length=64, description="Whose; for manager, ops and admin. Default: the key's own rep"
    )
    ticket: str | None = Field(
        default=None, max_length=100, description="Instead of an API key, for clients that cannot send headers"
    )
    last_event_id: EventId | None = Field(default=None, description="As the header Last-Event-ID, which goes first")
    since: Since | None = Field(
        default=None, description="`all`, or a moment; else only what comes from now on", examples=["all"]
    )


class HangingUp(StreamingResponse):
    """A stream whose reader must take what is sent within a while. One that does not
    is hung up on, and resumes by the last id.
    """

    stalled_seconds = 30.0

    async def stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self.body_iterator) as events:  # type: ignore[type-var]
            async for event in events:
                if not await self._send_in_time(send, event):
                    return  # an answer that is not complete breaks the connection off
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_in_time(self, send: Send, event: Any) -> bool:
        try:
            async with asyncio.timeout(self.stalled_seconds):
                await send({"type": "http.response.body", "body": event, "more_body": True})
        except TimeoutError:
            log.info("alerts.hung_up")
            return False
        return True


@router.get(
    "/v1/alerts/stream",
    response_class=Response,
    responses=_ANSWERS | problem_responses(401, 403),
    openapi_extra={"security": [{"api_key": []}, {}]},  # or `ticket`
)
async def stream_alerts(
    request: Request,
    state: State,
    wish: Annotated[Listening, Query()],
    last_seen: Annotated[
        EventId | None, Header(alias="Last-Event-ID", description="Resume right after this event")
    ] = None,
) -> StreamingResponse:
    """A rep's alerts as server-sent events, for as long as you listen: offers, reminders, withdrawals.

    Resume with the id of the last event, and nothing is missed or told twice; alerts are kept for seven days.
    EventSource sends that id by itself, but cannot send a key, and a ticket opens one stream only: after an error get
    another ticket and send `last_event_id`.
    """
    if not state.alerts.is_connected:
        raise Unavailable("Alerts cannot be heard now")  # said before a ticket is used up
    key_hash, caller = await _caller(request, state, wish.ticket)
    whose = rep_of(caller, wish.rep_id)
    await refuse_unled_rep(state.upstreams, caller, _LISTENING, whose)
    if await is_inactive(state.upstreams, caller, whose):
        raise Forbidden(f"{whose} is inactive, and is told of no more alerts", remedy="Have the rep activated again")
    place = await _place(state, wish.last_event_id if last_seen is None else last_seen, wish.since)
    settings = cast(GatewaySettings, runtime_of(request).settings)
    reader = AlertReader(state.alerts, whose, place, settings.alerts_keep_alive_seconds)

    async def may_listen() -> bool:
        known = state.directory.caller_by_hash(key_hash)
        is_known = known is not None and known.principal == caller
        return is_known and not await is_inactive(state.upstreams, caller, whose)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return HangingUp(_events(reader, may_listen), media_type="text/event-stream", headers=headers)


def rep_of(caller: Principal, rep_id: str | None) -> str:
    """Whose alerts the caller is shown. Raises Forbidden, BadInput."""
    require(caller, *LISTENERS)
    if rep_id is not None and rep_id != caller.rep_id:
        require(caller, *_LEADERS)
    whose = rep_id or caller.rep_id
    if whose is None and not caller.roles.isdisjoint(_LEADERS):
        raise BadInput("Whose alerts?", field="query.rep_id", remedy="Name a rep; your key belongs to none")
    if whose is None:
        raise Forbidden("Your key belongs to no rep", remedy="Ask an administrator for a key with your rep_id")
    if not _PLAIN.fullmatch(whose):
        raise BadInput(
            "A rep's id holds letters, digits, - and _", field="query.rep_id", remedy="Take it from GET /v1/reps"
        )
    return whose


async def _caller(request: Request, state: State, ticket: str | None) -> tuple[str, Principal]:
    if ticket is not None:
        return await redeem(runtime_of(request), state.directory, ticket)
    authorization = request.headers.get("authorization")
    caller = state.directory.caller_of(authorization)
    return bearer_hash(authorization), caller


async def _place(state: State, last_event_id: int | None, since: datetime | None) -> Place:
    if last_event_id is None and since is not None:
        return since
    last = await newest(state.alerts)
    if last_event_id is None:
        return last
    # beyond the end: that stream is no more, and all of this one is news
    return last_event_id if last_event_id <= last else 0


async def _events(reader: AlertReader, may_listen: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
    try:
        await reader.start()
        yield _opening(reader.place)
        while True:
            alerts = await reader.next()
            if not await may_listen():
                return  # the key was revoked meanwhile, or the rep left
            for alert in alerts:
                yield _told(alert)
            if not alerts:
                yield KEEP_ALIVE
    finally:
        with anyio.CancelScope(shield=True):  # the line is shared: what is left on it would stay
            await reader.stop()


def _opening(place: Place) -> bytes:
    """What a listener is told first. The id lets one that hears nothing before the line breaks miss nothing either."""
    known = b"id: %d\n" % place if isinstance(place, int) else b""
    return b"retry: 2000\n%bevent: listening\ndata: {}\n\n" % known


def _told(alert: Received) -> bytes:
    data = orjson.dumps({"alert_id": alert.headers.get("ce-id"), **orjson.loads(alert.body)})
    return b"id: %d\nevent: alert\ndata: %b\n\n" % (alert.sequence, data)
