"""Migrations: from nothing to the newest, once, whoever else tries; and what tells that one is missing."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from chassis.message import OutMessage
from chassis.store import migrate as migrations
from chassis.store import outbox, tables, timers
from chassis.store.batch import upsert
from chassis.store.database import Database
from chassis.store.migrate import drift, migrate, pending
from chassis.store.revisions import UnknownRevision, newest
from embedded.plan import SERVICES
from tests.chassis.store.miniature.store import NewerTable, Table, Visit

CHASSIS = sorted(path.name[:4] for path in (Path(tables.__file__).parent / "migrations" / "versions").glob("0*.py"))
PACKAGE = "tests.chassis.store.miniature.migrations"


async def versions(url: str) -> dict[str, list[str]]:
    database = Database(url)
    async with database.read() as session:
        found = {
            name: list(await session.scalars(text(f"SELECT version_num FROM {name}")))
            for name in ("chassis_version", "version")
        }
    await database.close()
    return found


async def test_an_empty_store_is_brought_to_the_newest_revision_of_both_chains(store_url: str) -> None:
    assert await pending(store_url, PACKAGE) == [
        *(f"chassis.store.migrations:{one}" for one in CHASSIS),
        f"{PACKAGE}:0001",
        f"{PACKAGE}:0002",
    ]
    await migrate(store_url, PACKAGE)
    assert await versions(store_url) == {"chassis_version": [CHASSIS[-1]], "version": ["0002"]}
    assert await pending(store_url, PACKAGE) == []
    assert await drift(store_url, Table.metadata) == []


async def test_migrating_again_changes_nothing(store_url: str) -> None:
    await migrate(store_url)
    await migrate(store_url, PACKAGE)
    database = Database(store_url)
    visit = {"visit_id": "v", "page": "/", "seen_at": datetime.now(UTC), "facts": {"a": [1]}}
    async with database.begin() as session:
        await upsert(session, Visit, [visit])
    await migrate(store_url, PACKAGE)
    async with database.read() as session:
        assert [row._asdict() for row in await session.execute(select(Visit.__table__))] == [visit]  # type: ignore[attr-defined]
    await database.close()


@asynccontextmanager
async def writing_elsewhere(url: str) -> AsyncIterator[None]:
    """Somebody else holds what a migration needs: the one write transaction of SQLite, the lock of migrations on
    PostgreSQL.
    """
    async with Database(url) as database:
        if database.dialect == "sqlite":
            async with database.begin():
                yield
        else:
            async with database.standing_connection() as connection:
                await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": migrations._MIGRATION_LOCK})
                yield


async def test_a_store_at_the_newest_revision_is_only_looked_at(store_url: str) -> None:
    await migrate(store_url, PACKAGE)
    async with writing_elsewhere(store_url), asyncio.timeout(60):
        await migrate(store_url, PACKAGE)


async def test_a_store_that_lacks_a_revision_waits_for_its_turn(store_url: str) -> None:
    await migrate(store_url)
    async with writing_elsewhere(store_url):
        migrating = asyncio.create_task(migrate(store_url, PACKAGE))
        await asyncio.wait((migrating,), timeout=0.5)
        assert not migrating.done()
    await migrating
    assert await pending(store_url, PACKAGE) == []


@pytest.mark.parametrize("owner", ["chassis.store", "gateway", *(f"services.{name}" for name in SERVICES)])
def test_the_newest_revision_is_the_last_file(owner: str) -> None:
    script = ScriptDirectory.from_config(migrations._config(f"{owner}.migrations"))
    assert script.get_heads() == [newest(f"{owner}.migrations")]


async def test_what_waited_in_an_older_store_still_waits(store_url: str) -> None:
    database = Database(store_url)
    async with database.connection() as connection:
        await connection.run_sync(
            lambda one: command.upgrade(migrations._config("chassis.store.migrations", connection=one), "0001")
        )
    moment = "2026-03-02 12:00:00+00:00" if database.dialect == "postgresql" else "2026-03-02T12:00:00.000000+00:00"
    async with database.begin() as session:
        for name, published in (("first", f"'{moment}'"), ("second", "NULL"), ("third", "NULL")):
            columns = "event_id, subject, headers, body, created_at, published_at"
            values = f"'{name}', 'echo.a.b.v1.0', '{{}}', '{name}', '{moment}', {published}"
            await session.execute(text(f"INSERT INTO outbox ({columns}) VALUES ({values})"))
        columns = "kind, key, due_at, fire_at, attempts, payload"
        await session.execute(
            text(f"INSERT INTO timer ({columns}) VALUES ('fade', 'k', '{moment}', '{moment}', 4, '{{}}')")
        )
    await migrate(store_url)
    async with database.begin() as session:
        assert [row.row_id for row in await outbox.waiting(session, 10)] == [2, 3]
        assert await timers.failing(session) == [("fade", 1)]
        await outbox.forget(session, [2, 3])
        await outbox.append(session, [("fourth", OutMessage("echo.a.b.v1.0", {}, b""))])
        assert [row.row_id for row in await outbox.waiting(session, 10)] == [4]
    await database.close()


async def test_replicas_that_start_together_migrate_once(store_url: str) -> None:
    await asyncio.gather(*(migrate(store_url, PACKAGE) for _ in range(4)))
    assert await versions(store_url) == {"chassis_version": [CHASSIS[-1]], "version": ["0002"]}


async def test_drift_names_what_a_migration_is_missing_for(store_url: str) -> None:
    await migrate(store_url, PACKAGE)
    assert sorted(await drift(store_url, NewerTable.metadata)) == ["add column visit.referrer", "add table rating"]


async def test_drift_sees_a_column_and_a_table_that_the_code_forgot(store_url: str) -> None:
    await migrate(store_url, PACKAGE)
    database = Database(store_url)
    async with database.begin() as session:
        await session.execute(text("ALTER TABLE visit ADD COLUMN stray VARCHAR"))
        await session.execute(text("CREATE TABLE forgotten (id INTEGER PRIMARY KEY)"))
    await database.close()
    assert sorted(await drift(store_url, Table.metadata)) == ["remove column visit.stray", "remove table forgotten"]


async def test_the_chassis_migrations_agree_with_its_tables(store_url: str) -> None:
    await migrate(store_url)
    # SQLite has rowids for what this index is for
    assert await drift(store_url, tables.METADATA) == (
        ["add index inbox_before_age"] if store_url.startswith("sqlite") else []
    )


@pytest.fixture
def broken_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A copy of the miniature's migrations whose second one fails half-way."""
    source = Path(__file__).parent / "miniature" / "migrations"
    shutil.copytree(source, tmp_path / "broken_chain")
    second = tmp_path / "broken_chain" / "versions" / "0002_facts.py"
    second.write_text(second.read_text() + '    op.execute("INSERT INTO no_such_table VALUES (1)")\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    return "broken_chain"


async def test_a_migration_that_fails_leaves_nothing_of_itself(store_url: str, broken_package: str) -> None:
    with pytest.raises(DBAPIError):
        await migrate(store_url, broken_package)
    assert len(await pending(store_url, broken_package)) == 2
    await migrate(store_url, PACKAGE)
    assert await drift(store_url, Table.metadata) == []


async def mark(url: str, statement: str) -> None:
    async with Database(url) as database, database.begin() as session:
        await session.execute(text(statement))


async def test_a_store_that_a_newer_version_expanded_is_left_alone(store_url: str) -> None:
    await migrate(store_url, PACKAGE)
    await mark(store_url, "UPDATE version SET version_num = '0099'")
    await migrate(store_url, PACKAGE)
    assert await pending(store_url, PACKAGE) == []
    assert (await versions(store_url))["version"] == ["0099"]


async def test_a_store_that_serves_newer_versions_only_is_refused(store_url: str) -> None:
    await migrate(store_url, PACKAGE)
    await mark(store_url, "UPDATE version SET version_num = '0099'")
    await mark(store_url, "INSERT INTO compatibility VALUES ('version', '0098')")
    with pytest.raises(UnknownRevision, match=r"at 0099 of .* serves versions that know 0098; this one knows 0002"):
        await migrate(store_url, PACKAGE)


async def test_a_revision_of_another_branch_is_refused(store_url: str) -> None:
    await migrate(store_url, PACKAGE)
    await mark(store_url, "UPDATE version SET version_num = '0001b'")
    with pytest.raises(UnknownRevision, match="0001b"):
        await migrate(store_url, PACKAGE)


@pytest.fixture
def contracted_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The miniature's migrations and a third, which takes away what versions before the second need."""
    shutil.copytree(Path(__file__).parent / "miniature" / "migrations", tmp_path / "contracted_chain")
    third = tmp_path / "contracted_chain" / "versions" / "0003_without_moments.py"
    third.write_text(
        "from alembic import op\nfrom chassis.store.revisions import contract\n\n"
        'revision, down_revision = "0003", "0002"\n\n\n'
        'def upgrade():\n    with op.batch_alter_table("visit") as visit:\n        visit.drop_column("seen_at")\n'
        '    contract("0002")\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return "contracted_chain"


async def test_a_migration_that_takes_away_says_whom_the_store_still_serves(
    store_url: str, contracted_package: str
) -> None:
    await migrate(store_url, contracted_package)
    await migrate(store_url, PACKAGE)  # knows 0002
    versions_folder = Path(next(iter(__import__(contracted_package).__path__)), "versions")
    (versions_folder / "0003_without_moments.py").unlink()
    (versions_folder / "0002_facts.py").unlink()
    with pytest.raises(UnknownRevision, match="serves versions that know 0002; this one knows 0001"):
        await migrate(store_url, contracted_package)


async def run(*arguments: str) -> tuple[int, str]:
    command = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-m",
        "chassis.store.migrate",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await command.communicate()
    return command.returncode or 0, output.decode()


async def test_the_command_migrates(store_url: str) -> None:
    assert await run(PACKAGE, "--url", store_url) == (0, "")
    assert await pending(store_url, PACKAGE) == []


async def test_two_processes_that_start_together_migrate_once(store_url: str) -> None:
    assert await asyncio.gather(*(run(PACKAGE, "--url", store_url) for _ in range(3))) == [(0, "")] * 3
    assert await versions(store_url) == {"chassis_version": [CHASSIS[-1]], "version": ["0002"]}


async def test_the_command_writes_sql_that_makes_the_same_store(postgres_url: str) -> None:
    status, sql = await run(PACKAGE, "--url", postgres_url, "--sql")
    assert status == 0
    assert len(await pending(postgres_url, PACKAGE)) == len(CHASSIS) + 2
    administrator = await asyncpg.connect(postgres_url)
    await administrator.execute(sql)
    await administrator.close()
    assert await pending(postgres_url, PACKAGE) == []
    assert await drift(postgres_url, Table.metadata) == []


async def test_a_draft_holds_what_the_chain_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_url: str
) -> None:
    shutil.copytree(Path(__file__).parent / "miniature" / "migrations", tmp_path / "drafted_chain")
    monkeypatch.syspath_prepend(str(tmp_path))
    path = await migrations.draft("drafted_chain", NewerTable.metadata, "Ratings and referrers")
    assert path.name == "0003_ratings_and_referrers.py"
    await migrate(store_url, "drafted_chain")
    assert await drift(store_url, NewerTable.metadata) == []


async def test_a_package_that_is_not_there_is_named(store_url: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        await migrate(store_url, "tests.no_such")
