"""Identity, composed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.app import Service
from chassis.runtime import Runtime
from chassis.web.process import run
from contracts.maildomains import read_suffixes
from semantics import robots
from services.identity.api import ROUTERS
from services.identity.domain.recognition import RecognitionRules
from services.identity.events import SUBSCRIPTIONS
from services.identity.settings import IdentitySettings


def create_service(settings: IdentitySettings | None = None) -> Service:
    """The service; its settings come from the environment unless they are given."""
    known = settings or IdentitySettings()

    @asynccontextmanager
    async def rules(_: Runtime) -> AsyncIterator[RecognitionRules]:
        yield known.rules()

    return Service(
        name="identity",
        settings=known,
        migrations="services.identity.migrations",
        routers=ROUTERS,
        subscriptions=SUBSCRIPTIONS,
        extras=rules,
        warm=warm,
        description="Recognize: who is this, and who turned out to be whom.",
    )


def warm() -> None:
    """What the first message need not wait for."""
    read_suffixes()
    robots.warm()


if __name__ == "__main__":
    run("services.identity", create_service)
