"""One suite for each module of tests that asks for it, on stores of its `DIALECT`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from embedded.plan import SERVICES
from embedded.up import prepare
from tests.faults.states import history
from tests.support.disk import DiskNotMade, SmallDisk, mounted
from tests.support.installation import Installation
from tests.support.postgres import databases
from tests.support.supervisor import Supervisor

DISK_MEGABYTES = 256
UNREADY_SECONDS = 240.0


NOBODY_GIVES_WAY = {"METRICS_NICENESS": "0"}  # each container has a share of its own; in `make up` reports go last


@pytest.fixture(scope="module")
def stores(request: pytest.FixtureRequest) -> Iterator[Mapping[str, str]]:
    """Where the stores are; SQLite's on the disk of the suite, PostgreSQL's elsewhere."""
    if request.module.DIALECT == "sqlite":
        yield {}
        return
    with databases(request.getfixturevalue("postgres_admin_url")) as make:
        yield {f"{name.upper()}_DATABASE_URL": make() for name in (*SERVICES, "gateway")}


@pytest.fixture(scope="module")
def disk(stores: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk | Path]:
    """A disk of the suite's own where one can be made, else a folder."""
    folder = tmp_path_factory.mktemp("disk")
    with ExitStack() as stack:
        try:
            yield stack.enter_context(mounted(folder, DISK_MEGABYTES))
        except DiskNotMade:
            yield folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(
    stores: Mapping[str, str], disk: SmallDisk | Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """The suite, with something to lose."""
    folder, small = (disk.path, disk) if isinstance(disk, SmallDisk) else (disk, None)
    plan = prepare(folder / "var", 0, detached=True)
    async with Supervisor(
        plan,
        tmp_path_factory.mktemp("log"),
        environment={**stores, **NOBODY_GIVES_WAY},
        unready_seconds=UNREADY_SECONDS,
    ) as platform:
        await platform.until_ready(within=90)
        installation = Installation(platform, stores, small)
        await history.be_made(installation)
        yield installation
