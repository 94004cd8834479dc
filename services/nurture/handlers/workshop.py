"""What the service keeps in memory while it runs: compiled treatments, which never change, and for how long an answer is given again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.context import Context
from chassis.runtime import Runtime
from services.nurture.domain.treatments import Treatment, ready
from services.nurture.handlers.catalogue import begin_catalogue
from services.nurture.handlers.rulebooks import DESK
from services.nurture.settings import NurtureSettings
from services.nurture.store import treatments as store
from services.nurture.store.treatments import Head

_MOST = 5_000  # revisions kept compiled; more, and all are forgotten: old ones are asked for rarely


@dataclass
class Workshop:
    """What the service works with."""

    reuse: timedelta
    _ready: dict[Head, Treatment] = field(default_factory=dict, repr=False)

    async def catalogue(self, session: AsyncSession) -> list[Treatment]:
        """All treatments at their newest revision."""
        heads = await store.load_heads(session)
        found = await self.revisions(session, heads)
        return [found[head] for head in heads]

    async def revisions(self, session: AsyncSession, wanted: Collection[Head]) -> dict[Head, Treatment]:
        """These revisions; only those that were never asked for are read."""
        missing = [head for head in wanted if head not in self._ready]
        if len(self._ready) + len(missing) > _MOST:
            self._ready.clear()
            missing = list(wanted)
        if missing:
            bodies = await store.load_bodies(session, missing)
            self._ready.update({head: ready(head.treatment_id, head.revision, body) for head, body in bodies.items()})
        return {head: self._ready[head] for head in wanted if head in self._ready}


@asynccontextmanager
async def with_workshop(runtime: Runtime) -> AsyncIterator[Workshop]:
    """A store without a rulebook is given the default one, a store without treatments the starters."""
    await DESK.begin(runtime)
    await begin_catalogue(runtime)
    settings = runtime.settings
    assert isinstance(settings, NurtureSettings)
    yield Workshop(timedelta(minutes=settings.reuse_minutes))


def workshop_of(context: Context) -> Workshop:
    """The workshop that the composition root put there."""
    workshop: Workshop = context.service
    return workshop
