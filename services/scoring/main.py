"""Scoring, composed."""

from __future__ import annotations

from chassis.app import Service
from chassis.web.process import run
from contracts.maildomains import read_suffixes
from services.scoring import events, rulebooks
from services.scoring.api import ROUTERS
from services.scoring.settings import ScoringSettings


def create_service(settings: ScoringSettings | None = None) -> Service:
    """The service; its settings come from the environment unless they are given."""
    return Service(
        name="scoring",
        settings=settings or ScoringSettings(),
        migrations="services.scoring.migrations",
        routers=ROUTERS,
        subscriptions=events.SUBSCRIPTIONS,
        timers=events.TIMERS,
        extras=rulebooks.REGISTRY.in_force,
        warm=warm,
        description="Record: what do we know about a person, and how ready are they?",
    )


def warm() -> None:
    """What the first message need not wait for."""
    read_suffixes()


if __name__ == "__main__":
    run("services.scoring", create_service)
