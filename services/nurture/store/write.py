"""Writing what was decided, and what was edited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Delete, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from chassis.store.batch import among, insert_or_skip, upsert
from chassis.store.columns import dump_json
from chassis.store.session import Session
from contracts.events.identity import PersonCreated
from contracts.ids import with_prefix
from contracts.limits import SELECTIONS
from people_kernel.consent import deciding_alone
from people_kernel.store.people import save_cards, save_placements, save_receipts
from services.nurture.domain.outgoing_events import Selection
from services.nurture.domain.treatments import CatalogueEntry, TreatmentEdit
from services.nurture.domain.workspace import NurturedPerson, NurtureWorkspace, Occasion
from services.nurture.store.load import BROWSED
from services.nurture.store.rows import (
    former_consent_row,
    latest_consent_row,
    person_row,
    revision_row,
    selection_row,
    treatment_row,
)
from services.nurture.store.tables import (
    CARD,
    CATALOGUE,
    CONSENT,
    FRAGMENT,
    LATEST_CONSENT,
    PERSON,
    RECEIPT,
    REVISION,
    SELECTION,
    SHOWN,
    SHOWN_IN_BROWSER,
    TREATMENT,
)


async def workspace(session: Session, workspace: NurtureWorkspace) -> None:
    """Writes what changed."""
    await save_placements(session, FRAGMENT, workspace.placements_to_write(workspace.people))
    await save_cards(session, CARD, workspace.cards.changed.values())
    await upsert(session, PERSON, [person_row(person) for person in workspace.people.changed.values()])
    stated = workspace.consents.changed.values()
    await upsert(session, LATEST_CONSENT, [latest_consent_row(one) for one in stated])
    former = deciding_alone(workspace.consents.values(), stated)
    await upsert(session, CONSENT, [former_consent_row(one) for one in former])
    await save_receipts(session, RECEIPT, workspace.receipts)


async def new_people(session: Session, events: Iterable[PersonCreated]) -> None:
    """People who were seen for the first time; of whom more is known already, that stays."""
    rows = {event.person_id: person_row(NurturedPerson(event.person_id, is_test=event.is_test)) for event in events}
    await insert_or_skip(session, PERSON, list(rows.values()))


async def selections(session: Session, selections: Sequence[Selection]) -> None:
    """Writes selections with their receipts."""
    await insert_or_skip(session, SELECTION, [selection_row(selection, None) for selection in selections])
    await _save_beside(session, selections)


async def answer(session: Session, selection: Selection, shown: Iterable[str], answer: str) -> None:
    """Writes a selection that was asked for, with what was answered and which treatments that handed out."""
    if await insert_or_skip(session, SELECTION, [selection_row(selection, answer)]):
        await _count(session, selection.occasion, shown)
    await _save_beside(session, [selection])


async def _save_beside(session: Session, selections: Sequence[Selection]) -> None:
    """Receipts, and the catalogues that they refer to; what is beyond the newest SELECTIONS of a fragment gives way."""
    catalogues = dict(selection.catalogue for selection in selections)
    rows = [{"catalogue_id": key, "labels": dump_json(labels)} for key, labels in catalogues.items()]
    await insert_or_skip(session, CATALOGUE, rows)
    await save_receipts(session, RECEIPT, [selection.receipt for selection in selections])
    fragments = {with_prefix("frg", selection.occasion.person_id) for selection in selections}
    await session.execute(_too_many(), {"fragments": fragments})


@cache
def _too_many() -> Delete:
    newest: dict[str, Any] = {
        "partition_by": (SELECTION.c.fragment_id, SELECTION.c.trigger == BROWSED),  # neither pushes out the other
        "order_by": (SELECTION.c.at.desc(), SELECTION.c.selection_id.desc()),
    }
    place = func.row_number().over(**newest).label("place")
    ranked = select(SELECTION.c.selection_id, place).where(among(SELECTION.c.fragment_id, "fragments")).subquery()
    return delete(SELECTION).where(
        SELECTION.c.selection_id.in_(select(ranked.c.selection_id).where(ranked.c.place > SELECTIONS))
    )


async def _count(session: Session, occasion: Occasion, shown: Iterable[str]) -> None:
    """One more time for each; whoever records a selection has locked its person."""
    known = {
        "fragment_id": with_prefix("frg", occasion.person_id),
        "is_test": occasion.is_test,
        "times": 1,
        "last_at": occasion.at,
    }
    rows = [{**known, "treatment_id": treatment_id} for treatment_id in sorted(set(shown))]
    if rows:
        dialect = postgresql if session.dialect == "postgresql" else sqlite
        table = SHOWN_IN_BROWSER if occasion.trigger == BROWSED else SHOWN
        statement = dialect.insert(table)
        changed = {"times": table.c.times + 1, "last_at": statement.excluded.last_at}
        await session.execute(
            statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed), rows
        )


async def treatments(session: Session, entries: Iterable[CatalogueEntry]) -> set[str]:
    """Writes new treatments; answers the ids of those whose id and external id were free."""
    listed = list(entries)
    claimed: set[str] = set()
    for keys, group in (
        (("external_id",), [entry for entry in listed if entry.external_id is not None]),
        (("treatment_id",), [entry for entry in listed if entry.external_id is None]),
    ):
        rows = [treatment_row(entry) for entry in group]
        claimed |= {
            row.treatment_id
            for row in await insert_or_skip(session, TREATMENT, rows, keys=keys, returning=("treatment_id",))
        }
    await insert_or_skip(session, REVISION, [revision_row(entry) for entry in listed if entry.treatment_id in claimed])
    return claimed


async def lock_treatment(session: Session, treatment_id: str) -> None:
    """One edit of a treatment at a time."""
    await session.execute(
        select(TREATMENT.c.revision).where(TREATMENT.c.treatment_id == treatment_id).with_for_update()
    )


async def revision(session: Session, entry: CatalogueEntry, edit: TreatmentEdit) -> None:
    """Writes the next revision of a treatment that is locked."""
    following = {
        "treatment_id": entry.treatment_id,
        "revision": entry.latest + 1,
        "body": edit.body.model_dump_json(),
        "revised_at": edit.at,
        "revised_by": edit.by,
    }
    await insert_or_skip(session, REVISION, [following])
    await session.execute(
        update(TREATMENT).where(TREATMENT.c.treatment_id == entry.treatment_id).values(revision=entry.latest + 1)
    )


async def external_id(session: Session, treatment_id: str, external_id: str) -> None:
    """From now on another system calls it so."""
    await session.execute(
        update(TREATMENT).where(TREATMENT.c.treatment_id == treatment_id).values(external_id=external_id)
    )
