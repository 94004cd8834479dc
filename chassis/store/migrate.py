"""Migrations, forward only: the chassis's chain, then the service's, each with a version table of its own.

To add a migration to a service:
1. change the SQLModel tables in `store/tables.py`;
2. `python -m chassis.store.migrate services.<name>.migrations --draft "what changes"
   --metadata services.<name>.store.tables:Table`;
3. read and correct the file it wrote in `services/<name>/migrations/versions/`; the
   service's drift test says when both agree.

A service applies its own at start, or awaits `python -m services.<name>.main migrate` (docs/upgrade.md); for a database
administrator: `python -m chassis.store.migrate services.<name>.migrations --url <store> [--sql]`.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.store import search, tables
from chassis.store.database import Database
from chassis.store.revisions import chains, positions, version_table, versions_folder

_ENVIRONMENT = Path(__file__).parent / "migrations"
_CHASSIS_TABLES = frozenset(tables.METADATA.tables)
_VERSION_TABLES = frozenset({"chassis_version", "version"})
_MIGRATION_LOCK = 0x6D696772  # "migr"; advisory locks are per database, and each service has its own
_LOCK_RETRY_SECONDS = 0.2
_PROCESS_RETRY_SECONDS = 0.02
_ALEMBIC = threading.Lock()


async def migrate(url: str, package: str | None = None, upto: Mapping[str, str] | None = None) -> None:
    """Bring the store at `url` to the newest revision of the chassis's chain, and of the one in `package`
    (`services.x.migrations`); or to the revisions of `upto`, by chain.

    Does nothing where there is nothing to do, nor to a store that a newer version migrated. Of replicas that start
    together one migrates and the others wait. Raises StoreUnavailable, UnknownRevision.
    """
    async with Database(url) as database:
        # asked before Alembic, which takes ten times as long to say so, and memory that it does not give back
        if not upto and not await _behind(database, package):
            return
        async with _one_at_a_time(database):
            behind = chains(package) if upto else await _behind(database, package)  # another may have been quicker
            await _catch_up(database, behind, upto or {})


async def pending(url: str, package: str | None = None) -> list[str]:
    """The revisions that the store at `url` still lacks, as `chain:revision`; empty when it is up to date, or newer."""
    async with Database(url) as database:
        behind = await _behind(database, package)
        async with database.connection() as connection:
            return [line for name in behind for line in await connection.run_sync(_pending, name)]


async def _catch_up(database: Database, behind: Sequence[str], upto: Mapping[str, str]) -> None:
    async with database.connection() as connection:
        for name in behind:
            await _upgrade(connection, name, upto.get(name, "head"))


async def _behind(database: Database, package: str | None) -> list[str]:
    return [one.chain for one in await positions(database, package) if one.is_behind]


async def drift(url: str, metadata: MetaData) -> list[str]:
    """What the migrated store at `url` and a service's `metadata` disagree about, a line each; empty when they
    agree.
    """
    async with Database(url) as database, database.connection() as connection:
        return await connection.run_sync(_differences, metadata)


def offline_sql(dialect: str, package: str | None = None) -> None:
    """Write the SQL of all migrations from an empty store to standard output, for a database administrator to run."""
    for name in chains(package):
        config = _config(name, dialect=dialect)
        command.upgrade(config, "head", sql=True)


async def draft(package: str, metadata: MetaData, message: str) -> Path:
    """Write the next migration of `package`: what its chain lacks of `metadata`. Answers the path of the new file."""
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/store.db"
        await migrate(url, package)
        async with Database(url) as database, _alone_in_process(), database.connection() as connection:
            return await connection.run_sync(_draft, package, metadata, message)


def _config(package: str, **attributes: Any) -> Config:
    config = Config()
    # Alembic's configuration treats % as the start of an interpolation
    config.set_main_option("script_location", str(_ENVIRONMENT).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions_folder(package)).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(version_table=version_table(package), include_object=_is_service_table, **attributes)
    return config


@asynccontextmanager
async def _one_at_a_time(database: Database) -> AsyncIterator[None]:
    async with _alone_in_process():
        if database.dialect == "sqlite":  # BEGIN IMMEDIATE already lets one writer in at a time
            yield
            return
        async with database.standing_connection() as connection:
            # polled, not awaited: a waiter's snapshot would hold up CREATE INDEX
            # CONCURRENTLY, which would hold up the waiter
            while not await connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _MIGRATION_LOCK}):  # noqa: ASYNC110
                await asyncio.sleep(_LOCK_RETRY_SECONDS)
            try:
                yield
            finally:
                await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _MIGRATION_LOCK})


@asynccontextmanager
async def _alone_in_process() -> AsyncIterator[None]:
    # Alembic's `op` and `context` are global; a thread lock, since several event loops may run
    # services (polled: it must not block any of them)
    while not _ALEMBIC.acquire(blocking=False):  # noqa: ASYNC110
        await asyncio.sleep(_PROCESS_RETRY_SECONDS)
    try:
        yield
    finally:
        _ALEMBIC.release()


async def _upgrade(connection: AsyncConnection, package: str, revision: str) -> None:
    lacking = await connection.run_sync(_pending, package)
    # Alembic begins and commits by itself, so that a migration may step out of the transaction
    await connection.commit()
    if lacking:
        await connection.run_sync(_run_upgrade, package, revision)


def _run_upgrade(connection: Connection, package: str, revision: str) -> None:
    command.upgrade(_config(package, connection=connection), revision)


def _pending(connection: Connection, package: str) -> list[str]:
    script = ScriptDirectory.from_config(_config(package))
    applied = MigrationContext.configure(connection, opts={"version_table": version_table(package)}).get_current_heads()
    chain = [revision.revision for revision in script.walk_revisions()]
    done = {revision.revision for head in applied for revision in script.iterate_revisions(head, "base")}
    return [f"{package}:{revision}" for revision in reversed(chain) if revision not in done]


def _is_service_table(subject: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    # what the store keeps to search by is its own: virtual tables, and an index over an expression
    return _table_name(subject, name, kind) not in _CHASSIS_TABLES | _VERSION_TABLES and search.INDEX not in (
        name or ""
    )


def _is_chassis_table(subject: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    return _table_name(subject, name, kind) in _CHASSIS_TABLES


def _table_name(subject: Any, name: str | None, kind: str) -> str | None:
    """The table that a part of a schema belongs to."""
    return name if kind == "table" else getattr(getattr(subject, "table", None), "name", None)


def _differences(connection: Connection, metadata: MetaData) -> list[str]:
    options = {
        "compare_type": True,
        "include_object": _is_chassis_table if metadata is tables.METADATA else _is_service_table,
    }
    return [
        _in_words(difference)
        for difference in compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    ]


def _in_words(difference: Any) -> str:
    """`add column person.email`: what a migration would have to do to the store."""
    if isinstance(difference, list):  # changes to one column come as a list
        return "; ".join(_in_words(one) for one in difference)
    verb, *parts = difference
    names = [
        part if isinstance(part, str) else getattr(part, "name", None) or repr(part)
        for part in parts
        if part is not None and part != {}
    ]
    return f"{verb.replace('_', ' ')} {'.'.join(str(name) for name in names)}"


def _draft(connection: Connection, package: str, metadata: MetaData, message: str) -> Path:
    number = f"{1 + len(list(versions_folder(package).glob('*.py'))):04d}"
    config = _config(package, connection=connection, metadata=metadata)
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    written = command.revision(
        config, message, autogenerate=True, rev_id=number, version_path=str(versions_folder(package))
    )
    if written is None or isinstance(written, list):
        raise ValueError(f"{package} has more than one head")
    return Path(written.path)


def _metadata(where: str) -> MetaData:
    """The metadata at `module:Class`."""
    module, _, name = where.partition(":")
    metadata: MetaData = getattr(importlib.import_module(module), name).metadata
    return metadata


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chassis.store.migrate", description="Migrate a store, forward only."
    )
    parser.add_argument("package", help="the service's migrations, e.g. services.identity.migrations")
    parser.add_argument("--url", default=os.environ.get("DATABASE_URL"), help="the store; default: DATABASE_URL")
    parser.add_argument("--sql", action="store_true", help="write the SQL for that kind of store instead of running it")
    parser.add_argument("--draft", metavar="MESSAGE", help="write the next migration from the difference to --metadata")
    parser.add_argument(
        "--metadata", metavar="MODULE:CLASS", help="the class whose metadata holds the service's tables"
    )
    return parser


def main() -> None:
    """Run by hand, or as a job before a new version starts."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.draft:
        if not arguments.metadata:
            parser.error("--draft needs --metadata")
        path = asyncio.run(draft(arguments.package, _metadata(arguments.metadata), arguments.draft))
        sys.stdout.write(f"{path}\n")
        return
    if not arguments.url:
        parser.error("give --url, or set DATABASE_URL")
    if arguments.sql:
        offline_sql(make_url(arguments.url).get_backend_name(), arguments.package)
    else:
        asyncio.run(migrate(arguments.url, arguments.package))


if __name__ == "__main__":
    main()
