"""A store is brought to where the code needs it, or awaited, with the rights that the role has."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import asyncpg
import pytest
from sqlalchemy import make_url, select

from chassis.store.batch import upsert
from chassis.store.database import Database
from chassis.store.migrate import migrate
from chassis.store.preparation import MayNotMigrate, NotInTime, prepare
from tests.chassis.store.miniature.store import Visit
from tests.support.eventually import eventually
from tests.support.postgres import in_own_loop

PACKAGE = "tests.chassis.store.miniature.migrations"


async def test_a_store_that_is_migrated_elsewhere_is_awaited(store_url: str) -> None:
    reasons: list[str] = []
    awaiting = asyncio.create_task(prepare(store_url, PACKAGE, runs=False, tell=reasons.append))
    await eventually(lambda: len(reasons) > 1, within=10)
    assert "chassis.store.migrations is at nothing, and 0004 is needed" in reasons[0]
    await migrate(store_url)
    await eventually(lambda: f"{PACKAGE} is at nothing, and 0002 is needed" in reasons[-1], within=10)
    assert not awaiting.done()
    await migrate(store_url, PACKAGE)
    async with asyncio.timeout(10):
        await awaiting


async def test_waiting_has_an_end_where_one_is_set(store_url: str) -> None:
    with pytest.raises(NotInTime, match="gave up after 1 s: its migrations are awaited"):
        await prepare(store_url, PACKAGE, runs=False, within=1)


async def test_a_database_that_does_not_exist_yet_is_waited_for(postgres_admin_url: str) -> None:
    name = f"rapport_{uuid.uuid4().hex}"
    url = make_url(postgres_admin_url).set(database=name).render_as_string(hide_password=False)
    reasons: list[str] = []
    preparing = asyncio.create_task(prepare(url, PACKAGE, tell=reasons.append))
    await eventually(lambda: bool(reasons), within=10)
    assert "does not exist" in reasons[0]
    administrator = await asyncpg.connect(postgres_admin_url)
    try:
        await administrator.execute(f'CREATE DATABASE "{name}"')
        async with asyncio.timeout(10):
            await preparing
    finally:
        preparing.cancel()
        await administrator.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await administrator.close()


async def test_a_server_that_is_away_is_waited_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    nowhere = f"postgresql://rapport@/x?host={tmp_path_factory.mktemp('nowhere')}"
    with pytest.raises(NotInTime, match="it does not answer"):
        await prepare(nowhere, PACKAGE, within=0.5)


@pytest.fixture
def roles(postgres_url: str) -> Iterator[tuple[str, str]]:
    """The store as its owner and as a role that may read and write rows, and make no table."""
    owner, user, database = f"o_{uuid.uuid4().hex}", f"u_{uuid.uuid4().hex}", make_url(postgres_url).database

    async def make() -> None:
        connection = await asyncpg.connect(postgres_url)
        await connection.execute(
            f'CREATE ROLE "{owner}" LOGIN; CREATE ROLE "{user}" LOGIN; ALTER DATABASE "{database}" OWNER TO "{owner}";'
            f'ALTER SCHEMA public OWNER TO "{owner}"; REVOKE ALL ON SCHEMA public FROM PUBLIC;'
            f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC; GRANT CONNECT ON DATABASE "{database}" TO "{user}";'
            f'GRANT USAGE ON SCHEMA public TO "{user}";'
            f'ALTER DEFAULT PRIVILEGES FOR ROLE "{owner}" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "{user}";'
            f'ALTER DEFAULT PRIVILEGES FOR ROLE "{owner}" GRANT USAGE ON SEQUENCES TO "{user}"'
        )
        await connection.close()

    async def forget() -> None:
        connection = await asyncpg.connect(postgres_url)
        await connection.execute(
            f'REASSIGN OWNED BY "{owner}" TO CURRENT_USER; DROP OWNED BY "{owner}"; DROP OWNED BY "{user}";'
            f'DROP ROLE "{user}"; DROP ROLE "{owner}"'
        )
        await connection.close()

    in_own_loop(make())
    url = make_url(postgres_url)
    yield (
        url.set(username=owner).render_as_string(hide_password=False),
        url.set(username=user).render_as_string(hide_password=False),
    )
    in_own_loop(forget())


async def test_a_role_without_rights_on_tables_waits_for_the_owner_and_then_works(roles: tuple[str, str]) -> None:
    owner, user = roles
    with pytest.raises(MayNotMigrate, match="MIGRATION_DATABASE_URL"):
        await prepare(user, PACKAGE)
    reasons: list[str] = []
    awaiting = asyncio.create_task(prepare(user, PACKAGE, runs=False, tell=reasons.append))
    await eventually(lambda: bool(reasons), within=10)
    await prepare(owner, PACKAGE)
    async with asyncio.timeout(10):
        await awaiting
    await prepare(user, PACKAGE)  # there is nothing to do
    visit = {"visit_id": "v", "page": "/", "seen_at": datetime.now(UTC), "facts": {}}
    async with Database(user) as database:
        async with database.begin() as session:
            await upsert(session, Visit, [visit])
        async with database.read() as session:
            assert len(list(await session.execute(select(Visit.__table__)))) == 1  # type: ignore[attr-defined]
