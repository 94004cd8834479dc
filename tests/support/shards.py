"""The suite on PostgreSQL with several processes a service and two gateways, all kept by a supervisor as `make up` has
one; balancers stand before each service and before the gateways.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from deployment.nats_accounts import OBSERVER
from deployment.nats_config import OPERATOR
from embedded.plan import SERVICES, Plan
from embedded.up import free_ports, prepare
from tests.support.balancer import Balancer
from tests.support.eventually import eventually
from tests.support.suite import ROOT, Suite

NAMES = (*SERVICES, "gateway")


@dataclass(frozen=True)
class Shard:
    """One process of a service."""

    name: str
    number: int
    port: int

    @property
    def program(self) -> str:
        return f"{self.name}-{self.number}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Shards:
    """A running installation. `stores`: where each service's store is."""

    plan: Plan
    stores: Mapping[str, str]
    shards: list[Shard]
    balancers: dict[str, Balancer] = field(default_factory=dict)

    @property
    def suite(self) -> Suite:
        plan, url = self.plan, self.balancers["gateway"].url
        secrets = plan.secrets
        return Suite(
            plan.var, url, secrets.write_key, secrets.api_key, plan.nats_url(OBSERVER), plan.nats_url(OPERATOR)
        )

    def of(self, name: str) -> list[Shard]:
        """The processes of a service."""
        return [shard for shard in self.shards if shard.name == name]

    async def pid(self, shard: Shard) -> int:
        """0 while it does not run."""
        control = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self.plan.var / "shards.conf")]
        answer = await asyncio.to_thread(
            subprocess.run, [*control, "pid", shard.program], capture_output=True, text=True, check=False
        )
        return int(answer.stdout) if answer.stdout.strip().isdigit() else 0

    async def end(self, shard: Shard, how: signal.Signals) -> int:
        """Signal it; the supervisor starts it again. Answers which process it was."""
        pid = await self.pid(shard)
        assert pid, f"{shard.program} does not run"
        os.kill(pid, how)
        return pid

    async def is_back(self, shard: Shard, former: int) -> None:
        """Returns when another process than `former` is ready in its place."""

        async def another() -> bool:
            return (await self.pid(shard)) not in (0, former) and await is_ready(shard)

        await eventually(another, within=40)

    def log(self, shard: Shard) -> str:
        path = self.plan.var / "log" / f"{shard.program}.log"
        return path.read_text() if path.exists() else ""


@asynccontextmanager
async def running_shards(
    var: Path, make_database: Callable[[], str], *, each: int = 2, lanes: int = 4
) -> AsyncIterator[Shards]:
    """Start it under `var`, stop it at the end."""
    plan = await asyncio.to_thread(prepare, var, 0, detached=True, lanes=lanes)
    stores = {name: make_database() for name in NAMES}
    ports = iter(free_ports(len(NAMES) * each))
    shards = Shards(plan, stores, [Shard(name, number, next(ports)) for name in NAMES for number in range(each)])
    async with AsyncExitStack() as stack:
        for name in NAMES:
            balancer = shards.balancers[name] = Balancer([shard.url for shard in shards.of(name)])
            await stack.enter_async_context(balancer.listening())
        await asyncio.to_thread((var / "shards.conf").write_text, _config(shards))
        supervisor = _start(var)
        try:
            await eventually(partial(_all_ready, shards), within=60)
            yield shards
        finally:
            supervisor.terminate()
            await asyncio.to_thread(supervisor.wait, 90)


def _start(var: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "embedded.supervisor", "-c", str(var / "shards.conf")],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
        start_new_session=True,
    )


async def _all_ready(shards: Shards) -> bool:
    for shard in shards.shards:
        assert await is_ready(shard), f"{shard.program}: {shards.log(shard)[-600:]}"
    return True


async def is_ready(shard: Shard) -> bool:
    """Whether it says so."""
    async with httpx.AsyncClient(timeout=5) as client:
        try:
            return (await client.get(f"{shard.url}/readyz")).status_code == 200
        except httpx.HTTPError:
            return False


def _config(shards: Shards) -> str:
    plan = shards.plan
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"directory={ROOT}",
        f"pidfile={plan.var / 'supervisord.pid'}",
        f"logfile={plan.var / 'log' / 'supervisord.log'}",
        f"childlogdir={plan.var / 'log'}",
        "[unix_http_server]",
        f"file={plan.var / 's.sock'}",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "[supervisorctl]",
        f"serverurl=unix://{plan.var / 's.sock'}",
        *_program("nats", plan.commands()["nats"], {}, plan.var, 0),
    ]
    for shard in shards.shards:
        lines += _program(shard.program, plan.commands()[shard.name], _environment(shards, shard), plan.var, 1)
    return "\n".join(lines) + "\n"


def _environment(shards: Shards, shard: Shard) -> dict[str, str]:
    prefix = f"{shard.name.upper()}_"
    own = {"PORT": str(shard.port), "DATABASE_URL": shards.stores[shard.name], "NOTICE_SECONDS": "2"}
    if shard.name == "gateway":
        own |= {f"{name.upper()}_URL": shards.balancers[name].url for name in SERVICES}
    told = shards.plan.environment(shard.name) | {f"{prefix}{name}": value for name, value in own.items()}
    return {name: value for name, value in told.items() if name != "GATEWAY_INNER_PORT"}  # there are two of them


def _program(name: str, command: str, environment: Mapping[str, str], var: Path, priority: int) -> list[str]:
    pairs = ",".join(f'{key}="{value.replace("%", "%%")}"' for key, value in environment.items())
    return [
        f"[program:{name}]",
        f"command={command}",
        f"priority={priority}",
        f"environment={pairs}",
        f"stdout_logfile={var / 'log' / name}.log",
        "redirect_stderr=true",
        "autorestart=true",
        "startsecs=0",
        "startretries=30",
        "stopwaitsecs=15",
    ]
