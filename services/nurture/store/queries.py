"""What the API asks: the catalogue, and what was chosen for whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from chassis.store.batch import one_of
from chassis.store.session import Session
from chassis.store.statements import Row
from services.nurture.domain.treatments import CatalogueEntry
from services.nurture.store.load import ASKED, BROWSED
from services.nurture.store.rows import to_entry
from services.nurture.store.tables import CATALOGUE, REVISION, SELECTION, TREATMENT


async def has_no_treatments(session: Session) -> bool:
    """Whether there was never a treatment."""
    return bool(await session.scalar(select(func.count()).select_from(TREATMENT)) == 0)


async def find_entry(session: Session, treatment_id: str, revision: int | None = None) -> CatalogueEntry | None:
    """A treatment as it is, or as it was at `revision`."""
    statement = _entries(REVISION.c.revision == (TREATMENT.c.revision if revision is None else revision))
    row = (await session.execute(statement.where(TREATMENT.c.treatment_id == treatment_id))).first()
    return None if row is None else to_entry(row)


async def find_by_external_id(session: Session, external_id: str) -> CatalogueEntry | None:
    """The treatment that another system calls so."""
    statement = _entries(REVISION.c.revision == TREATMENT.c.revision)
    row = (await session.execute(statement.where(TREATMENT.c.external_id == external_id))).first()
    return None if row is None else to_entry(row)


async def treatments(session: Session, after: str | None, limit: int) -> list[CatalogueEntry]:
    """Treatments in the order of their ids."""
    statement = _entries(REVISION.c.revision == TREATMENT.c.revision).order_by(TREATMENT.c.treatment_id).limit(limit)
    if after is not None:
        statement = statement.where(TREATMENT.c.treatment_id > after)
    return [to_entry(row) for row in await session.execute(statement)]


async def catalogue_labels(session: Session, catalogue_id: str) -> list[str]:
    """The treatments of a revision of the catalogue, as receipts name them; none when it is not known."""
    text = await session.scalar(select(CATALOGUE.c.labels).where(CATALOGUE.c.catalogue_id == catalogue_id))
    return [] if text is None else orjson.loads(text)


async def latest_selections(session: Session, fragment_ids: Collection[str], tests: Collection[str]) -> Sequence[Row]:
    """Per fragment the latest selection that was asked for and the latest suggestion; on the fragments `tests` also
    test selections.
    """
    is_asked = SELECTION.c.trigger.in_((ASKED, BROWSED))
    newest = (SELECTION.c.at.desc(), SELECTION.c.selection_id.desc())
    place = func.row_number().over(partition_by=(SELECTION.c.fragment_id, is_asked), order_by=newest).label("place")
    counted = or_(SELECTION.c.is_test.is_(False), one_of(SELECTION.c.fragment_id, tests))
    ranked = _told(place).where(one_of(SELECTION.c.fragment_id, fragment_ids), counted).subquery()
    rows: Sequence[Row] = await session.execute(select(ranked).where(ranked.c.place == 1))
    return rows


async def selections_of(session: Session, fragment_ids: Collection[str], limit: int) -> Sequence[Row]:
    """Selections, newest first."""
    newest = (SELECTION.c.at.desc(), SELECTION.c.selection_id.desc())
    statement = _told().where(one_of(SELECTION.c.fragment_id, fragment_ids)).order_by(*newest).limit(limit)
    rows: Sequence[Row] = await session.execute(statement)
    return rows


def _told(*others: ColumnElement[Any]) -> Select[Any]:
    return select(*_TOLD, *others)


_TOLD: tuple[ColumnElement[Any], ...] = (
    SELECTION.c.selection_id,
    SELECTION.c.fragment_id,
    SELECTION.c.at,
    SELECTION.c.occurred_at,
    SELECTION.c.trigger,
    SELECTION.c.treatment_id,
    SELECTION.c.revision,
    SELECTION.c.stage,
    SELECTION.c.buying_stage,
    SELECTION.c.is_test,
    SELECTION.c.sentence,
)


def _entries(which: Any) -> Select[Any]:
    columns = (
        TREATMENT.c.treatment_id,
        TREATMENT.c.revision.label("latest"),
        TREATMENT.c.external_id,
        TREATMENT.c.is_starter,
        TREATMENT.c.created_at,
        REVISION.c.revision,
        REVISION.c.body,
        REVISION.c.revised_at,
        REVISION.c.revised_by,
    )
    return select(*columns).join(REVISION, and_(REVISION.c.treatment_id == TREATMENT.c.treatment_id, which))
