"""Expand, migrate, contract, with one real migration: lifecycle of the version before `current_stage` and of this one
run at once on one store, restart on it, and each person's stage is entered once; after the contraction the old one is
refused.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from chassis.bus.broker import Broker
from chassis.bus.inspection import messages
from chassis.clock import wall_clock
from chassis.message import OutMessage
from chassis.store.database import Database
from chassis.store.migrate import migrate
from contracts.envelope import Event
from contracts.events.lifecycle import StageEntered
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.people import per
from tests.support.process import ROOT, ServiceProcess
from tests.support.service import PUBLIC_KEY
from tests.unit.lifecycle.builders import ready

pytestmark = [pytest.mark.slow, pytest.mark.platform, pytest.mark.timeout(300)]

EXPANSION = "services/lifecycle/migrations/versions/0003_current_stage.py"
MODULE, PACKAGE = "services.lifecycle.main", "services.lifecycle.migrations"
LANES = 2
CONTRACTION = """
from alembic import op
from chassis.store.revisions import contract

revision, down_revision = "0004", "0003"


def upgrade():
    op.execute("DROP VIEW standing")
    contract("0003")
"""


@pytest.fixture(scope="module")
def version_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of the commit before the expansion."""
    commits = _git("log", "--diff-filter=A", "--format=%H", "--", EXPANSION).decode().split()
    if not commits:
        pytest.skip("the history of this checkout does not hold the version before; fetch it whole")
    folder = tmp_path_factory.mktemp("before")
    tree = _git("archive", f"{commits[-1]}^", "chassis", "contracts", "people_kernel", "rulebook", "services")
    if not tree:
        pytest.skip("the history of this checkout ends before the version before; fetch it whole")
    with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False).stdout


@pytest.fixture
def environment(postgres_url: str, nats_server: NatsServer) -> dict[str, str]:
    return {
        "LIFECYCLE_DATABASE_URL": postgres_url,
        "LIFECYCLE_NATS_URL": nats_server.url,
        "LIFECYCLE_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "LIFECYCLE_LANES": str(LANES),
    }


async def test_the_version_before_and_this_one_work_on_one_store_until_it_is_contracted(
    version_before: Path, environment: dict[str, str], postgres_url: str, nats_server: NatsServer, tmp_path: Path
) -> None:
    old = ServiceProcess(MODULE, "LIFECYCLE_", environment, tmp_path / "old.log", folder=version_before)
    new = ServiceProcess(MODULE, "LIFECYCLE_", environment | {"LIFECYCLE_MIGRATIONS": "await"}, tmp_path / "new.log")
    outside = await Broker.connect(nats_server.url, "outside")
    people = iter(range(1000))
    try:
        async with old:
            await all_become_leads(outside, people, old)
            assert await relations(postgres_url) == {"standing": "BASE TABLE"}

            new.spawn()  # waits for its migrations, which run under the other's feet
            await eventually(lambda: "store.awaited" in new.log(), within=20)
            await asyncio.gather(all_become_leads(outside, people, old), migrate(postgres_url, PACKAGE))
            assert await relations(postgres_url) == {"current_stage": "BASE TABLE", "standing": "VIEW"}
            await eventually(new.is_ready, within=30)

            await all_become_leads(outside, people, old, new)  # lanes of both, reads of both
            old.terminate()
            assert await asyncio.to_thread(old.wait) == 0
            await all_become_leads(outside, people, new)
            await old.start()  # as when it is moved to another machine half-way, or all of it rolled back
            new.terminate()
            assert await asyncio.to_thread(new.wait) == 0
            await all_become_leads(outside, people, old)
        await contract(postgres_url, tmp_path)
        old.spawn()
        assert await asyncio.to_thread(old.wait) == 3
        assert "serves versions that know 0003; this one knows 0002: run a newer version" in old.log()
        async with new:
            await all_become_leads(outside, people, new)
        await everybody_became_a_lead_once(outside, next(people))
    finally:
        await outside.close()


async def all_become_leads(outside: Broker, people: Iterator[int], *processes: ServiceProcess) -> None:
    """Forty more people are ready; each of `processes` tells of all of them."""
    names = [per(next(people)) for _ in range(40)]
    await outside.publish_batch([_message(event) for name in names for event in ready(name, wall_clock())])
    for process in processes:
        async with process.client() as client:

            async def all_are(client: httpx.AsyncClient = client) -> None:
                for name in names:
                    answer = await client.get(f"/v1/lifecycle/people/{name}")
                    assert (answer.status_code, answer.json().get("stage")) == (200, "mql")

            await eventually(all_are, within=30)


def _message(event: Event) -> OutMessage:
    [subject] = event.subjects(LANES)
    return OutMessage(subject, event.headers_on(subject), event.body())


async def everybody_became_a_lead_once(outside: Broker, count: int) -> None:
    said = [message async for message in messages(outside, "LIFECYCLE")]
    moves = {  # by id: what a relay said and had not marked when it ended comes again under the id it had
        one.headers["ce-id"]: StageEntered.from_wire(one.headers, one.body)
        for one in said
        if StageEntered.wire_name in one.subject
    }
    entered = Counter(move.person_id for move in moves.values() if move.stage == "mql")
    assert (len(entered), set(entered.values())) == (count, {1})


async def relations(url: str) -> dict[str, str]:
    async with Database(url) as database, database.read() as session:
        rows = await session.execute(_RELATIONS)
        return dict(iter(rows))


_RELATIONS = text(
    "SELECT table_name, table_type FROM information_schema.tables WHERE table_name IN ('standing', 'current_stage')"
)


async def contract(url: str, folder: Path) -> None:
    """What the next version but one will do."""
    chain = folder / "contracted" / "lifecycle_chain"
    shutil.copytree(ROOT / "services" / "lifecycle" / "migrations", chain)
    (chain / "versions" / "0004_without_the_view.py").write_text(CONTRACTION)
    ended = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chassis.store.migrate", "lifecycle_chain", "--url", url),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(chain.parent)},
    )
    assert await ended.wait() == 0
    assert await relations(url) == {"current_stage": "BASE TABLE"}
