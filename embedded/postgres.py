"""Databases and roles on a PostgreSQL server for one installation, made as far as the role that asks may.

Each database carries the installation's mark in its comment: another suite is never let onto it, as two of them would
each apply half of what is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import asyncpg

from deployment.catalogue import PROCESSES
from embedded.secrets import Secrets

_MARK = "rapport installation "
_MAINTENANCE = "/postgres"
_CONNECT_SECONDS = 10.0
_Made = TypeVar("_Made")


class PostgresRefused(Exception):
    """The databases cannot be had."""


@dataclass(frozen=True)
class _Rights:
    """What the role that asks may do."""

    name: str
    may_make_roles: bool
    may_make_databases: bool


def provide(server: str, secrets: Secrets) -> dict[str, str]:
    """A database `rapport_<process>` for each, owned by a role of that name; by process, the addresses to log in at.

    Where the role that asks may make no roles, the databases are its own. Raises PostgresRefused.
    """
    return _run(_provide(server, secrets))


def make_missing(stores: Mapping[str, str], installation: str) -> None:
    """Make the databases of `stores` that are not there, as whoever logs in. Raises PostgresRefused."""
    _run(_make_missing(stores, installation))


def _run(work: Coroutine[Any, Any, _Made]) -> _Made:
    try:
        return asyncio.run(work)
    except asyncpg.PostgresError as error:
        raise PostgresRefused(f"it refuses: {error}") from None


async def _provide(server: str, secrets: Secrets) -> dict[str, str]:
    connection = await _connected(_at(server, _MAINTENANCE))
    try:
        rights = await _rights(connection)
        stores = {}
        for process in PROCESSES:
            name, password = f"rapport_{process.name}", secrets.database_passwords[process.name]
            is_there = await _is_ours(connection, name, secrets.installation)
            if rights.may_make_roles:
                await _make_role(connection, name, password, rights)
            owner = name if rights.may_make_roles else rights.name
            if not is_there:
                await _make_database(connection, name, owner, rights, secrets.installation)
            login = (name, password) if rights.may_make_roles else None
            stores[process.name] = _at(server, f"/{name}", login)
        return stores
    finally:
        await connection.close()


async def _make_missing(stores: Mapping[str, str], installation: str) -> None:
    for url in stores.values():
        name = urlsplit(url).path.lstrip("/")
        try:
            connection = await _connected(_at(url, _MAINTENANCE))
        except PostgresRefused:
            await (await _connected(url)).close()  # it may see its own database alone; then that has to be there
            continue
        try:
            rights = await _rights(connection)
            if not await _is_ours(connection, name, installation):
                await _make_database(connection, name, rights.name, rights, installation)
        finally:
            await connection.close()


async def _connected(url: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, ValueError) as error:
        reason = str(error).strip() or type(error).__name__
        raise PostgresRefused(f"it lets nobody in: {reason}") from None


async def _rights(connection: asyncpg.Connection) -> _Rights:
    row = await connection.fetchrow(
        "SELECT rolname, rolcreaterole OR rolsuper, rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
    )
    return _Rights(*row)


async def _is_ours(connection: asyncpg.Connection, name: str, installation: str) -> bool:
    """Whether the database is there; what carries no mark (an administrator made it) is marked.

    Raises PostgresRefused when it is another installation's.
    """
    row = await connection.fetchrow(
        "SELECT shobj_description(oid, 'pg_database') AS mark FROM pg_database WHERE datname = $1", name
    )
    if row is None:
        return False
    if (row["mark"] or "").startswith(_MARK) and row["mark"] != f"{_MARK}{installation}":
        raise PostgresRefused(
            f"the database {name} belongs to another installation; name others, as in"
            " postgresql://.../mine_{service}, or drop it when nobody needs it any more"
        )
    await _mark(connection, name, installation)
    return True


async def _mark(connection: asyncpg.Connection, name: str, installation: str) -> None:
    with suppress(asyncpg.InsufficientPrivilegeError):  # its owner alone may
        await connection.execute(f"COMMENT ON DATABASE \"{name}\" IS '{_MARK}{installation}'")


async def _make_role(connection: asyncpg.Connection, name: str, password: str, rights: _Rights) -> None:
    is_there = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name)
    # words of ours: lower case letters, and letters and digits
    await connection.execute(f"{'ALTER' if is_there else 'CREATE'} ROLE {name} LOGIN PASSWORD '{password}'")
    await connection.execute(f'GRANT {name} TO "{rights.name}"')


async def _make_database(
    connection: asyncpg.Connection, name: str, owner: str, rights: _Rights, installation: str
) -> None:
    if not rights.may_make_databases:
        raise PostgresRefused(
            f"the role {rights.name} may make no database, and {name} is not there; have an administrator say"
            f' ALTER ROLE "{rights.name}" CREATEDB, or CREATE DATABASE {name} OWNER "{owner}" and likewise for the'
            " others"
        )
    await connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}" TEMPLATE template0 ENCODING \'UTF8\'')
    await _mark(connection, name, installation)
    await connection.execute(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')


def _at(url: str, path: str, login: tuple[str, str] | None = None) -> str:
    """`url` with another database, and with another login if given."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if login is not None:
        netloc = f"{login[0]}:{quote(login[1], safe='')}@{netloc.rpartition('@')[2]}"
    return parts._replace(netloc=netloc, path=path).geturl()
