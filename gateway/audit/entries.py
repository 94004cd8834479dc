"""The audit's rows: written in batches, found by who, what and when, and forgotten by age alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Integer, Select, bindparam, delete, select, update

from chassis.store.batch import core_table, insert_all, insert_numbered
from chassis.store.session import Session
from gateway.store import AuditObjectRow, AuditRow

_AUDIT, _OBJECT = core_table(AuditRow), core_table(AuditObjectRow)
_FORGET_AT_ONCE = 5_000


class AuditEntry(NamedTuple):
    """One entry. `status` is None until the operation was answered; it stays so where the process was killed first."""

    at: datetime
    principal: str
    roles: tuple[str, ...]
    key_id: str | None
    operation: str
    method: str
    objects: tuple[str, ...]
    status: int | None
    request_id: str | None

    def row(self) -> dict[str, Any]:
        """As the store has it."""
        return {**self._asdict(), "roles": list(self.roles), "objects": list(self.objects)}


class AuditOutcome(NamedTuple):
    """What became of an entry that was written before: its status, and what it made."""

    audit_id: int
    status: int
    objects: tuple[str, ...]
    made: tuple[str, ...]  # those of `objects` that were not known before


class AuditFilter(NamedTuple):
    """Which entries; None: any."""

    principal: str | None = None
    object_id: str | None = None
    operation: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None  # an audit_id


async def add(session: Session, entries: Sequence[AuditEntry]) -> list[int]:
    """Write entries, and what they are about; answers their numbers in the same order."""
    numbers = await insert_numbered(session, AuditRow, [entry.row() for entry in entries], "audit_id")
    about = [(number, entry.objects) for number, entry in zip(numbers, entries, strict=True)]
    await _add_objects(session, about)
    return numbers


async def finish(session: Session, outcomes: Sequence[AuditOutcome]) -> None:
    """Write what became of entries; once: an outcome that stands is not written over."""
    rows = [{"number": one.audit_id, "became": one.status, "about": list(one.objects)} for one in sorted(outcomes)]
    await session.execute(_FINISH, rows)
    await _add_objects(session, [(one.audit_id, one.made) for one in outcomes])


async def found(session: Session, wanted: AuditFilter, limit: int) -> Sequence[Any]:
    """Rows of AuditRow, newest first."""
    return list(await session.execute(_query(wanted).order_by(_AUDIT.c.audit_id.desc()).limit(limit)))


async def forget_before(session: Session, earliest: datetime) -> int:
    """Remove some of the entries from before `earliest`, the oldest first; answers how many."""
    oldest = select(_AUDIT.c.audit_id).where(_AUDIT.c.at < earliest).order_by(_AUDIT.c.at).limit(_FORGET_AT_ONCE)
    numbers = await session.scalars(oldest)
    for table in (_OBJECT, _AUDIT) if numbers else ():
        await session.execute(
            delete(table).where(table.c.audit_id == bindparam("number")), [{"number": one} for one in numbers]
        )
    return len(numbers)


async def _add_objects(session: Session, about: Sequence[tuple[int, tuple[str, ...]]]) -> None:
    rows = [{"object_id": one, "audit_id": number} for number, objects in about for one in dict.fromkeys(objects)]
    await insert_all(session, AuditObjectRow, rows)


def _query(wanted: AuditFilter) -> Select[Any]:
    query = select(_AUDIT)
    if wanted.object_id is not None:
        query = query.join(_OBJECT, _OBJECT.c.audit_id == _AUDIT.c.audit_id)
        query = query.where(_OBJECT.c.object_id == wanted.object_id)
    for column, value in ((_AUDIT.c.principal, wanted.principal), (_AUDIT.c.operation, wanted.operation)):
        query = query if value is None else query.where(column == value)
    if wanted.since is not None:
        query = query.where(_AUDIT.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_AUDIT.c.at < wanted.until)
    return query if wanted.before is None else query.where(_AUDIT.c.audit_id < wanted.before)


_FINISH: Final = (
    update(_AUDIT)
    .where(_AUDIT.c.audit_id == bindparam("number"), _AUDIT.c.status.is_(None))
    .values(status=bindparam("became", type_=Integer), objects=bindparam("about", type_=_AUDIT.c.objects.type))
)
