"""Nurture, composed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.app import Service
from chassis.runtime import Runtime
from chassis.web.process import run
from services.nurture.api import ROUTERS
from services.nurture.commands import begin_catalogue
from services.nurture.events import SUBSCRIPTIONS
from services.nurture.rulebooks import REGISTRY
from services.nurture.settings import NurtureSettings
from services.nurture.store.load import CompiledCatalogue


def create_service(settings: NurtureSettings | None = None) -> Service:
    """The service; its settings come from the environment unless they are given."""
    return Service(
        name="nurture",
        settings=settings or NurtureSettings(),
        migrations="services.nurture.migrations",
        routers=ROUTERS,
        subscriptions=SUBSCRIPTIONS,
        extras=with_catalogue,
        description="React: which treatment fits a person now?",
    )


@asynccontextmanager
async def with_catalogue(runtime: Runtime) -> AsyncIterator[CompiledCatalogue]:
    """A store without a rulebook is given the default one, a store without treatments the starters."""
    await REGISTRY.begin(runtime)
    await begin_catalogue(runtime)
    catalogue = CompiledCatalogue()
    runtime.checks.append(catalogue.findings)
    yield catalogue


if __name__ == "__main__":
    run("services.nurture", create_service)
