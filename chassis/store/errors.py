"""What a store complains of: the drivers' errors as ours, which say whether the same work may succeed later and quote
nobody's data.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

# SQLite's primary result codes that a later try can turn into success: BUSY,
# LOCKED, NOMEM, IOERR, FULL, CANTOPEN, PROTOCOL
_SQLITE_PASSING = frozenset({5, 6, 7, 10, 13, 14, 15})
SQLITE_BUSY = 5
# SQLSTATE classes: connection, transaction rollback (serialization, deadlock), resources, lock not
# available, operator intervention, system
_POSTGRES_PASSING = ("08", "40", "53", "55P03", "57P", "58")
_POSTGRES_READ_ONLY = "25006"  # a standby answered: the primary is being changed
_QUOTED_ARGUMENT = re.compile(r"(invalid input for query argument \$\d+).*", re.DOTALL)


class StoreError(Exception):
    """A statement failed.

    `is_passing`: the store was away or busy. `orig` is the driver's error, whose text may quote what was to be written;
    ours never does.
    """

    def __init__(self, text: str, orig: BaseException, *, is_passing: bool = False) -> None:
        super().__init__(text)
        self.orig = orig
        self.is_passing = is_passing


class Violated(StoreError):
    """A constraint does not allow the rows."""


class StoreUnavailable(Exception):
    """The store cannot be reached, or has no connection to spare; nothing was begun."""


class Contended(Exception):
    """Another writer was at the same rows; nothing is saved, and the same work may well succeed when it is done again.

    If it does not, again and again, it is the data that contradicts itself.
    """


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the lock."""
    return _code(error) == SQLITE_BUSY


def of_sqlite(error: sqlite3.Error) -> StoreError:
    """SQLite's words, which name tables and columns, never values."""
    kind = Violated if isinstance(error, sqlite3.IntegrityError) else StoreError
    return kind(f"{type(error).__name__}: {error}", error, is_passing=_code(error) in _SQLITE_PASSING)


def of_postgres(error: Exception) -> StoreError:
    """The server's message without its detail ("Key (email)=(...) already exists"), or the driver's without the
    argument it quotes.
    """
    if isinstance(error, asyncpg.PostgresError):
        kind = Violated if isinstance(error, asyncpg.IntegrityConstraintViolationError) else StoreError
        state = error.sqlstate or ""
        # read anew by the next try
        is_stale = isinstance(error, asyncpg.InvalidCachedStatementError | asyncpg.OutdatedSchemaCacheError)
        is_passing = is_stale or state == _POSTGRES_READ_ONLY or state.startswith(_POSTGRES_PASSING)
        # what is said of values (class 22) quotes them
        words = "the value cannot be stored" if state.startswith("22") else error.args[0] if error.args else ""
        return kind(f"{type(error).__name__} {state}: {words}", error, is_passing=is_passing)
    text = _QUOTED_ARGUMENT.sub(r"\1", str(error))
    is_lost = isinstance(error, OSError | TimeoutError) or "connection is closed" in text
    return StoreError(f"{type(error).__name__}: {text}", error, is_passing=is_lost)


@contextmanager
def reaching() -> Iterator[None]:
    """Around the opening of a connection: there the operating system's errors can mean nothing else than that the store
    is away.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise of_sqlite(error) from None
    except (OSError, TimeoutError) as error:
        raise StoreUnavailable(str(error) or type(error).__name__) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise of_postgres(error) from None


def _code(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
