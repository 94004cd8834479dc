"""A service, composed: `Service(...)` says what it is made of, `Service.app()` is the ASGI application that runs it."""

from __future__ import annotations

from asyncio import Protocol
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic

from fastapi import APIRouter, Depends, FastAPI
from opentelemetry.sdk.trace.export import SpanExporter
from starlette.middleware import Middleware

from chassis.clock import wall_clock
from chassis.lifespan import Extras, Held, Parts, running
from chassis.metrics import Metrics
from chassis.settings import ServiceSettings, SettingsRefused
from chassis.subscriptions import Subscription, TimerSubscription
from chassis.telemetry import Telemetry
from chassis.web import health, lanes, status
from chassis.web.auth import TokenVerifier, read_public_keys
from chassis.web.document import Document, describe, operation_id
from chassis.web.middleware import AccessRules, RequestMiddleware
from chassis.web.parameters import refuse_unknown_parameters
from chassis.web.problems import install_problem_handlers


@dataclass(frozen=True)
class Service(Generic[Held]):
    """What a service is made of.

    `migrations` is its package of migrations; `streams` are those it writes (default: its name in capitals); `extras`
    is entered before the first message and left after the last one, and what it yields is `context.service`. `public`
    is for the gateway: no inner token is asked for. `warm` is what takes time once, needs no settings and starts no
    thread: done before serving, and where a parent forks its services (`embedded.supervisor`) by the parent, which
    looks for it as `warm` in the main module. `openapi` may rework the document; `http` is what answers connections
    (`chassis.web.fast_path`), where that is not uvicorn's own; `clock`, `exporter` are for tests.
    """

    name: str
    settings: ServiceSettings
    migrations: str | None = None
    routers: Sequence[APIRouter] = ()
    subscriptions: Sequence[Subscription[Held]] = ()
    timers: Sequence[TimerSubscription[Held]] = ()
    streams: Sequence[str] | None = None
    extras: Extras[Held] | None = None
    public: bool = False
    middleware: Sequence[Middleware] = ()
    warm: Callable[[], None] | None = None
    openapi: Callable[[Document], Document] | None = None
    http: type[Protocol] | None = None
    description: str = ""
    clock: Callable[[], datetime] = field(default=wall_clock)
    exporter: SpanExporter | None = None

    def app(self) -> FastAPI:
        """The application. Nothing is connected before its lifespan begins.

        Raises SettingsRefused when a key cannot be read.
        """
        metrics, telemetry = Metrics(self.name), Telemetry(self.name, self.settings.sample_ratio, self.exporter)

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            async with running(self._parts(), metrics, telemetry) as runtime:
                app.state.runtime = runtime
                yield

        door = Middleware(
            RequestMiddleware,
            rules=AccessRules(self._verifier(), self.settings.body_limit),
            metrics=metrics,
            telemetry=telemetry,
        )
        app = FastAPI(
            title=f"Rapport {self.name}",
            description=self.description,
            version="1",
            lifespan=lifespan,
            middleware=[door, *self.middleware],
            docs_url=None,  # its assets come from elsewhere; the gateway serves documents for all
            redoc_url=None,
            openapi_url="/openapi.json" if not self.public else None,
            generate_unique_id_function=operation_id,
            dependencies=[Depends(refuse_unknown_parameters)],
            redirect_slashes=False,  # a redirect would repeat whatever Host says; who meant another path is told
            telemetry={"tracing": False, "metrics": False, "logs": False},  # the door does it, at a third of the cost
        )
        self._furnish(app)
        return app

    def _furnish(self, app: FastAPI) -> None:
        install_problem_handlers(app)
        for router in self.routers:
            app.include_router(router)
        app.include_router(health.public_router if self.public else health.router)
        if not self.public:
            app.include_router(status.router)
        if self.settings.inner_port is None and not self.public:
            app.include_router(health.metrics_router)
        if self.settings.inner_port is None or not self.public:
            app.include_router(lanes.router)
        own_document = app.openapi
        app.openapi = lambda: describe(app, own_document, self.openapi, self.public)  # type: ignore[method-assign]

    def _parts(self) -> Parts:
        return Parts(
            name=self.name,
            settings=self.settings,
            migrations=self.migrations,
            subscriptions=self.subscriptions,
            timers=self.timers,
            streams=tuple(self.streams) if self.streams is not None else (self.name.upper(),),
            extras=self.extras,
            clock=self.clock,
        )

    def _verifier(self) -> TokenVerifier | None:
        if self.public:
            return None
        try:
            return TokenVerifier(read_public_keys(self.settings.token_public_key), self.clock)
        except ValueError as error:
            raise SettingsRefused(f"{self.name.upper()}_TOKEN_PUBLIC_KEY: {error}") from None
