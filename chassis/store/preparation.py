"""Before a service begins its store is brought to where the code needs it, or awaited until somebody has done that."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

import asyncpg
import structlog

from chassis.store.background import backoff
from chassis.store.database import Database
from chassis.store.errors import StoreError, StoreUnavailable
from chassis.store.migrate import migrate
from chassis.store.revisions import positions

log = structlog.get_logger(__name__)

_LONGEST_PAUSE = 3.0  # seconds between two looks at a store that is awaited
_TOLD_EVERY = 20  # looks: so often the log repeats why it waits
_NOT_THERE_YET = (asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError)
"""No such database, no such role, or not that password: of a store that is being set up."""


class NotInTime(Exception):
    """The store was awaited for as long as it was to be."""


class MayNotMigrate(Exception):
    """The role may not change tables."""


def _quietly(_reason: str) -> None:
    """Nobody asks."""


async def prepare(
    url: str,
    package: str | None,
    *,
    runs: bool = True,
    within: float = math.inf,
    tell: Callable[[str], None] = _quietly,
) -> None:
    """Returns when the store is where the code needs it: by its own migrations when it `runs` them, else by those of
    somebody else.

    A store that is away is waited for, at most `within` seconds; `tell` hears why, again and again. Raises NotInTime,
    UnknownRevision, MayNotMigrate and what a migration fails with.
    """
    end, looks = time.monotonic() + within, 0
    while reason := await _obstacle(url, package, runs=runs):
        looks += 1
        if looks % _TOLD_EVERY == 1:
            log.warning("store.awaited", reason=reason)
        tell(reason)
        pause = backoff(looks, first=0.1, most=_LONGEST_PAUSE)
        if time.monotonic() + pause > end:
            raise NotInTime(f"gave up after {within:.0f} s: {reason}")
        await asyncio.sleep(pause)


async def _obstacle(url: str, package: str | None, *, runs: bool) -> str:
    """Why the store cannot be used yet; empty when it can."""
    async with Database(url) as database:
        try:
            if runs:
                await migrate(url, package)
            behind = [str(one) for one in await positions(database, package) if one.is_behind]
        except Exception as error:
            if not (database.is_transient(error) or _is_not_there_yet(error)):
                raise _explained(error) from error
            return _in_words(error)
    return f"its migrations are awaited: {'; '.join(behind)}" if behind else ""


def _is_not_there_yet(error: Exception) -> bool:
    return isinstance(error, StoreError) and isinstance(error.orig, _NOT_THERE_YET)


def _in_words(error: Exception) -> str:
    if isinstance(error, StoreError):
        return f"it refuses: {error}"
    words = str(error) if isinstance(error, StoreUnavailable) else ""
    return f"it does not answer: {words or type(error).__name__}"


def _explained(error: Exception) -> Exception:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, asyncpg.InsufficientPrivilegeError):
        cause = cause.__cause__ or getattr(cause, "orig", None)
    if cause is None:
        return error
    return MayNotMigrate(
        f"the role may not do this: {cause}. Run the migrations as the owner of the database: `migrate` with"
        " MIGRATION_DATABASE_URL, and MIGRATIONS=await for the service"
    )
