"""What the service keeps in memory while it runs: compiled treatments, which never change, and for how long an answer is given again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from chassis.context import Context
from chassis.readiness import Finding
from chassis.runtime import Runtime
from chassis.store.session import Session
from rulebook.problems import RulebookError
from services.nurture.domain.treatments import Treatment, TreatmentBody, ready
from services.nurture.handlers.catalogue import begin_catalogue
from services.nurture.handlers.rulebooks import DESK
from services.nurture.settings import NurtureSettings
from services.nurture.store import treatments as store
from services.nurture.store.treatments import Head

log = structlog.get_logger(__name__)

_MOST_NOTED = 5
_MOST = 5_000  # revisions kept compiled; more, and all are forgotten: old ones are asked for rarely


@dataclass
class Workshop:
    """What the service works with."""

    reuse: timedelta
    _ready: dict[Head, Treatment] = field(default_factory=dict, repr=False)
    _faults: dict[Head, str] = field(default_factory=dict, repr=False)

    async def catalogue(self, session: Session) -> list[Treatment]:
        """All treatments at their newest revision, without those whose condition this release cannot compile: they fit nobody."""
        heads = await store.load_heads(session)
        found = await self.revisions(session, heads)
        return [found[head] for head in heads if head in found]

    async def revisions(self, session: Session, wanted: Collection[Head]) -> dict[Head, Treatment]:
        """These revisions, as far as they can be compiled; only those that were never asked for are read."""
        missing = [head for head in wanted if head not in self._ready and head not in self._faults]
        if len(self._ready) + len(missing) > _MOST:
            self._ready.clear()
            missing = [head for head in wanted if head not in self._faults]
        if missing:
            for head, body in (await store.load_bodies(session, missing)).items():
                self._make_ready(head, body)
        return {head: self._ready[head] for head in wanted if head in self._ready}

    async def findings(self) -> list[Finding]:
        """What readiness is to say: one bad treatment stops no other."""
        remedy = "It is offered to nobody; correct its condition"
        return [Finding("treatments", f"{head.treatment_id}: {fault}", remedy, is_note=True) for head, fault in self._faults.items()][:_MOST_NOTED]

    def _make_ready(self, head: Head, body: TreatmentBody) -> None:
        try:
            self._ready[head] = ready(head.treatment_id, head.revision, body)
            self._faults = {known: fault for known, fault in self._faults.items() if known.treatment_id != head.treatment_id}
        except RulebookError as error:
            self._faults[head] = f"revision {head.revision} does not compile in this release: {error.problems[0]}"
            log.error("treatment.uncompiled", treatment_id=head.treatment_id, revision=head.revision, reason=str(error.problems[0]))


@asynccontextmanager
async def with_workshop(runtime: Runtime) -> AsyncIterator[Workshop]:
    """A store without a rulebook is given the default one, a store without treatments the starters."""
    await DESK.begin(runtime)
    await begin_catalogue(runtime)
    settings = runtime.settings
    assert isinstance(settings, NurtureSettings)
    workshop = Workshop(timedelta(minutes=settings.reuse_minutes))
    runtime.checks.append(workshop.findings)
    yield workshop


def workshop_of(context: Context[Workshop]) -> Workshop:
    """The workshop that the composition root put there."""
    return context.service
