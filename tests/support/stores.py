"""Both kinds of store: a test that asks for `store_url` or `database` runs on a SQLite file and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from alembic import command
from sqlalchemy import Connection

from chassis.store import migrate as migrations
from chassis.store.database import Database
from chassis.store.migrate import migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest_asyncio.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    """A store with the chassis's tables."""
    await migrate(store_url)
    database = Database(store_url)
    yield database
    await database.close()


async def migrate_to(url: str, package: str, revision: str) -> None:
    """Bring a store to the revision that an older version of a service would have left."""

    def upgrade(connection: Connection) -> None:
        command.upgrade(migrations._config(package, connection=connection), revision)

    async with Database(url) as database, database.connection() as connection:
        await connection.run_sync(upgrade)
