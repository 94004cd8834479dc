"""What was chosen for whom, and what was shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.store.batch import insert_or_skip, one_of
from contracts.ids import with_prefix
from deciding.store.receipts import save_receipts
from services.nurture.domain.saying import Selection
from services.nurture.domain.selection import Shown
from services.nurture.store.tables import RECEIPT, SELECTION, SHOWING

ASKED = "asked"


async def save_selections(session: AsyncSession, selections: Sequence[Selection]) -> None:
    """Writes selections with their receipts."""
    await insert_or_skip(session, SELECTION, [_row(selection, None) for selection in selections])
    await save_receipts(session, RECEIPT, [selection.receipt for selection in selections])


async def save_answer(session: AsyncSession, selection: Selection, shown: Iterable[str], answer: str) -> None:
    """Writes a selection that was asked for, with what was answered and which treatments that handed out."""
    await insert_or_skip(session, SELECTION, [_row(selection, answer)])
    occasion = selection.occasion
    rows = [
        {
            "selection_id": selection.selection_id,
            "treatment_id": treatment_id,
            "fragment_id": with_prefix("frg", occasion.person_id),
            "at": occasion.at,
            "is_test": occasion.is_test,
        }
        for treatment_id in shown
    ]
    await insert_or_skip(session, SHOWING, rows)
    await save_receipts(session, RECEIPT, [selection.receipt])


async def load_shown(session: AsyncSession, fragment_ids: Collection[str]) -> dict[tuple[str, str, bool], Shown]:
    """(fragment, treatment, is a test) -> how often it was shown there, and when last."""
    key = (SHOWING.c.fragment_id, SHOWING.c.treatment_id, SHOWING.c.is_test)
    counted = select(*key, func.count().label("times"), func.max(SHOWING.c.at).label("last_at"))
    rows = await session.execute(counted.where(one_of(session, SHOWING.c.fragment_id, fragment_ids)).group_by(*key))
    return {(row.fragment_id, row.treatment_id, row.is_test): Shown(row.times, row.last_at) for row in rows}


async def find_answer(session: AsyncSession, fragment_ids: Collection[str], circumstances: str, since: datetime) -> str | None:
    """What was answered last in the same circumstances, if that was after `since`."""
    statement = (
        select(SELECTION.c.answer)
        .where(
            one_of(session, SELECTION.c.fragment_id, fragment_ids),
            SELECTION.c.at > since,
            SELECTION.c.trigger == ASKED,
            SELECTION.c.circumstances == circumstances,
        )
        .order_by(SELECTION.c.at.desc(), SELECTION.c.selection_id.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def load_latest(session: AsyncSession, fragment_ids: Collection[str], tests: Collection[str]) -> Sequence[Row[Any]]:
    """Per fragment the latest selection that was asked for and the latest suggestion; on the fragments `tests` also test selections."""
    is_asked = SELECTION.c.trigger == ASKED
    newest = (SELECTION.c.at.desc(), SELECTION.c.selection_id.desc())
    place = func.row_number().over(partition_by=(SELECTION.c.fragment_id, is_asked), order_by=newest).label("place")
    counted = or_(SELECTION.c.is_test.is_(False), one_of(session, SELECTION.c.fragment_id, tests))
    ranked = _told(place).where(one_of(session, SELECTION.c.fragment_id, fragment_ids), counted).subquery()
    rows: Sequence[Row[Any]] = (await session.execute(select(ranked).where(ranked.c.place == 1))).all()
    return rows


async def load_history(session: AsyncSession, fragment_ids: Collection[str], limit: int) -> Sequence[Row[Any]]:
    """Selections, newest first."""
    newest = (SELECTION.c.at.desc(), SELECTION.c.selection_id.desc())
    statement = _told().where(one_of(session, SELECTION.c.fragment_id, fragment_ids)).order_by(*newest).limit(limit)
    rows: Sequence[Row[Any]] = (await session.execute(statement)).all()
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
