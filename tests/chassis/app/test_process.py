"""A service as a process: it starts, serves, and ends in an orderly way."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from chassis.bus.broker import Broker
from tests.chassis.app.bus_words import a_signal, stored
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ROOT, ServiceProcess
from tests.support.service import PUBLIC_KEY

pytestmark = pytest.mark.slow
MODULE = "tests.chassis.app.echo"


@pytest.fixture
def environment(nats_server: NatsServer, tmp_path: Path) -> dict[str, str]:
    """What the process needs to know."""
    return {
        "ECHO_DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}",
        "ECHO_NATS_URL": nats_server.url,
        "ECHO_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "ECHO_DRAIN_SECONDS": "4",
    }


async def test_sigterm_drains_what_is_in_hand_and_exits_0(
    environment: dict[str, str], tmp_path: Path, nats_server: NatsServer
) -> None:
    outside = await Broker.connect(nats_server.url, "outside")
    async with ServiceProcess(MODULE, "ECHO_", environment, tmp_path / "log") as process, process.client() as client:
        await outside.publish_batch([a_signal(f"signal {number}") for number in range(400)])
        answers = await asyncio.gather(
            *(client.post("/v1/echoes", json={"text": f"asked {number}"}) for number in range(20))
        )
        process.terminate()
        assert await asyncio.to_thread(process.wait) == 0
        assert {answer.status_code for answer in answers} == {201}
        events = [orjson.loads(line)["event"] for line in process.log().splitlines()]
    assert "service.started" in events
    assert events[-1] != "drain.abandoned"
    assert "service.stopped" in events
    said = {message.headers["correlation"] for message in await stored(outside, "ECHO")}
    assert len(said) >= 20  # what was answered was also said before the end
    await outside.close()


async def test_sigterm_ends_a_process_whose_nats_is_gone(
    environment: dict[str, str], tmp_path: Path, nats_server: NatsServer
) -> None:
    async with ServiceProcess(MODULE, "ECHO_", environment, tmp_path / "log") as process, process.client() as client:
        nats_server.kill()
        assert (await client.post("/v1/echoes", json={"text": "kept"})).status_code == 201
        process.terminate()
        assert await asyncio.to_thread(process.wait) == 0


async def test_a_process_waits_for_nats_and_begins_when_it_is_there(
    environment: dict[str, str], tmp_path: Path, nats_server: NatsServer
) -> None:
    nats_server.kill()
    process = ServiceProcess(MODULE, "ECHO_", environment, tmp_path / "log")
    process.spawn()
    try:
        await eventually(lambda: "Waiting for application startup" in process.log(), within=15.0)
        nats_server.start()
        await eventually(lambda: "service.started" in process.log(), within=15.0)
    finally:
        process.terminate()
        assert process.wait() == 0


def test_a_process_that_lacks_a_setting_says_which(environment: dict[str, str]) -> None:
    del environment["ECHO_TOKEN_PUBLIC_KEY"]
    ended = subprocess.run(
        [sys.executable, "-m", MODULE],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=480,
    )
    assert ended.returncode != 0
    assert "ECHO_TOKEN_PUBLIC_KEY: Field required" in ended.stderr
    assert environment["ECHO_DATABASE_URL"] not in ended.stderr
