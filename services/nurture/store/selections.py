"""What was chosen for whom, and what was shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Delete, Select, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from chassis.store.batch import insert_or_skip
from chassis.store.documents import dump_json
from chassis.store.membership import among, one_of, rows_by
from chassis.store.session import Session
from chassis.store.statements import Row
from contracts.ids import with_prefix
from contracts.limits import SELECTIONS
from people_kernel.store.receipts import save_receipts
from services.nurture.domain.saying import Occasion, Selection
from services.nurture.domain.selection import Shown
from services.nurture.store.tables import CATALOGUE, RECEIPT, SELECTION, SHOWN

ASKED = "asked"


async def save_selections(session: Session, selections: Sequence[Selection]) -> None:
    """Writes selections with their receipts."""
    await insert_or_skip(session, SELECTION, [_row(selection, None) for selection in selections])
    await _save_beside(session, selections)


async def save_answer(session: Session, selection: Selection, shown: Iterable[str], answer: str) -> None:
    """Writes a selection that was asked for, with what was answered and which treatments that handed out."""
    if await insert_or_skip(session, SELECTION, [_row(selection, answer)]):
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
    newest: dict[str, Any] = {"partition_by": SELECTION.c.fragment_id, "order_by": (SELECTION.c.at.desc(), SELECTION.c.selection_id.desc())}
    place = func.row_number().over(**newest).label("place")
    ranked = select(SELECTION.c.selection_id, place).where(among(SELECTION.c.fragment_id, "fragments")).subquery()
    return delete(SELECTION).where(SELECTION.c.selection_id.in_(select(ranked.c.selection_id).where(ranked.c.place > SELECTIONS)))


async def _count(session: Session, occasion: Occasion, shown: Iterable[str]) -> None:
    """One more time for each; whoever records a selection has locked its person."""
    known = {"fragment_id": with_prefix("frg", occasion.person_id), "is_test": occasion.is_test, "times": 1, "last_at": occasion.at}
    rows = [{**known, "treatment_id": treatment_id} for treatment_id in sorted(set(shown))]
    if rows:
        dialect = postgresql if session.dialect == "postgresql" else sqlite
        statement = dialect.insert(SHOWN)
        changed = {"times": SHOWN.c.times + 1, "last_at": statement.excluded.last_at}
        await session.execute(statement.on_conflict_do_update(index_elements=list(SHOWN.primary_key), set_=changed), rows)


async def load_catalogue(session: Session, catalogue_id: str) -> list[str]:
    """The treatments of a revision of the catalogue, as receipts name them; none when it is not known."""
    text = await session.scalar(select(CATALOGUE.c.labels).where(CATALOGUE.c.catalogue_id == catalogue_id))
    return [] if text is None else orjson.loads(text)


async def load_shown(session: Session, fragment_ids: Collection[str]) -> dict[tuple[str, str, bool], Shown]:
    """(fragment, treatment, is a test) -> how often it was shown there, and when last."""
    rows = await session.execute(rows_by(SHOWN.c.fragment_id), {"keys": fragment_ids})
    return {(row.fragment_id, row.treatment_id, row.is_test): Shown(row.times, row.last_at) for row in rows}


async def find_answer(session: Session, fragment_ids: Collection[str], circumstances: str, since: datetime) -> str | None:
    """What was answered last in the same circumstances, if that was after `since`."""
    statement = (
        select(SELECTION.c.answer)
        .where(
            one_of(SELECTION.c.fragment_id, fragment_ids),
            SELECTION.c.at > since,
            SELECTION.c.trigger == ASKED,
            SELECTION.c.circumstances == circumstances,
        )
        .order_by(SELECTION.c.at.desc(), SELECTION.c.selection_id.desc())
        .limit(1)
    )
    found: str | None = await session.scalar(statement)
    return found


async def load_latest(session: Session, fragment_ids: Collection[str], tests: Collection[str]) -> Sequence[Row]:
    """Per fragment the latest selection that was asked for and the latest suggestion; on the fragments `tests` also test selections."""
    is_asked = SELECTION.c.trigger == ASKED
    newest = (SELECTION.c.at.desc(), SELECTION.c.selection_id.desc())
    place = func.row_number().over(partition_by=(SELECTION.c.fragment_id, is_asked), order_by=newest).label("place")
    counted = or_(SELECTION.c.is_test.is_(False), one_of(SELECTION.c.fragment_id, tests))
    ranked = _told(place).where(one_of(SELECTION.c.fragment_id, fragment_ids), counted).subquery()
    rows: Sequence[Row] = await session.execute(select(ranked).where(ranked.c.place == 1))
    return rows


async def load_history(session: Session, fragment_ids: Collection[str], limit: int) -> Sequence[Row]:
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


def _row(selection: Selection, answer: str | None) -> dict[str, Any]:
    occasion, chosen = selection.occasion, selection.choice.chosen
    return {
        "selection_id": selection.selection_id,
        "fragment_id": with_prefix("frg", occasion.person_id),
        "at": occasion.at,
        "occurred_at": occasion.occurred_at,
        "trigger": occasion.trigger,
        "treatment_id": None if chosen is None else chosen.treatment.treatment_id,
        "revision": None if chosen is None else chosen.treatment.revision,
        "stage": selection.stage,
        "buying_stage": selection.buying.stage.value,
        "circumstances": selection.circumstances,
        "is_test": occasion.is_test,
        "sentence": selection.receipt.sentence,
        "answer": answer,
    }
