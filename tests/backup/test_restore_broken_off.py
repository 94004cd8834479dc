"""A restore that cannot be done leaves what was there, or says where it is: PostgreSQL behind the NATS of a suite."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from backup.export import take_backup
from backup.installation import NATS_URL, Installation
from chassis.bus.broker import Broker
from chassis.message import OutMessage
from chassis.store.migrate import migrate
from cli.main import app
from deployment.catalogue import PROCESSES
from embedded.restoration import backup_url, keep_secrets, nats_alone, secrets_for
from tests.backup.forgery import Forgery, forged
from tests.support.postgres import databases

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class OnPostgres:
    """A suite in `var` whose stores are in PostgreSQL, with one captured message and a row for each note."""

    def __init__(self, var: Path, stores: dict[str, str]) -> None:
        self.var, self.stores = var, stores

    def begin(self, archive: Path, *notes: str) -> None:
        secrets = secrets_for(self.var)
        with nats_alone(self.var, secrets) as plan:
            keep_secrets(self.var, secrets)
            asyncio.run(self._fill(plan.nats_url("gateway"), notes))
            asyncio.run(take_backup(Installation(backup_url(plan), self.stores, {}), archive))

    async def _fill(self, url: str, notes: tuple[str, ...]) -> None:
        await asyncio.gather(*(migrate(self.stores[one.name], one.migrations) for one in PROCESSES))
        for note in notes:
            await self.note(note)
        broker = await Broker.connect(url, "gateway", inbox_prefix="_INBOX_gateway")
        await broker.ensure_streams(["CAPTURE"])
        await broker.publish_batch([OutMessage("capture.interaction.received.v1.0", {"ce-id": "1"}, b"{}")])
        await broker.close()

    async def note(self, word: str) -> None:
        async with self._store() as store:
            await store.execute("INSERT INTO dead_letter VALUES ($1, 'm', 's', 'r', now(), NULL)", word)

    async def notes(self) -> list[str]:
        async with self._store() as store:
            return [str(row[0]) for row in await store.fetch("SELECT origin FROM dead_letter ORDER BY 1")]

    def captures(self) -> int:
        with nats_alone(self.var, secrets_for(self.var)) as plan:
            return asyncio.run(self._captures(backup_url(plan)))

    async def _captures(self, url: str) -> int:
        async with Installation(url, self.stores, {}).bus() as broker:
            return int((await broker.request("STREAM.INFO.CAPTURE"))["state"]["messages"])

    @asynccontextmanager
    async def _store(self) -> AsyncIterator[asyncpg.Connection]:
        store = await asyncpg.connect(self.stores["routing"].replace("+asyncpg", ""))
        try:
            yield store
        finally:
            await store.close()


@pytest.fixture
def suite(tmp_path: Path, postgres_admin_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnPostgres]:
    monkeypatch.delenv(NATS_URL, raising=False)
    with databases(postgres_admin_url) as make:
        stores = {process.name: make() for process in PROCESSES}
        for process in PROCESSES:
            monkeypatch.setenv(f"{process.prefix}DATABASE_URL", stores[process.name])
        (tmp_path / "var").mkdir()
        yield OnPostgres(tmp_path / "var", stores)


def restore(archive: Path, var: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["restore", str(archive), "--var", str(var), "--json", *words])


def test_databases_behind_a_suite_become_an_archive_and_come_back(suite: OnPostgres, tmp_path: Path) -> None:
    suite.begin(tmp_path / "a.tar", "first")
    asyncio.run(suite.note("later"))
    refused = restore(tmp_path / "a.tar", suite.var)
    assert (refused.exit_code, "nothing was restored" in refused.output) == (1, True)
    assert (asyncio.run(suite.notes()), suite.captures()) == (["first", "later"], 1)

    done = restore(tmp_path / "a.tar", suite.var, "--replace")
    assert done.exit_code == 0, done.output
    assert (asyncio.run(suite.notes()), suite.captures()) == (["first"], 1)
    way_back = Path(json.loads(done.output)["moved_aside"])
    assert restore(way_back, suite.var, "--replace").exit_code == 0
    assert asyncio.run(suite.notes()) == ["first", "later"]

    def torn(forgery: Forgery) -> None:
        forgery.put("streams/CAPTURE.snapshot", b"no snapshot")

    broken = restore(forged(tmp_path / "a.tar", tmp_path / "b.tar", torn), suite.var, "--replace")
    said = json.loads(broken.output)
    assert (broken.exit_code, "broke off" in said["error"]) == (1, True)
    (way_back,) = [path for path in suite.var.glob("before-*.tar") if str(path) in said["remedy"]]
    assert restore(way_back, suite.var).exit_code == 0
    assert (asyncio.run(suite.notes()), suite.captures()) == (["first", "later"], 1)


def test_databases_that_are_away_are_no_reason_to_move_anything(
    suite: OnPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.begin(tmp_path / "a.tar", "first")
    monkeypatch.setenv("SCORING_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    refused = restore(tmp_path / "a.tar", suite.var, "--replace")
    assert (refused.exit_code, "as it was" in refused.output) == (1, True)
    assert (asyncio.run(suite.notes()), suite.captures()) == (["first"], 1)
    assert not list(suite.var.glob("before-*"))
