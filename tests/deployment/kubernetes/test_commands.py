"""Every container of ours, started here by its own command with its own environment, answers its own probes.

NATS (one node, or three) from the configuration that is kept, PostgreSQL prepared by the job that prepares it, stores
migrated by the jobs that migrate them; processes are there before all of this, as after `kubectl apply`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from chassis.settings import ServiceSettings
from deployment.catalogue import GATEWAY, INNER_PORT, PORT, PROCESSES
from tests.support.eventually import eventually
from tests.support.kubernetes_tools import ROOT
from tests.support.manifests import LOCAL, PRODUCTION, Manifest, containers, of_kind
from tests.support.nats_nodes import NatsNodes
from tests.support.pods import LIVENESS, READINESS, STARTUP, Pod, Source, local
from tests.support.postgres import PostgresServer, installations
from tests.support.tools import missing

pytestmark = [pytest.mark.slow, pytest.mark.platform, pytest.mark.timeout(600)]
NEEDED = {"inner_port", "migrations"}


@dataclass
class Installation:
    """An overlay on this machine."""

    source: Source
    nodes: NatsNodes
    folder: Path
    postgres: dict[str, str]
    ports: dict[str, dict[int, int]]
    pods: dict[str, Pod] = field(default_factory=dict)

    def pod(self, workload: Manifest, prefix: str) -> Pod:
        """One pod of a workload of ours."""
        name = prefix.rstrip("_").lower()
        (container,) = containers(workload)
        told = local(self.source.environment(container, self.postgres), prefix, self.ports)
        if workload["kind"] == "Job":
            told = {key: value for key, value in told.items() if not re.search("_(HOST|PORT|INNER_PORT)$", key)}
        log = self.folder / f"{workload['kind']}-{name}.log"
        return Pod(workload, self.reached(told), self.ports[name], log)

    def reached(self, told: Mapping[str, str]) -> dict[str, str]:
        """The same environment with NATS where it is here."""
        port = self.nodes.ports[self.nodes.names[0]]["port"]
        return {key: value.replace("@nats:4222", f"@127.0.0.1:{port}") for key, value in told.items()}

    def workloads(self, kind: str) -> Iterator[tuple[str, Manifest]]:
        """Prefix and workload of each process."""
        for process in PROCESSES:
            (found,) = [
                one
                for one in of_kind(list(self.source.objects), kind)
                if one["metadata"]["labels"]["app.kubernetes.io/name"] == process.name
            ]
            yield process.prefix, found


@pytest.mark.parametrize("overlay", [LOCAL, PRODUCTION])
async def test_containers_answer_their_own_probes(
    overlays: dict[str, list[Manifest]],
    secret_values: dict[str, str],
    postgres_server: PostgresServer,
    tmp_path: Path,
    overlay: str,
) -> None:
    if not set(ServiceSettings.model_fields) >= NEEDED:
        missing("services have no inner port and do not await migrations yet")
    # the operator of PostgreSQL makes one secret of its own
    source = Source(overlays[overlay], secret_values | {"password": "trusted-anyway"})
    with _nats(source) as nodes:
        installation = Installation(source, nodes, tmp_path, _postgres(postgres_server), _ports())
        async with _started(installation) as pods:
            for pod in pods.values():
                await pod.until(STARTUP)
                await pod.until(LIVENESS)
                answer = pod.probe(READINESS)
                assert answer is None or answer.status_code == 503, f"{pod.name} has no store yet"
            _prepare_databases(installation)
            for prefix, job in installation.workloads("Job"):
                migration = installation.pod(job, prefix)
                assert migration.run() == 0, migration.log()[-3000:]
            for pod in pods.values():
                await pod.until(READINESS)
            await _all_is_well(pods)
            await _a_capture_becomes_a_person(pods[GATEWAY], secret_values)
            _back_up(installation)
            held = {name: f"{pod.memory()} MiB" for name, pod in pods.items()}
            sys.stdout.write(f"{overlay}: {held}\n")
            ends = await asyncio.gather(*(asyncio.to_thread(pod.stop) for pod in pods.values()))
            assert dict(zip(pods, ends, strict=True)) == dict.fromkeys(pods, 0)


@contextmanager
def _nats(source: Source) -> Iterator[NatsNodes]:
    (workload,) = [one for one in of_kind(list(source.objects), "StatefulSet") if one["metadata"]["name"] == "nats"]
    (container,) = containers(workload)
    (volume,) = [one for one in workload["spec"]["template"]["spec"]["volumes"] if one["name"] == "config"]
    nodes = NatsNodes(source.config(volume["configMap"]["name"])["nats.conf"], source.environment(container, {}))
    assert len(nodes.names) == workload["spec"]["replicas"]
    try:
        nodes.start(command=[word.replace("/etc/nats/nats.conf", "{config}") for word in container["command"]])
        nodes.until_healthy()
        for name in nodes.names:
            for kind in (STARTUP, READINESS, LIVENESS):
                path = container[kind]["httpGet"]["path"]
                assert httpx.get(f"{nodes.monitor(name)}{path}").status_code == 200, (name, path)
        yield nodes
    finally:
        nodes.stop()


@asynccontextmanager
async def _started(installation: Installation) -> AsyncIterator[dict[str, Pod]]:
    pods = {
        prefix.rstrip("_").lower(): installation.pod(one, prefix)
        for prefix, one in installation.workloads("Deployment")
    }
    try:
        for pod in pods.values():
            pod.start()
        yield pods
    finally:
        for pod in pods.values():
            pod.kill()


def _postgres(server: PostgresServer) -> dict[str, str]:
    """Where the store is, in place of the ConfigMap: a socket in a folder."""
    folder = str(make_url(server.url).query["host"])
    return {"POSTGRES_HOST": "", "POSTGRES_PORT": "5432", "POSTGRES_OPTIONS": f"?host={folder}"}


def _prepare_databases(installation: Installation) -> None:
    (job,) = [
        one for one in of_kind(list(installation.source.objects), "Job") if one["metadata"]["name"] == "databases"
    ]
    (container,) = containers(job)
    (volume,) = job["spec"]["template"]["spec"]["volumes"]
    script = installation.folder / "databases.sql"
    script.write_text(installation.source.config(volume["configMap"]["name"])["databases.sql"])
    told = installation.source.environment(container, installation.postgres)
    told |= {"PGHOST": installation.postgres["POSTGRES_OPTIONS"].partition("=")[2], "PGUSER": "rapport"}
    words = [word.replace("/etc/databases/databases.sql", str(script)) for word in container["command"]]
    for _ in range(2):  # it may run again at any time
        done = subprocess.run(
            [_psql(), *words[1:]], env={"PATH": os.environ["PATH"], **told}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def _back_up(installation: Installation) -> None:
    """What runs every night, once."""
    jobs = [one for one in of_kind(list(installation.source.objects), "CronJob") if one["metadata"]["name"] == "backup"]
    if not (ROOT / "cli" / "commands" / "backup.py").exists():
        return
    for job in jobs:
        (container,) = containers(job)
        told = installation.reached(installation.source.environment(container, installation.postgres))
        folder = installation.folder / "backups"
        folder.mkdir()
        # as Kubernetes reads it, in a folder of this test
        words = [word.replace("$$(", "$(").replace("/backups", str(folder)) for word in container["command"]]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**told, "PATH": path, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert [kept.suffix for kept in folder.iterdir()] == [".tar"]
        sys.stdout.write(done.stdout)


def _psql() -> str:
    found = next((folder / "psql" for folder in installations() if (folder / "psql").exists()), None)
    return str(found) if found else missing("psql is not on this machine: install a PostgreSQL client")


async def _all_is_well(pods: dict[str, Pod]) -> None:
    """Beyond what a platform asks: the work of each moves."""

    def is_well() -> None:
        for pod in pods.values():
            answer = httpx.get(f"http://127.0.0.1:{pod.ports[INNER_PORT]}/readyz", timeout=5)
            assert answer.is_success, (pod.name, answer.text)

    await eventually(is_well, within=60)


async def _a_capture_becomes_a_person(gateway: Pod, secrets: dict[str, str]) -> None:
    base = f"http://127.0.0.1:{gateway.ports[PORT]}"
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        body = {"userId": "u-1", "traits": {"email": "mara@tidewater.example"}}
        answer = await client.post("/v1/identify", json=body, auth=(secrets["BOOTSTRAP_WRITE_KEY"], ""))
        assert answer.status_code == 200, answer.text
        key = {"authorization": f"Bearer {secrets['BOOTSTRAP_API_KEY']}"}

        async def is_known() -> bool:
            found = await client.get("/v1/people", params={"email": "mara@tidewater.example"}, headers=key)
            assert found.status_code == 200, found.text
            return bool(found.json()["items"])

        await eventually(is_known, within=30)


def _ports() -> dict[str, dict[int, int]]:
    with contextlib.ExitStack() as stack:
        ports: dict[str, dict[int, int]] = {}
        for process in PROCESSES:
            probes = [stack.enter_context(socket.socket()) for _ in range(2)]
            for probe in probes:
                probe.bind(("127.0.0.1", 0))
            ports[process.name] = dict(
                zip((PORT, INNER_PORT), [probe.getsockname()[1] for probe in probes], strict=True)
            )
        return ports
