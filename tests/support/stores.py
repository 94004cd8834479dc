"""Both kinds of store: a test that asks for `store_url` or `database` runs on a SQLite file and on PostgreSQL."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from alembic import command
from sqlalchemy import Connection

from chassis.store import migrate as migrations
from chassis.store.database import Database
from chassis.store.migrate import migrate, offline_sql


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
    await prepare(store_url)
    database = Database(store_url)
    yield database
    await database.close()


_FILES: dict[str | None, bytes] = {}
"""SQLite stores that were migrated once in this process, by package of migrations."""


async def prepare(url: str, package: str | None = None) -> None:
    """Make of an empty store what `migrate` would make of it, in a tenth of the time; one that is not empty stays as it
    is.

    What migrations do is for the tests of migrations, which run them.
    """
    if url.startswith("sqlite:///"):
        if package not in _FILES:
            await _make_file(package)
        _copy(package, Path(url.removeprefix("sqlite:///")))
        return
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval(
            "SELECT to_regclass('chassis_version') IS NULL AND to_regclass('version') IS NULL"
        ):
            await connection.execute(_postgres_script(package))
    finally:
        await connection.close()


async def _make_file(package: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await migrate(f"sqlite:///{folder}/store.db", package)
        _keep(package, Path(folder, "store.db"))


def _keep(package: str | None, path: Path) -> None:
    _FILES[package] = path.read_bytes()


def _copy(package: str | None, path: Path) -> None:
    with contextlib.suppress(FileExistsError), path.open("xb") as file:
        file.write(_FILES[package])


@cache
def _postgres_script(package: str | None) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as written:
        offline_sql("postgresql", package)
    return written.getvalue()


async def migrate_to(url: str, package: str, revision: str) -> None:
    """Bring a store to the revision that an older version of a service would have left."""

    def upgrade(connection: Connection) -> None:
        command.upgrade(migrations._config(package, connection=connection), revision)

    async with Database(url) as database, database.connection() as connection:
        await connection.run_sync(upgrade)
