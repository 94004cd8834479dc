"""Scoring, composed."""

from __future__ import annotations

from chassis.app import Service
from chassis.serve import serve
from contracts.maildomains import read_suffixes
from services.scoring import handlers
from services.scoring.api import ROUTERS
from services.scoring.settings import ScoringSettings


def create_service(settings: ScoringSettings | None = None) -> Service:
    """The service; its settings come from the environment unless they are given."""
    return Service(
        name="scoring",
        settings=settings or ScoringSettings(),
        migrations="services.scoring.migrations",
        routers=ROUTERS,
        subscriptions=handlers.SUBSCRIPTIONS,
        timers=handlers.TIMERS,
        extras=handlers.with_rulebook,
        warm=warm,
        description="Record: what do we know about a person, and how ready are they?",
    )


def warm() -> None:
    """What the first message need not wait for."""
    read_suffixes()


if __name__ == "__main__":
    serve(create_service())
