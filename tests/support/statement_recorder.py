"""Which statements are run, and how the store would answer them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from chassis.store.session import Driver, Fetched, Session


class StatementRecorder:
    """A driver that keeps what it hands on."""

    def __init__(self, driver: Driver) -> None:
        self.statements: list[tuple[str, Sequence[Any]]] = []
        self._driver = driver

    async def fetch(self, sql: str, values: Sequence[Any]) -> Fetched:
        self.statements.append((sql, values))
        return await self._driver.fetch(sql, values)

    async def fetch_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Fetched:
        self.statements.append((sql, rows))
        return await self._driver.fetch_many(sql, rows)

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self.statements.append((sql, rows))
        await self._driver.run_many(sql, rows)

    def pages(self, sql: str, values: Sequence[Any], size: int) -> AsyncIterator[Fetched]:
        self.statements.append((sql, values))
        return self._driver.pages(sql, values, size)


def recorded(session: Session) -> tuple[Session, StatementRecorder]:
    """The same transaction, with a recorder of its statements."""
    recorder = StatementRecorder(session._driver)
    return Session(recorder, session.dialect), recorder
