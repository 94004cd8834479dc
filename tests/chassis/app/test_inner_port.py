"""The inner port: what the platform asks has a listener of its own, from before the start until after the end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from chassis.settings import SettingsRefused
from tests.chassis.app.echo import EchoSettings
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess, free_port
from tests.support.service import PUBLIC_KEY

pytestmark = pytest.mark.slow
LOOPBACK = "0100007F"  # as the kernel writes 127.0.0.1


@pytest.fixture
def environment(nats_server: NatsServer, tmp_path: Path) -> dict[str, str]:
    """The miniature service with an inner port."""
    return {
        "ECHO_DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}",
        "ECHO_NATS_URL": nats_server.url,
        "ECHO_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "ECHO_INNER_PORT": str(free_port()),
    }


@pytest_asyncio.fixture
async def inner(environment: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the inner port, without a token."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{environment['ECHO_INNER_PORT']}") as client:
        yield client


async def test_probes_answer_on_both_ports_metrics_on_the_inner_one_and_the_service_on_the_outer_one(
    environment: dict[str, str], inner: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log") as process:
        async with process.client() as outer:
            for path in ("/healthz", "/readyz", "/readyz/traffic"):
                assert (await inner.get(path)).status_code == (await outer.get(path)).status_code == 200, path
            assert (await outer.get("/metrics")).status_code == 404
            assert (await outer.post("/v1/echoes", json={"text": "hello"})).status_code == 201
            told = await inner.get("/metrics")
            assert 'rapport_http_requests_total{method="POST",route="/v1/echoes"' in told.text.replace(
                'service="echo",', ""
            )
            headers = outer.headers
            assert (await inner.post("/v1/echoes", json={"text": "no"}, headers=headers)).status_code == 404
        for port in (process.port, int(environment["ECHO_INNER_PORT"])):
            assert listening_addresses(port) == {LOOPBACK}


def listening_addresses(port: int) -> set[str]:
    """The addresses that somebody listens on at `port`, IPv6 ones included."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, number = local.partition(":")
            if state == "0A" and int(number, 16) == port:
                found.add(address)
    return found


async def test_what_is_in_hand_is_finished_while_the_inner_port_says_that_the_end_is_near(
    environment: dict[str, str], inner: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log") as process:
        body = b'{"text": "in hand"}'
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
        authorization = process.client().headers["authorization"]
        writer.write(
            f"POST /v1/echoes HTTP/1.1\r\nhost: echo\r\nauthorization: {authorization}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        )
        await writer.drain()
        assert (await inner.get("/readyz")).status_code == 200  # and by then the head has arrived
        process.terminate()

        async def is_told() -> bool:
            answer = await inner.get("/readyz")
            return answer.status_code == 503 and "stopping" in answer.json()["detail"]

        await eventually(is_told, within=10)
        assert (await inner.get("/readyz/traffic")).status_code == 503
        assert (await inner.get("/healthz")).status_code == 200
        assert "rapport_http_request_duration_seconds" in (await inner.get("/metrics")).text
        writer.write(body)
        assert b" 201 " in await reader.readline()
        writer.close()
        assert await asyncio.to_thread(process.wait) == 0
        assert "service.stopped" in process.log()


async def test_a_process_that_waits_for_its_store_is_alive_and_says_what_it_waits_for(
    environment: dict[str, str], inner: httpx.AsyncClient, tmp_path: Path
) -> None:
    environment["ECHO_DATABASE_URL"] = f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere"
    process = ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log")
    process.spawn()
    try:

        async def answers() -> bool:
            try:
                return (await inner.get("/healthz")).status_code == 200
            except httpx.ConnectError:
                return False

        await eventually(answers, within=30)
        for path in ("/readyz", "/readyz/traffic", "/metrics"):
            answer = await inner.get(path)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (503, "store"), path
    finally:
        process.kill()


async def test_a_port_that_is_taken_ends_the_process_before_it_touches_anything(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment["ECHO_INNER_PORT"] = str(taken.getsockname()[1])
        process = ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log")
        process.spawn()
        assert await asyncio.to_thread(process.wait) == 3
    assert not (tmp_path / "store.db").exists()
    assert "address already in use" in process.log()


def test_one_port_cannot_be_both() -> None:
    with pytest.raises(SettingsRefused, match=r"ECHO_INNER_PORT: .*must be another than the port"):
        EchoSettings(database_url="sqlite:///x.db", token_public_key=PUBLIC_KEY, port=9000, inner_port=9000)
