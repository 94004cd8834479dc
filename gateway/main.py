"""The gateway, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from chassis.app import Service
from chassis.bus.broker import Broker
from chassis.bus.coalescer import Coalescer
from chassis.bus.streams import DEAD
from chassis.runtime import Runtime
from chassis.web.auth import TokenIssuer, read_private_key
from chassis.web.process import run
from gateway import consent_links, documents, problem_pages, readiness, status, treatments
from gateway.admin import audit, forms, keys, request_logs, source_keys, sources
from gateway.admission import Admission
from gateway.alerts import stream, tickets
from gateway.bootstrap import bootstrap
from gateway.capture import CaptureService
from gateway.crowd import Crowd
from gateway.directory import Directory
from gateway.domain.consent_link import ConsentLinks
from gateway.domain.secret_box import SecretBox
from gateway.fast_path import CaptureProtocol
from gateway.forms import FormService
from gateway.live_tail import LiveTails
from gateway.middleware import GatewayMiddleware, GatewayState
from gateway.people import routes
from gateway.proxy import Upstreams
from gateway.recorder import Recorder
from gateway.records import recording
from gateway.rejects import Rejects, writing
from gateway.retries import Retries
from gateway.settings import GatewaySettings
from gateway.spool import FormKeeping
from gateway.webhooks import delivery_routes
from gateway.webhooks import routes as webhook_routes
from gateway.webhooks.dispatcher import dispatched
from gateway.wrong_keys import WrongKeys

_ABOUT = (
    "The public door of Rapport: captures, forms, people, alerts, and what the services answer. Web sites send a"
    " source's write key; people and tools send `Authorization: Bearer <API key>`. Lists come in pages: send"
    " `next_cursor` as `cursor` until it is null. Errors are problem documents (RFC 9457) that name the field and what"
    " to do. Methods that are not plain reading and writing end in a colon and a verb."
)
_WORTH_PACKING = 1_000  # bytes; less fits into one packet anyway
_WEBHOOKS = (webhook_routes.router, delivery_routes.router)
_PAGES = (documents.router, problem_pages.router, readiness.router)
_KEYS = (keys.router, source_keys.router, request_logs.router, audit.router)

_ROUTERS = (
    routes.router,
    treatments.router,
    stream.router,
    tickets.router,
    sources.router,
    forms.router,
    *_KEYS,
    *_WEBHOOKS,
    consent_links.router,
    status.router,
    *_PAGES,
)


def create_service(settings: GatewaySettings | None = None) -> Service:
    """The gateway with these settings, or those of the environment."""
    known = settings or GatewaySettings()

    @asynccontextmanager
    async def state(runtime: Runtime) -> AsyncIterator[GatewayState]:
        (tokens, links, box), keeping = _signing(known, runtime), FormKeeping(runtime)
        directory, coalescer = await _directory(runtime, known, box), Coalescer(runtime.broker)
        runtime.lanes.fence(coalescer.passed)
        rejects = Rejects(runtime.database, runtime.broker, known.rejects_kept)
        async with (
            recording(runtime, directory, known) as records,
            writing(rejects),
            _clients() as (session, single),
            _line(known) as alerts,
            dispatched(runtime, known) as webhooks,
        ):
            service = _capturing(known, runtime, directory, coalescer, rejects)
            runtime.why_no_traffic = keeping.why_not
            _tell_condition(runtime, coalescer, alerts)
            yield GatewayState(
                directory,
                service,
                FormService(service, runtime, known.body_limit),
                Upstreams(session, known.upstreams, tokens, Retries(known.patience_seconds), single),
                LiveTails(known.nats_url),
                alerts,
                keeping,
                links,
                WrongKeys(known.wrong_keys),
                box,
                records,
                webhooks,
            )
            await coalescer.close()

    return Service(
        name="gateway",
        settings=known,
        migrations="gateway.migrations",
        routers=_ROUTERS,
        streams=("CAPTURE",),
        extras=state,
        public=True,
        middleware=[
            Middleware(GZipMiddleware, minimum_size=_WORTH_PACKING, compresslevel=5),
            Middleware(Recorder),
            Middleware(GatewayMiddleware, api_origins=known.api_origins, snowplow_paths=known.snowplow_paths),
        ],
        openapi=documents.whole_api,
        http=CaptureProtocol,
        description=_ABOUT,
    )


def _capturing(
    known: GatewaySettings, runtime: Runtime, directory: Directory, coalescer: Coalescer, rejects: Rejects
) -> CaptureService:
    return CaptureService(
        directory,
        coalescer,
        rejects,
        runtime.clock,
        runtime.lanes,
        known.trusted_proxies,
        known.public_url,
        Admission(known.numbers),
        Crowd(known.connections_an_address, known.counted_connection),
    )


async def _directory(runtime: Runtime, known: GatewaySettings, box: SecretBox) -> Directory:
    await bootstrap(runtime, known)
    return Directory(runtime.database, known.capture_prefixes, box, runtime.clock)


def _tell_condition(runtime: Runtime, coalescer: Coalescer, alerts: Broker) -> None:
    runtime.checks.append(readiness.DoorWork(runtime, coalescer, alerts).findings)
    runtime.told_streams = (*runtime.told_streams, DEAD)


def _signing(known: GatewaySettings, runtime: Runtime) -> tuple[TokenIssuer, ConsentLinks, SecretBox]:
    private_key = read_private_key(known.token_private_key)
    return TokenIssuer(private_key, runtime.clock), ConsentLinks(private_key), SecretBox(private_key)


def _client(*, force_close: bool = False) -> aiohttp.ClientSession:
    """For asking services: answers are passed on as they come, and no cookie of one caller reaches another."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=256, force_close=force_close),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


@asynccontextmanager
async def _clients() -> AsyncIterator[tuple[aiohttp.ClientSession, aiohttp.ClientSession]]:
    """One that keeps connections, and one that ends each with its answer."""
    async with _client() as session, _client(force_close=True) as single:
        yield session, single


@asynccontextmanager
async def _line(settings: GatewaySettings) -> AsyncIterator[Broker]:
    broker = Broker.open(settings.nats_url, "gateway alerts", inbox_prefix="_INBOX_gateway")
    try:
        yield broker
    finally:
        await broker.close()


if __name__ == "__main__":
    run("gateway", create_service)
