"""The compose file run by a real engine: images built, all up, the story of a lead, and what a container may not.

RAPPORT_CONTAINERS is the path of a program that offers

    compose ARGUMENT...         what `docker compose` does with them
    alias KIND IMAGE...         lets IMAGE be there, KIND being python, nats or postgres; nothing, where a registry is

With Docker: `case $1 in compose) exec docker "$@" ;; esac`. Without the variable this is skipped, as is said then.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from chassis.version import VERSION
from deployment.catalogue import INNER_PORT, PROCESSES, SERVICES
from deployment.secret_names import env_file
from tests.support.composition import ROOT, Container, optional
from tests.support.eventually import eventually
from tests.support.lead_story import goes_from_form_to_rep
from tests.support.process import free_port
from tests.support.suite import Suite
from tests.support.tools import missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.platform,
    pytest.mark.timeout(1800),
    pytest.mark.asyncio(loop_scope="module"),
]

VARIABLE = "RAPPORT_CONTAINERS"


@dataclass(frozen=True)
class Engine:
    """One project of compose."""

    program: str
    project: str
    env: Path
    suite: Suite

    def compose(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [self.program, "compose", "--project-name", self.project, "--env-file", str(self.env), *words]
        # one after the other: what one image has built the next one takes over
        environment = {**os.environ, "COMPOSE_PARALLEL_LIMIT": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{words}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    def inside(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.compose("exec", "-T", name, *words, check=False)


@pytest.fixture(scope="module")
def engine(
    secrets: Mapping[str, str], entries: Mapping[str, Container], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Everything up, and gone afterwards with its volumes."""
    program = os.environ.get(VARIABLE)
    if not program:
        missing(f"no container engine: set {VARIABLE} to a program that offers compose and alias")
    gateway, bus = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    env = tmp_path_factory.mktemp("compose") / "env"
    binds = {"GATEWAY_BIND": gateway, "NATS_BIND": bus, "ROUTING_PUBLIC_NATS_URL": f"nats://{bus}"}
    env.write_text(env_file({**secrets, **binds, "BACKUP_FOLDER": str(env.parent)}))
    images = {"python": optional()["PYTHON_IMAGE"], **{name: entries[name].image for name in ("nats", "postgres")}}
    for kind, image in images.items():
        subprocess.run([program, "alias", kind, image], check=True, capture_output=True)
    nats = {
        user: f"nats://{user}:{secrets[f'{user.upper()}_NATS_PASSWORD']}@{bus}" for user in ("observer", "operator")
    }
    suite = Suite(
        env.parent,
        f"http://{gateway}",
        secrets["BOOTSTRAP_WRITE_KEY"],
        secrets["BOOTSTRAP_API_KEY"],
        nats["observer"],
        nats["operator"],
    )
    engine = Engine(program, f"rapport-{uuid.uuid4().hex[:8]}", env, suite)
    try:
        engine.compose("--profile", "tools", "build")
        started = time.monotonic()
        # in no order, as engines differ in what they wait for: each waits for what it needs by itself
        engine.compose("up", "--detach", "--no-deps")
        asyncio.run(_ready(engine, started))
        yield engine
    finally:
        engine.compose("down", "--volumes", check=False)


async def _ready(engine: Engine, started: float) -> None:
    """Every process says that its work moves; nothing but that orders the start here."""

    def is_ready(name: str) -> bool:
        words = ["python", "-I", "-S", "/app/chassis/web/probe.py", f"http://127.0.0.1:{INNER_PORT}/readyz"]
        done = engine.inside(name, *words)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        return True

    try:
        for process in PROCESSES:
            await eventually(partial(is_ready, process.name), within=90)
    except AssertionError:
        print(engine.compose("logs", "--tail", "20", check=False).stdout[-6000:])  # noqa: T201 - pytest shows it
        raise
    print(f"ready {time.monotonic() - started:.1f} s after `up`")  # noqa: T201 - pytest -s shows it


async def test_a_lead_goes_from_the_form_to_the_rep(engine: Engine) -> None:
    await goes_from_form_to_rep(engine.suite)


async def test_each_container_passes_its_health_check(engine: Engine, entries: Mapping[str, Container]) -> None:
    for process in PROCESSES:
        done = engine.inside(process.name, *entries[process.name].health)
        assert done.returncode == 0, f"{process.name}: {done.stdout}{done.stderr}"


async def test_a_container_is_nobody_writes_nowhere_and_installs_nothing(engine: Engine) -> None:
    for process in PROCESSES:
        others = [f"test -e /app/services/{name}" for name in SERVICES if name != process.name]
        refused = ["touch /app/x", "touch /opt/rapport/x", "python -m pip -V", "python -m ensurepip", "cc -v", *others]
        script = "; ".join([*(f"if {each}; then echo {each}; fi" for each in refused), "touch /tmp/x", "id -u"])
        done = engine.inside(process.name, "sh", "-c", script)
        assert (done.returncode, done.stdout.strip()) == (0, "10001"), f"{process.name}: {done.stdout}{done.stderr}"


async def test_a_service_reaches_its_store_and_nats_and_nobody_else(engine: Engine) -> None:
    def reaches(name: str, host: str, port: int) -> bool:
        script = f"import socket; socket.create_connection(({host!r}, {port}), 3)"
        return engine.inside(name, "python", "-c", script).returncode == 0

    assert reaches("scoring", "nats", 4222)
    assert reaches("scoring", "postgres", 5432)
    assert reaches("gateway", "scoring", 8000)
    assert not reaches("scoring", "identity", 8000)
    assert not reaches("scoring", "192.0.2.1", 443)


async def test_the_tools_answer(engine: Engine) -> None:
    done = engine.compose("--profile", "tools", "run", "--rm", "-T", "rapport", "version")
    assert f"rapport {VERSION}" in done.stdout


async def test_a_container_that_is_stopped_ends_in_order_and_comes_back(engine: Engine) -> None:
    started = time.monotonic()
    engine.compose("stop", "scoring")
    assert time.monotonic() - started < 20  # it heard the signal; nobody had to kill it
    assert "service.stopped" in engine.compose("logs", "scoring").stdout
    engine.compose("start", "scoring")
    await _ready(engine, time.monotonic())
