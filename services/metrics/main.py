"""Metrics, composed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.app import Service
from chassis.runtime import Runtime
from chassis.web.process import run
from services.metrics import events
from services.metrics.api import ROUTERS
from services.metrics.domain.measures import ReportSettings
from services.metrics.settings import MetricsSettings


def create_service(settings: MetricsSettings | None = None) -> Service:
    """The service; its settings come from the environment unless they are given."""
    known = settings or MetricsSettings()

    @asynccontextmanager
    async def reporting(_: Runtime) -> AsyncIterator[ReportSettings]:
        yield known.reporting()

    return Service(
        name="metrics",
        settings=known,
        migrations="services.metrics.migrations",
        routers=ROUTERS,
        subscriptions=events.SUBSCRIPTIONS,
        extras=reporting,
        description="What worked, and what was it worth?",
    )


if __name__ == "__main__":
    run("services.metrics", create_service)
