"""A gateway as a process with sources of its own, and clients of the field that send to it through an outage."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.bus.broker import Broker
from chassis.bus.inspection import messages
from contracts.events.gateway import InteractionReceived
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.unit.gateway.running import API_KEY, PRIVATE_KEY, PUBLIC_KEY, WRITE_KEY

HERE = Path(__file__).parent
PACKAGES = HERE / "node_modules"
APP_ID, JITSU_KEY, SERVER_KEY = "shop", "site-7f2a:5c0e9b1d", "sk_orchard_backend"
BEFORE_OUTAGE = 8  # events are on disk when the gateway dies
_AWAY_SECONDS = 1.5
_MARK = re.compile(r"number-(\d+)")


@dataclass(frozen=True)
class Outcome:
    """What a client believes, and which message ids are on disk under each number."""

    delivered: frozenset[int]
    failed: frozenset[int]
    kept: dict[int, frozenset[str]]
    told: Sequence[str]

    @property
    def doubled(self) -> dict[int, frozenset[str]]:
        return {number: ids for number, ids in self.kept.items() if len(ids) > 1}


@dataclass
class Gateway:
    """The process, and the stream behind it."""

    process: ServiceProcess
    nats: NatsServer

    async def kept(self) -> dict[int, frozenset[str]]:
        """Capture ids on disk, by the number that the event carried."""
        found: dict[int, set[str]] = defaultdict(set)
        broker = await Broker.connect(self.nats.url, "reader")
        try:
            async for message in messages(broker, "CAPTURE"):
                event = InteractionReceived.from_wire(message.headers, message.body)
                for number in _MARK.findall(json.dumps(event.interaction.properties)):
                    found[int(number)].add(event.meta.event_id)
        finally:
            await broker.close()
        return {number: frozenset(ids) for number, ids in found.items()}

    async def run(self, command: Sequence[str], *, outage: bool = True) -> Outcome:
        """A client's whole life; the gateway is killed in the midst of it and comes back."""
        client = await asyncio.create_subprocess_exec(
            *command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()
        )
        answer = asyncio.create_task(client.communicate())
        try:
            if outage:
                await eventually(lambda: self._has(BEFORE_OUTAGE, answer), within=40)
                self.process.kill()
                await asyncio.sleep(_AWAY_SECONDS)  # an outage lasts
                await self.process.start()
            out, err = await asyncio.wait_for(answer, 150)
        finally:
            if client.returncode is None:
                client.kill()
        assert client.returncode == 0, err.decode()[-3000:]
        said = json.loads(out.decode().strip().splitlines()[-1])
        believed = frozenset(said["delivered"]), frozenset(said["failed"])
        return Outcome(*believed, await self.kept(), said.get("told", ()))

    async def _has(self, number: int, answer: asyncio.Task[Any]) -> bool:
        if answer.done():
            raise RuntimeError(f"the client ended too soon: {answer.result()}")
        return len(await self.kept()) >= number


def python_client(gateway: Gateway, sdk: str, count: int, pause: float = 0.05) -> list[str]:
    arguments = (sdk, gateway.process.url, SERVER_KEY, str(count), str(pause))
    return [sys.executable, str(HERE / "python_client.py"), *arguments]


def node_client(script: str, gateway: Gateway, sdk: str, *numbers: float) -> list[str]:
    """`node script sdk gateway key count pause ..`; skips where node or the packages cannot be had."""
    _installed()
    key = {"jitsu": JITSU_KEY, "snowplow": APP_ID}.get(sdk, WRITE_KEY if script == "browser.mjs" else SERVER_KEY)
    return ["node", script, sdk, gateway.process.url, key, *map(str, numbers)]


def chromium() -> str:
    """The browser's path; skips where there is none."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium; install the package chromium, or name one in CHROMIUM")
    return found


@asynccontextmanager
async def open_gateway(folder: Path) -> AsyncIterator[Gateway]:
    """With a source for each way of naming one."""
    environment = {
        "GATEWAY_DATABASE_URL": f"sqlite:///{folder / 'gateway.db'}",
        "GATEWAY_TOKEN_PRIVATE_KEY": PRIVATE_KEY,
        "GATEWAY_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "GATEWAY_BOOTSTRAP_API_KEY": API_KEY,
        "GATEWAY_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
    }
    with NatsServer() as nats:
        process = ServiceProcess(
            "gateway.main", "GATEWAY_", environment | {"GATEWAY_NATS_URL": nats.url}, folder / "gateway.log"
        )
        async with process, httpx.AsyncClient(base_url=process.url) as client:
            for source in (
                {"name": "backend", "kind": "server", "write_key": SERVER_KEY},
                {"name": "jitsu", "write_key": JITSU_KEY},
                {"name": "shop", "app_ids": [APP_ID]},
            ):
                headers = {"authorization": f"Bearer {API_KEY}"}
                answer = await client.post("/v1/sources", json=source, headers=headers)
                assert answer.status_code == 201, answer.text
            yield Gateway(process, nats)


def _installed() -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if (PACKAGES / ".package-lock.json").exists():
        return
    got = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, capture_output=True, text=True, check=False
    )
    if got.returncode != 0:
        pytest.skip(f"npm ci in tests/clients failed, the packages cannot be had here: {got.stderr[-300:]}")


def _environment() -> dict[str, str]:
    """Without proxies: everything here is on this machine."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
