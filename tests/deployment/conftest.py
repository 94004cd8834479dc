"""The containers of the compose file as processes of this machine, once for all tests that leave them as they found
them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from deployment.catalogue import PROCESSES
from deployment.secret_names import new_secrets
from tests.support.composition import Container, containers
from tests.support.local_containers import LocalContainers, own_network
from tests.support.postgres import PostgresNotFound


@pytest.fixture(scope="session")
def secrets() -> Mapping[str, str]:
    """What `rapport keys new` writes."""
    return new_secrets()


@pytest.fixture(scope="session")
def entries(secrets: Mapping[str, str]) -> dict[str, Container]:
    """What compose makes of the file with these secrets and nothing else."""
    return containers(secrets)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def here(secrets: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalContainers]:
    """All that `docker compose up` starts, healthy, in the order of `depends_on`."""
    network = own_network()
    plain = {name: one for name, one in containers(secrets).items() if not one.profiles}
    nats_url = f"nats://{network}{10 + sorted(plain).index('nats')}:4222"
    chosen = containers({**secrets, "ROUTING_PUBLIC_NATS_URL": nats_url})
    local = LocalContainers({name: chosen[name] for name in plain}, tmp_path_factory.mktemp("containers"), network)
    try:
        await _start(local)
        yield local
    except PostgresNotFound as error:
        pytest.skip(f"no PostgreSQL: {error}")
    finally:
        local.stop()


async def _start(local: LocalContainers) -> None:
    for name in ("nats", "postgres"):
        local.start(name)
        await local.is_healthy(name)
    names = [process.name for process in PROCESSES]
    for name in names:  # the processes at once: they wait for their stores
        local.start(name)
    for name in names:
        local.start(f"migrate-{name}")
    for name in names:
        assert await local.is_done(f"migrate-{name}") == 0, local.log(f"migrate-{name}")
        await local.is_healthy(name)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")
