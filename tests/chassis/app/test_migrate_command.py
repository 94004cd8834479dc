"""`python -m services.routing.main migrate` as a job, and a service that awaits it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from chassis.store.migrate import migrate, pending
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ROOT, ServiceProcess
from tests.support.service import PUBLIC_KEY

pytestmark = pytest.mark.slow
MODULE = "services.identity.main"
MIGRATIONS = "services.identity.migrations"


def job(environment: Mapping[str, str], *words: str, module: str = MODULE) -> subprocess.Popen[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        cwd=ROOT,
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


async def test_jobs_that_run_at_once_migrate_and_end_with_0(store_url: str) -> None:
    jobs = [job({"IDENTITY_MIGRATION_DATABASE_URL": store_url}, "migrate") for _ in range(2)]
    outputs = [one.communicate(timeout=90)[0] for one in jobs]
    assert [one.returncode for one in jobs] == [0, 0], outputs
    assert all("store.migrated" in output for output in outputs)
    assert await pending(store_url, MIGRATIONS) == []


def test_a_job_gives_up_on_a_database_that_does_not_come(tmp_path: Path) -> None:
    environment = {
        "GATEWAY_DATABASE_URL": f"postgresql://rapport@/x?host={tmp_path}",
        "GATEWAY_MIGRATION_WAIT_SECONDS": "1",
    }
    ended = job(environment, "migrate", module="gateway.main")
    assert "gave up after 1 s: it does not answer" in ended.communicate(timeout=90)[0]
    assert ended.returncode == 1


def test_a_job_names_what_it_is_not_told_and_words_that_it_does_not_know() -> None:
    untold = job({}, "migrate")
    assert "IDENTITY_MIGRATION_DATABASE_URL: Field required" in untold.communicate(timeout=90)[0]
    assert untold.returncode == 1
    misused = job({}, "migrat")
    assert misused.communicate(timeout=90)[0] == "usage: python -m services.identity.main [migrate]\n"
    assert misused.returncode == 2


async def test_a_service_says_what_it_waits_for_and_begins_when_it_is_there(
    store_url: str, nats_server: NatsServer, tmp_path: Path
) -> None:
    environment = {
        "IDENTITY_DATABASE_URL": store_url,
        "IDENTITY_MIGRATIONS": "await",
        "IDENTITY_NATS_URL": nats_server.url,
        "IDENTITY_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
    }
    process = ServiceProcess(MODULE, "IDENTITY_", environment, tmp_path / "log")
    async with httpx.AsyncClient(base_url=process.url) as client:

        async def status(path: str) -> int:
            try:
                return (await client.get(path)).status_code
            except httpx.HTTPError:
                return 0

        async def is_waiting() -> bool:
            return await status("/readyz") == 503

        process.spawn()
        await eventually(is_waiting, within=30)
        refusal = (await client.get("/readyz")).json()
        assert refusal["errors"][0]["field"] == "store"
        assert "its migrations are awaited: chassis.store.migrations is at nothing" in refusal["detail"]
        assert [await status(path) for path in ("/healthz", "/readyz/traffic", "/v1/people")] == [200, 503, 503]
        process.terminate()
        assert process.wait() == 0
        process.spawn()
        await eventually(is_waiting, within=30)
        await migrate(store_url, MIGRATIONS)

        async def is_ready() -> bool:
            return await status("/readyz") == 200

        await eventually(is_ready, within=30)
        assert "store.awaited" in process.log()
        process.terminate()
        assert process.wait() == 0
