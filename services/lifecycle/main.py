"""Lifecycle, composed."""

from __future__ import annotations

from chassis.app import Service
from chassis.web.process import run
from contracts.maildomains import read_suffixes
from services.lifecycle.api import ROUTERS
from services.lifecycle.events import SUBSCRIPTIONS, TIMERS
from services.lifecycle.rulebooks import REGISTRY
from services.lifecycle.settings import LifecycleSettings


def create_service(settings: LifecycleSettings | None = None) -> Service:
    """The service; its settings come from the environment unless they are given."""
    return Service(
        name="lifecycle",
        settings=settings or LifecycleSettings(),
        migrations="services.lifecycle.migrations",
        routers=ROUTERS,
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        extras=REGISTRY.in_force,
        warm=warm,
        description="Where is each person on the way from an anonymous visit to money, and which clock runs?",
    )


def warm() -> None:
    """What the first message need not wait for."""
    read_suffixes()


if __name__ == "__main__":
    run("services.lifecycle", create_service)
