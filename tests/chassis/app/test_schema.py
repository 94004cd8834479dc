"""A stranger's tool throws what it can think of at the service: nothing but what is declared comes back, and nothing is
let in unasked.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.support.schema_fuzzer import Door, schemathesis
from tests.support.service import PUBLIC_KEY, token

pytestmark = pytest.mark.slow
ALWAYS = ["--exclude-path-regex", "orphans|mistakes", "--max-examples", "50"]  # those two are made to fail


@pytest.mark.parametrize(
    "options",
    [
        # no schema can say that a string is to hold no NUL: with them in, valid input may be refused
        pytest.param(["--exclude-checks", "positive_data_acceptance"], id="anything"),
        pytest.param(["--generation-allow-x00", "false", "--exclude-path", "/v1/numbers"], id="no NUL"),
    ],
)
async def test_schemathesis_finds_nothing(
    store_url: str, nats_server: NatsServer, tmp_path: Path, options: list[str]
) -> None:
    environment = {
        "ECHO_DATABASE_URL": store_url,
        "ECHO_NATS_URL": nats_server.url,
        "ECHO_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
    }
    async with ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log") as process:
        door = Door(process.url, f"{process.url}/openapi.json", {"inner": token(ttl_seconds=3600)})
        ended = await asyncio.to_thread(schemathesis, door, tmp_path, [*ALWAYS, *options], seconds=100)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:] + process.log()[-2000:]
    assert " generated" in ended.stdout
