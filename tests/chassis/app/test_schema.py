"""A stranger's tool throws what it can think of at the service: nothing but what is declared comes back, and nothing is let in unasked."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.support.service import PUBLIC_KEY, token

pytestmark = pytest.mark.slow
MADE_TO_FAIL = "orphans|mistakes"


@pytest.mark.parametrize(
    "options",
    [
        # no schema can say that a string is to hold no NUL: with them in, valid input may be refused
        pytest.param(["--exclude-checks", "positive_data_acceptance"], id="anything"),
        pytest.param(["--generation-allow-x00", "false", "--exclude-path", "/v1/numbers"], id="no NUL"),
    ],
)
async def test_schemathesis_finds_nothing(store_url: str, nats_server: NatsServer, tmp_path: Path, options: list[str]) -> None:
    environment = {"ECHO_DATABASE_URL": store_url, "ECHO_NATS_URL": nats_server.url, "ECHO_TOKEN_PUBLIC_KEY": PUBLIC_KEY}
    async with ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log") as process:
        ended = await asyncio.to_thread(schemathesis, process.url, tmp_path, options)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:] + process.log()[-2000:]
    assert " generated" in ended.stdout


def schemathesis(url: str, folder: Path, options: list[str]) -> subprocess.CompletedProcess[str]:
    """All of its checks, with a token that it may also leave out or spoil."""
    config = folder / "schemathesis.toml"
    config.write_text(f'[auth.openapi.inner]\nbearer = "{token(ttl_seconds=3600)}"\n')
    program = Path(sysconfig.get_path("scripts")) / "schemathesis"
    command = [sys.executable, str(program), "--config-file", str(config), "run", f"{url}/openapi.json", "--exclude-path-regex", MADE_TO_FAIL]
    always = ["--checks", "all", "--max-examples", "50", "--seed", "1", "--no-color"]
    return subprocess.run([*command, *always, *options], capture_output=True, text=True, check=False, timeout=100, cwd=folder)
