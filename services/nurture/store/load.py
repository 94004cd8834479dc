"""What a unit of work needs: people with what is known of them, and the treatments, compiled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy import Table, select

from chassis.readiness import Finding
from chassis.store.batch import one_of, rows_by
from chassis.store.session import Session, lock
from people_kernel.consent import take
from people_kernel.people import Placement, placement_in
from people_kernel.store.people import load_cards, load_fragments_of, load_placements, survivors
from people_kernel.workspace import Pages
from rulebook.problems import RulebookError
from services.nurture.domain.incoming_events import PersonStatement
from services.nurture.domain.treatments import Treatment, TreatmentBody, TreatmentRevision, compile_treatment
from services.nurture.domain.workspace import FragmentConsent, NurturedPerson, NurtureWorkspace, ShowingCount
from services.nurture.store.rows import to_consent, to_former_consent, to_person
from services.nurture.store.tables import (
    CARD,
    CONSENT,
    FRAGMENT,
    LATEST_CONSENT,
    PERSON,
    REVISION,
    SELECTION,
    SHOWN,
    SHOWN_IN_BROWSER,
    TREATMENT,
)

ASKED = "asked"
BROWSED = "browsed"  # by a page, with a public key, for one browser

log = structlog.get_logger(__name__)

ShowingKey = tuple[str, str, bool]
"""(fragment, treatment, is a test)."""


class Recurrence(NamedTuple):
    """What a repeated question has in common with the first: where its answers hang, and who asks."""

    fragment_ids: Collection[str]
    trigger: str


_MOST_NOTED = 5
_MOST = 5_000  # revisions kept compiled; more, and all are forgotten: old ones are asked for rarely


async def for_fragments(session: Session, fragment_ids: Collection[str]) -> NurtureWorkspace:
    """Whose these fragments are."""
    await lock(session, fragment_ids)
    return NurtureWorkspace(placements=Pages(await load_placements(session, FRAGMENT, fragment_ids)))


async def for_consents(session: Session, fragment_ids: Collection[str]) -> NurtureWorkspace:
    """Whose these fragments are, and what was said on them about being reached."""
    workspace = await for_fragments(session, fragment_ids)
    await _load_consents(session, workspace, fragment_ids)
    return workspace


async def for_statements(session: Session, events: Collection[PersonStatement]) -> NurtureWorkspace:
    """The people that scoring or lifecycle speak of."""
    person_ids, fragment_ids = {event.person_id for event in events}, {event.fragment_id for event in events}
    await lock(session, person_ids | fragment_ids)
    return NurtureWorkspace(
        placements=Pages(await load_placements(session, FRAGMENT, fragment_ids)),
        cards=Pages(await load_cards(session, CARD, person_ids)),
        people=Pages(await people(session, person_ids)),
    )


async def for_suggestions(session: Session, workspace: NurtureWorkspace) -> None:
    """Adds the fragments of those to whom something may be suggested, with consent and what was shown on these."""
    owned = await load_fragments_of(session, FRAGMENT, {one.person.person_id for one in workspace.suggestions})
    fragment_ids = {fragment_id for fragments in owned.values() for fragment_id in fragments}
    workspace.owned = {person_id: frozenset(fragments) for person_id, fragments in owned.items()}
    await _load_consents(session, workspace, fragment_ids)
    workspace.shown = await shown(session, fragment_ids)


async def people(session: Session, person_ids: Collection[str]) -> dict[str, NurturedPerson]:
    """Those of whom something was said."""
    rows = await session.execute(rows_by(PERSON.c.person_id), {"keys": person_ids})
    return {row.person_id: to_person(row) for row in rows}


async def fragments_of(session: Session, person_id: str) -> dict[str, Placement]:
    """All fragments of the person who answers to `person_id`; none when it is no id of a person."""
    owner = (await survivors(session, FRAGMENT, [person_id])).get(person_id)
    if owner is None:
        return {}
    owned = (await load_fragments_of(session, FRAGMENT, [owner]))[owner]
    known = await load_placements(session, FRAGMENT, owned)
    return {fragment_id: placement_in(known, fragment_id) for fragment_id in owned}


async def consents(session: Session, fragment_ids: Collection[str]) -> list[FragmentConsent]:
    """What was said about being reached, on these fragments: the latest of each kind."""
    workspace = NurtureWorkspace()
    await _load_consents(session, workspace, fragment_ids)
    return list(workspace.consents.values())


async def _load_consents(session: Session, workspace: NurtureWorkspace, fragment_ids: Collection[str]) -> None:
    """Adds them; what is news in the table of before counts as changed, and so is written anew once it is touched."""
    given = {"keys": fragment_ids}
    latest = [to_consent(row) for row in await session.execute(rows_by(LATEST_CONSENT.c.fragment_id), given)]
    workspace.consents.load({one.key: one for one in latest})
    for row in await session.execute(rows_by(CONSENT.c.fragment_id), given):
        take(workspace.consents, to_former_consent(row))


async def shown(session: Session, fragment_ids: Collection[str]) -> dict[ShowingKey, ShowingCount]:
    """How often each treatment was shown there, and when last: chosen for the person, or asked for by a page."""
    found = await _counted(session, SHOWN, fragment_ids)
    for key, count in (await shown_in_browsers(session, fragment_ids)).items():
        found[key] = count.added(found[key]) if key in found else count
    return found


async def shown_in_browsers(session: Session, fragment_ids: Collection[str]) -> dict[ShowingKey, ShowingCount]:
    """The same of what pages asked for alone."""
    return await _counted(session, SHOWN_IN_BROWSER, fragment_ids)


async def _counted(session: Session, table: Table, fragment_ids: Collection[str]) -> dict[ShowingKey, ShowingCount]:
    rows = await session.execute(rows_by(table.c.fragment_id), {"keys": fragment_ids})
    return {(row.fragment_id, row.treatment_id, row.is_test): ShowingCount(row.times, row.last_at) for row in rows}


async def last_answer(session: Session, asked: Recurrence, circumstances: str, since: datetime) -> str | None:
    """What was answered last in the same circumstances, if that was after `since`."""
    statement = (
        select(SELECTION.c.answer)
        .where(
            one_of(SELECTION.c.fragment_id, asked.fragment_ids),
            SELECTION.c.at > since,
            SELECTION.c.trigger == asked.trigger,
            SELECTION.c.circumstances == circumstances,
        )
        .order_by(SELECTION.c.at.desc(), SELECTION.c.selection_id.desc())
        .limit(1)
    )
    found: str | None = await session.scalar(statement)
    return found


@dataclass
class CompiledCatalogue:
    """The treatments, compiled: what the service keeps in memory while it runs, as revisions never change."""

    _ready: dict[TreatmentRevision, Treatment] = field(default_factory=dict, repr=False)
    _faults: dict[TreatmentRevision, str] = field(default_factory=dict, repr=False)

    async def newest(self, session: Session) -> list[Treatment]:
        """All treatments at their newest revision, without those whose condition this release cannot compile: they fit
        nobody.
        """
        heads = await _newest_revisions(session)
        found = await self.revisions(session, heads)
        return [found[head] for head in heads if head in found]

    async def revisions(
        self, session: Session, wanted: Collection[TreatmentRevision]
    ) -> dict[TreatmentRevision, Treatment]:
        """These revisions, as far as they can be compiled; only those that were never asked for are read."""
        missing = [head for head in wanted if head not in self._ready and head not in self._faults]
        if len(self._ready) + len(missing) > _MOST:
            self._ready.clear()
            missing = [head for head in wanted if head not in self._faults]
        if missing:
            for head, body in (await _bodies(session, missing)).items():
                self._make_ready(head, body)
        return {head: self._ready[head] for head in wanted if head in self._ready}

    async def findings(self) -> list[Finding]:
        """What readiness is to say: one bad treatment stops no other."""
        remedy = "It is offered to nobody; correct its condition"
        return [
            Finding("treatments", f"{head.treatment_id}: {fault}", remedy, is_note=True)
            for head, fault in self._faults.items()
        ][:_MOST_NOTED]

    def _make_ready(self, head: TreatmentRevision, body: TreatmentBody) -> None:
        try:
            self._ready[head] = compile_treatment(head.treatment_id, head.revision, body)
            self._faults = {
                known: fault for known, fault in self._faults.items() if known.treatment_id != head.treatment_id
            }
        except RulebookError as error:
            self._faults[head] = f"revision {head.revision} does not compile in this release: {error.problems[0]}"
            log.error(
                "treatment.uncompiled",
                treatment_id=head.treatment_id,
                revision=head.revision,
                reason=str(error.problems[0]),
            )


async def _newest_revisions(session: Session) -> list[TreatmentRevision]:
    """All treatments, without what is in them."""
    rows = await session.execute(
        select(TREATMENT.c.treatment_id, TREATMENT.c.revision).order_by(TREATMENT.c.treatment_id)
    )
    return [TreatmentRevision(row.treatment_id, row.revision) for row in rows]


async def _bodies(session: Session, wanted: Collection[TreatmentRevision]) -> dict[TreatmentRevision, TreatmentBody]:
    """What these revisions say."""
    treatment_ids = {head.treatment_id for head in wanted}
    columns = (REVISION.c.treatment_id, REVISION.c.revision, REVISION.c.body)
    rows = await session.execute(rows_by(REVISION.c.treatment_id, *columns), {"keys": treatment_ids})
    found = {TreatmentRevision(row.treatment_id, row.revision): row.body for row in rows}
    return {head: TreatmentBody.model_validate_json(found[head]) for head in wanted if head in found}
