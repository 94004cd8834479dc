"""Which statements are run, and how the store would answer them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from chassis.store.session import Driver, Fetched, Session


class Noting:
    """A driver that notes what it hands on."""

    def __init__(self, driver: Driver) -> None:
        self.noted: list[tuple[str, Sequence[Any]]] = []
        self._driver = driver

    async def fetch(self, sql: str, values: Sequence[Any]) -> Fetched:
        self.noted.append((sql, values))
        return await self._driver.fetch(sql, values)

    async def fetch_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Fetched:
        self.noted.append((sql, rows))
        return await self._driver.fetch_many(sql, rows)

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self.noted.append((sql, rows))
        await self._driver.run_many(sql, rows)

    def pages(self, sql: str, values: Sequence[Any], size: int) -> AsyncIterator[Fetched]:
        self.noted.append((sql, values))
        return self._driver.pages(sql, values, size)


def noting(session: Session) -> tuple[Session, Noting]:
    """The same transaction, with somebody who notes."""
    notes = Noting(session._driver)
    return Session(notes, session.dialect), notes
