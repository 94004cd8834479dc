"""A service's own role takes the back-up, the owner of its tables brings it back: nobody needs to be more."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
from sqlalchemy import make_url

from backup.installation import Installation
from chassis.store.migrate import migrate
from deployment.catalogue import PROCESSES
from tests.backup.test_stores import NAME, PACKAGE, copied, held, said, say
from tests.support.postgres import databases, in_own_loop


class Roles(NamedTuple):
    """An owner of tables, who makes them, and a service, who reads and writes rows."""

    owner: str
    service: str

    def url(self, database: str, role: str) -> str:
        return make_url(database).set(username=role).render_as_string(hide_password=False)


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def places(postgres_admin_url: str) -> Iterator[tuple[Roles, list[str]]]:
    """Two databases that belong to an owner, whose tables a service may use."""
    mark = uuid.uuid4().hex[:8]
    roles = Roles(f"owner_{mark}", f"service_{mark}")
    with databases(postgres_admin_url) as make:
        urls = [make(), make()]
        in_own_loop(_run(urls[0], f"CREATE ROLE {roles.owner} LOGIN", f"CREATE ROLE {roles.service} LOGIN"))
        for url in urls:
            default = f"ALTER DEFAULT PRIVILEGES FOR ROLE {roles.owner} GRANT"
            in_own_loop(
                _run(
                    url,
                    f'ALTER DATABASE "{make_url(url).database}" OWNER TO {roles.owner}',
                    f"GRANT ALL ON SCHEMA public TO {roles.owner}",
                    f"{default} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {roles.service}",
                    f"{default} USAGE, SELECT ON SEQUENCES TO {roles.service}",
                )
            )
        yield roles, urls
    in_own_loop(_run(postgres_admin_url, f"DROP ROLE {roles.owner}", f"DROP ROLE {roles.service}"))


async def test_the_service_takes_it_and_the_owner_brings_it_back(
    places: tuple[Roles, list[str]], tmp_path: Path
) -> None:
    roles, (here, there) = places
    await migrate(roles.url(here, roles.owner), PACKAGE)
    await say(roles.url(here, roles.service), "a")
    store = held(roles.url(here, roles.service))
    await store.open()
    await store.freeze(2)
    await store.hold()
    await store.thaw()
    reader, part = await copied(store, tmp_path / "a.tar")
    await store.close()
    stores = {process.name: roles.url(there, roles.service) for process in PROCESSES}
    target = Installation("", stores, {NAME: roles.url(there, roles.owner)}).restored_stores()[NAME]
    await target.fill(reader, part)
    await say(roles.url(there, roles.service), "b")
    assert await said(roles.url(there, roles.service)) == ["a", "b"]
