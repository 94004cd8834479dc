"""Who decides about a person first, where several may at once."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import text

from chassis.store.session import Session


async def lock(session: Session, ids: Collection[str]) -> bool:
    """Lets one shard, stream or request at a time decide about these people or fragments,
    known or not, until the transaction ends.

    Needless on SQLite, which has one writer: answers whether there was anything to lock,
    so that what was read before may be old.
    """
    if session.dialect != "postgresql":
        return False
    await session.execute(_LOCK, {"ids": sorted(ids)})
    return True


async def try_lock(session: Session, ids: Collection[str]) -> bool:
    """The same without waiting, for whoever holds what the others may wait for: false if
    anybody else decides about one of these now.
    """
    if session.dialect != "postgresql":
        return True
    return bool(await session.scalar(_TRY, {"ids": sorted(ids)}))


_LOCK = text(
    "SELECT count(pg_advisory_xact_lock(k)) FROM"
    " (SELECT DISTINCT hashtextextended(i, 7) AS k FROM unnest(CAST(:ids AS text[])) AS i ORDER BY k) AS keys"
)
_TRY = text(
    "SELECT coalesce(bool_and(pg_try_advisory_xact_lock(k)), true) FROM"
    " (SELECT DISTINCT hashtextextended(i, 7) AS k FROM unnest(CAST(:ids AS text[])) AS i ORDER BY k) AS keys"
)
