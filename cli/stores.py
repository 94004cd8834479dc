"""The services' stores as an operator reaches them: those of the suite in a folder, or those that the environment
names (<P>_DATABASE_URL), as in a container of a job.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from chassis.store import refused_events, timers
from chassis.store.database import Database
from chassis.store.errors import Contended, StoreError, StoreUnavailable
from chassis.store.migrate import migrate, pending
from cli.installation import InstallationAccess
from deployment.catalogue import PROCESSES
from embedded.stores import known_stores

STORE_FAILURES: Final = (
    StoreError,
    StoreUnavailable,
    Contended,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,  # TimeoutError is one
)
"""All that a store that is away, busy or broken raises: a command tells it in one line, of this store alone."""
_MIGRATIONS = {process.name: process.migrations for process in PROCESSES}


class NoStores(Exception):
    """Nobody says where they are."""


def store_addresses(place: InstallationAccess) -> dict[str, str]:
    """By process. Raises NoStores, and StoresRefused where the folder does not say it any more."""
    given, var = place.environment, place.var
    named = {
        process.name: url
        for process in PROCESSES
        if (url := given.get(f"{process.prefix}MIGRATION_DATABASE_URL") or given.get(f"{process.prefix}DATABASE_URL"))
    }
    if named:
        return named
    if place.apart:
        raise NoStores(place.apart)
    if not (var / "secrets.json").exists():
        raise NoStores(f"{var} holds no suite, and the environment names no store (IDENTITY_DATABASE_URL, ...)")
    return known_stores(var)


def failure_in_words(error: BaseException) -> str:
    """One line of it; what says nothing is named by its class."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def is_missing(url: str) -> bool:
    """Whether the store is a file that is not there yet."""
    return url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists()


async def lacking(process: str, url: str) -> list[str]:
    """The migrations that the store has not seen yet."""
    return await pending(url, _MIGRATIONS[process])


async def bring_up_to_date(process: str, url: str) -> None:
    """Apply them."""
    await migrate(url, _MIGRATIONS[process])


async def set_aside(url: str) -> tuple[int, int]:
    """How many events the broker refused for good, and how many timers keep failing."""
    async with Database(url) as database, database.read() as session:
        return await refused_events.count(session), sum(number for _, number in await timers.failing(session))


async def bring_back(url: str) -> tuple[int, int]:
    """Put the refused events back and have failing timers fire now; how many each."""
    async with Database(url) as database, database.begin() as session:
        numbers = [event.number for event in await refused_events.listed(session)]
        back = await refused_events.put_back(session, numbers) if numbers else []
        return len(back), await timers.retry_failing(session)
