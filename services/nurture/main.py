"""Nurture, composed."""

from __future__ import annotations

from chassis.app import Service
from chassis.serve import serve
from services.nurture import handlers
from services.nurture.api import ROUTERS
from services.nurture.settings import NurtureSettings


def create_service(settings: NurtureSettings | None = None) -> Service:
    """The service; its settings come from the environment unless they are given."""
    return Service(
        name="nurture",
        settings=settings or NurtureSettings(),
        migrations="services.nurture.migrations",
        routers=ROUTERS,
        subscriptions=handlers.SUBSCRIPTIONS,
        extras=handlers.with_workshop,
        description="React: which treatment fits a person now?",
    )


if __name__ == "__main__":
    serve(create_service())
