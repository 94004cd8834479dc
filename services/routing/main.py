"""Routing, composed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.app import Service
from chassis.runtime import OwnFigure, Runtime
from chassis.web.process import run
from services.routing.api import ROUTERS
from services.routing.effects.evictions import Evictions, evicting
from services.routing.effects.keys import kept_durables, letting_reps_in
from services.routing.events import SUBSCRIPTIONS, TIMERS
from services.routing.rulebooks import REGISTRY
from services.routing.settings import RoutingSettings
from services.routing.store.queries import unassigned


def create_service(settings: RoutingSettings | None = None) -> Service:
    """The service; its settings come from the environment unless they are given."""
    return Service(
        name="routing",
        settings=settings or RoutingSettings(),
        migrations="services.routing.migrations",
        routers=ROUTERS,
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        streams=("ROUTING", "ALERTS"),
        extras=_extras,
        description="Refer: which human should act, and how do they hear of it?",
    )


UNASSIGNED = OwnFigure(
    "rapport_unassigned_leads", "Leads that no rep could be asked about, counted up to 10000", unassigned
)


@asynccontextmanager
async def _extras(runtime: Runtime) -> AsyncIterator[Evictions | None]:
    runtime.own_figures.append(UNASSIGNED)
    async with REGISTRY.in_force(runtime), kept_durables(runtime), letting_reps_in(runtime), evicting(runtime) as them:
        yield them


if __name__ == "__main__":
    run("services.routing", create_service)
