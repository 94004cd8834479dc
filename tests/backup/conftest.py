"""An empty store of each kind, and an archive of a suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backup.export import take_backup
from backup.installation import Installation
from chassis.store.migrate import migrate
from deployment.catalogue import PROCESSES
from embedded.restoration import SECRETS, backup_url, keep_secrets, nats_alone, secrets_for, store_urls
from tests.support.postgres import databases, in_own_loop


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def urls(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[str]]:
    """Two stores of one kind that nothing is in."""
    if kind == "sqlite":
        yield [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "two")]
        return
    with databases(request.getfixturevalue("postgres_admin_url")) as make:
        yield [make(), make()]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a suite with empty stores and no streams, with its keys."""
    folder = tmp_path_factory.mktemp("suite")
    secrets = secrets_for(folder / "var")
    with nats_alone(folder / "var", secrets) as plan:
        keep_secrets(folder / "var", secrets)
        installation = Installation(backup_url(plan), store_urls(folder / "var", {}), {})
        keys = (folder / "var" / SECRETS).read_bytes()

        async def make() -> None:
            for process in PROCESSES:
                await migrate(installation.stores[process.name], process.migrations)
            await take_backup(installation, folder / "a.tar", keys=keys)

        in_own_loop(make())
    return folder / "a.tar"
