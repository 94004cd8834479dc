"""Who answers what: captures, forms and passed-on paths are answered here, before the
framework's router; the rest goes on to it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.bus.broker import Broker
from chassis.errors import Problem
from chassis.runtime import Runtime
from chassis.web.problems import answer
from gateway import capture, requests, snowplow
from gateway.access.guard import pass_guarded
from gateway.capture import CaptureService
from gateway.directory import Directory
from gateway.domain.addresses import counted_as
from gateway.domain.consent_link import ConsentLinks
from gateway.domain.secret_box import SecretBox
from gateway.forms import FormService
from gateway.live_tail import LiveTails
from gateway.proxy import Exchange, Upstreams
from gateway.records import Records
from gateway.requests import MethodNotOffered
from gateway.routes import ROUTES, RouteTable
from gateway.spool import FormKeeping
from gateway.webhooks.dispatcher import Dispatcher
from gateway.wrong_keys import WrongKeys

_FORMS = "/v1/forms/"
_PROJECTS, _SETTINGS = "/v1/projects/", "/settings"
SELECT_TREATMENT = "/v1/treatments:select"  # any page may ask, as it may capture
_CHANGING = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_API_METHODS = b"GET, POST, PATCH, PUT, DELETE, OPTIONS"
_API_HEADERS = b"authorization, content-type, last-event-id"


@dataclass(slots=True)
class GatewayState:
    """What the gate needs; made by the lifespan (`context.service`)."""

    directory: Directory
    capture: CaptureService
    forms: FormService
    upstreams: Upstreams
    tails: LiveTails
    alerts: Broker  # a connection of its own: what reps listen to must not hold up what captures are published on
    keeping: FormKeeping
    consent_links: ConsentLinks
    wrong_keys: WrongKeys
    box: SecretBox
    records: Records
    webhooks: Dispatcher


class GatewayMiddleware:
    """Pure ASGI. Before the lifespan has begun nothing but the framework is there to answer."""

    def __init__(
        self, app: ASGIApp, *, api_origins: Collection[str] = (), snowplow_paths: Collection[str] = ()
    ) -> None:
        self._app = app
        self._snowplow = frozenset((snowplow.PIXEL, snowplow.POSTS, *snowplow_paths))
        self._origins = frozenset(origin.encode() for origin in api_origins)
        self._routes = RouteTable(ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        runtime: Runtime[GatewayState] = scope["app"].state.runtime
        state = runtime.service
        path = scope["path"]
        address = requests.Incoming(scope).sender(state.capture.trusted_proxies).ip
        send = state.wrong_keys.watched(counted_as(address) or "", scope, send)
        is_capture, kind = capture.kind_of_path(path, state.directory.known.prefixes)
        if is_capture:
            await capture.capture(state.capture, kind, scope, receive, send)
        elif path in self._snowplow:
            await snowplow.answer(state.capture, scope, receive, send)
        elif path.startswith(_FORMS) and _is_a_post(path, scope):
            await state.forms.answer(path[len(_FORMS) :], scope, receive, send)
        elif (write_key := _project_of(path, state.directory.known.prefixes)) is not None:
            await capture.sdk_settings_of(state.capture, write_key, scope, receive, send)
        elif path == SELECT_TREATMENT:
            await self._answer_any_page(scope, receive, send)
        else:
            readable = self._readable(scope, send)
            try:
                await self._answer_api(state, scope, receive, readable)
            except Problem as problem:
                await answer(problem, path)(scope, receive, readable)

    async def _answer_any_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await requests.send_preflight(scope, send)
        else:
            await self._app(scope, receive, requests.readable_by_any_page(send))

    async def _answer_api(self, state: GatewayState, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS" and requests.Incoming(scope).header(b"access-control-request-method"):
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        found = self._routes.find(scope["method"], scope["path"])
        if found is None:
            offered = self._routes.methods_of(scope["path"])
            if offered and scope["method"] not in offered:
                raise MethodNotOffered(offered)  # the framework knows its own paths only
            await self._app(scope, receive, _settled(state, send) if scope["method"] in _CHANGING else send)
            return
        caller = state.directory.caller_of(requests.Incoming(scope).header(b"authorization"))
        await pass_guarded(state.upstreams, *found, caller, Exchange(scope, receive, send))

    def _readable(self, scope: Scope, send: Send) -> Send:
        """`send`, with the headers that let an allowed origin read an API answer."""
        origin = requests.Incoming(scope).headers.get(b"origin")
        if origin is None or origin not in self._origins:
            return send

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                allowed = [
                    (b"access-control-allow-origin", origin),
                    (b"vary", b"origin"),
                    (b"access-control-max-age", b"600"),
                ]
                allowed += [
                    (b"access-control-allow-methods", _API_METHODS),
                    (b"access-control-allow-headers", _API_HEADERS),
                ]
                message = {**message, "headers": [*message["headers"], *allowed]}
            await send(message)

        return send_readable


def _is_a_post(path: str, scope: Scope) -> bool:
    """Whether it is for a form's own door: what is posted to it, Meta's question before that, and a browser that
    sends it by GET. What lies below a form, and the form itself, is the API's.
    """
    asks = scope["method"] in ("GET", "HEAD") and (
        b"hub.challenge=" in scope["query_string"] or _is_a_visitor(requests.Incoming(scope))
    )
    return "/" not in path[len(_FORMS) :] and (asks or scope["method"] in ("POST", "OPTIONS"))


def _is_a_visitor(incoming: requests.Incoming) -> bool:
    """Whether a browser shows its user what we answer: without a key, the API would have nothing but JSON for them."""
    return b"authorization" not in incoming.headers and "text/html" in incoming.header(b"accept")


def _settled(state: GatewayState, send: Send) -> Send:
    """`send`, which lets what was changed be known here, and be on its way to the other processes, before the one who
    changed it hears that it was.
    """

    async def send_settled(message: Message) -> None:
        is_done = message["type"] == "http.response.start" and message["status"] < 300
        if is_done and await state.directory.refresh():
            await state.records.peers.tell_changed()
        await send(message)

    return send_settled


def _project_of(path: str, prefixes: Collection[str]) -> str | None:
    at = path.find(_PROJECTS)
    if at < 0 or not path.endswith(_SETTINGS) or (at > 0 and path[:at] not in prefixes):
        return None
    key = path[at + len(_PROJECTS) : -len(_SETTINGS)]
    return key if key and "/" not in key else None
