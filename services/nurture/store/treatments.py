"""The catalogue in the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, func, select, update

from chassis.store.batch import insert_or_skip
from chassis.store.membership import rows_by
from chassis.store.session import Session
from chassis.store.statements import Row
from services.nurture.domain.catalogue import Edit, Entry
from services.nurture.domain.treatments import TreatmentBody
from services.nurture.store.tables import REVISION, TREATMENT


class Head(NamedTuple):
    """A treatment and its newest revision."""

    treatment_id: str
    revision: int


async def is_empty(session: Session) -> bool:
    """Whether there was never a treatment."""
    return bool(await session.scalar(select(func.count()).select_from(TREATMENT)) == 0)


async def load_heads(session: Session) -> list[Head]:
    """All treatments, without what is in them."""
    rows = await session.execute(select(TREATMENT.c.treatment_id, TREATMENT.c.revision).order_by(TREATMENT.c.treatment_id))
    return [Head(row.treatment_id, row.revision) for row in rows]


async def load_bodies(session: Session, wanted: Collection[Head]) -> dict[Head, TreatmentBody]:
    """What these revisions say."""
    treatment_ids = {head.treatment_id for head in wanted}
    columns = (REVISION.c.treatment_id, REVISION.c.revision, REVISION.c.body)
    rows = await session.execute(rows_by(REVISION.c.treatment_id, *columns), {"keys": treatment_ids})
    found = {Head(row.treatment_id, row.revision): row.body for row in rows}
    return {head: TreatmentBody.model_validate_json(found[head]) for head in wanted if head in found}


async def find_entry(session: Session, treatment_id: str, revision: int | None = None) -> Entry | None:
    """A treatment as it is, or as it was at `revision`."""
    statement = _entries(REVISION.c.revision == (TREATMENT.c.revision if revision is None else revision))
    row = (await session.execute(statement.where(TREATMENT.c.treatment_id == treatment_id))).first()
    return None if row is None else _entry_of(row)


async def find_by_external_id(session: Session, external_id: str) -> Entry | None:
    """The treatment that another system calls so."""
    statement = _entries(REVISION.c.revision == TREATMENT.c.revision)
    row = (await session.execute(statement.where(TREATMENT.c.external_id == external_id))).first()
    return None if row is None else _entry_of(row)


async def load_page(session: Session, after: str | None, limit: int) -> list[Entry]:
    """Treatments in the order of their ids."""
    statement = _entries(REVISION.c.revision == TREATMENT.c.revision).order_by(TREATMENT.c.treatment_id).limit(limit)
    if after is not None:
        statement = statement.where(TREATMENT.c.treatment_id > after)
    return [_entry_of(row) for row in await session.execute(statement)]


async def add(session: Session, entries: Iterable[Entry]) -> set[str]:
    """Writes new treatments; answers the ids of those whose id and external id were free."""
    listed = list(entries)
    claimed: set[str] = set()
    for keys, group in (
        (("external_id",), [entry for entry in listed if entry.external_id is not None]),
        (("treatment_id",), [entry for entry in listed if entry.external_id is None]),
    ):
        rows = [_treatment_row(entry) for entry in group]
        claimed |= {row.treatment_id for row in await insert_or_skip(session, TREATMENT, rows, keys=keys, returning=("treatment_id",))}
    await insert_or_skip(session, REVISION, [_revision_row(entry) for entry in listed if entry.treatment_id in claimed])
    return claimed


async def lock(session: Session, treatment_id: str) -> None:
    """One edit of a treatment at a time."""
    await session.execute(select(TREATMENT.c.revision).where(TREATMENT.c.treatment_id == treatment_id).with_for_update())


async def revise(session: Session, entry: Entry, edit: Edit) -> None:
    """Writes the next revision of a treatment that is locked."""
    following = {
        "treatment_id": entry.treatment_id,
        "revision": entry.latest + 1,
        "body": edit.body.model_dump_json(),
        "revised_at": edit.at,
        "revised_by": edit.by,
    }
    await insert_or_skip(session, REVISION, [following])
    await session.execute(update(TREATMENT).where(TREATMENT.c.treatment_id == entry.treatment_id).values(revision=entry.latest + 1))


async def name_externally(session: Session, treatment_id: str, external_id: str) -> None:
    """From now on another system calls it so."""
    await session.execute(update(TREATMENT).where(TREATMENT.c.treatment_id == treatment_id).values(external_id=external_id))


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


def _entry_of(row: Row) -> Entry:
    return Entry(
        treatment_id=row.treatment_id,
        revision=row.revision,
        latest=row.latest,
        external_id=row.external_id,
        is_starter=row.is_starter,
        created_at=row.created_at,
        revised_at=row.revised_at,
        revised_by=row.revised_by,
        body=TreatmentBody.model_validate_json(row.body),
    )


def _treatment_row(entry: Entry) -> dict[str, Any]:
    return {
        "treatment_id": entry.treatment_id,
        "revision": entry.latest,
        "external_id": entry.external_id,
        "is_starter": entry.is_starter,
        "created_at": entry.created_at,
    }


def _revision_row(entry: Entry) -> dict[str, Any]:
    return {
        "treatment_id": entry.treatment_id,
        "revision": entry.revision,
        "body": entry.body.model_dump_json(),
        "revised_at": entry.revised_at,
        "revised_by": entry.revised_by,
    }
