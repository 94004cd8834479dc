"""Two processes a service over four lanes on PostgreSQL, and two gateways: each may be restarted in turn without an
error at any client, each may be killed, and every person, referral and alert is there exactly once, in order.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.faults.test_kill_each_process import everybody_was_referred_once, profiles_hold_exactly
from tests.support.actors import Rep, everything, hire
from tests.support.eventually import eventually
from tests.support.load import Load, order_is_kept
from tests.support.postgres import databases
from tests.support.shards import NAMES, Shards, running_shards

pytestmark = [pytest.mark.slow, pytest.mark.platform, pytest.mark.timeout(900)]


@pytest_asyncio.fixture
async def shards(tmp_path: Path, postgres_admin_url: str) -> AsyncIterator[Shards]:
    with databases(postgres_admin_url) as make_database:
        async with running_shards(tmp_path, make_database) as running:
            yield running


class Clients:
    """A frontend that reads and a rep who answers, all the time; `refusals` are answers that were no success."""

    def __init__(self, shards: Shards, rep: Rep) -> None:
        self._shards, self._rep = shards, rep
        self.reads = 0
        self.accepted: list[str] = []
        self.refusals: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self._shards.suite.client() as frontend, self._rep.client() as tool:
            tasks = [asyncio.create_task(self._read(frontend)), asyncio.create_task(self._answer(tool))]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, client: httpx.AsyncClient) -> None:
        for number in itertools.count():
            found = await self._ask(client, "GET", f"/v1/people?user_id=user-{number % 25}")
            for person in (found.json()["items"] if found else [])[:1]:
                await self._ask(client, "GET", f"/v1/people/{person['person_id']}")
                await self._ask(client, "GET", f"/v1/people/{person['person_id']}/timeline")
            await self._ask(client, "GET", "/v1/reports/funnel")
            self.reads += 1
            await asyncio.sleep(0.1)

    async def _answer(self, client: httpx.AsyncClient) -> None:
        while True:
            offered = await self._ask(client, "GET", "/v1/referrals?state=offered&limit=1")
            for referral in offered.json()["items"] if offered else []:
                path = f"/v1/referrals/{referral['referral_id']}:accept"
                if await self._ask(client, "POST", path, json={}):
                    self.accepted.append(referral["referral_id"])
            await asyncio.sleep(0.5)

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, **said: object) -> httpx.Response | None:
        try:
            answer = await client.request(method, path, **said)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            self.refusals.append(f"{method} {path}: {error!r}")
            return None
        if answer.is_success:
            return answer
        self.refusals.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return None


async def test_each_process_is_restarted_in_turn_and_no_client_sees_it(shards: Shards) -> None:
    rep = await hire(shards.suite, "Ana Ruiz")
    load, clients = Load([shards.suite.url], shards.suite.write_key, pause_seconds=0.06), Clients(shards, rep)
    async with load.running(), clients.running():
        for shard in shards.shards:
            former = await shards.end(shard, signal.SIGTERM)
            await shards.is_back(shard, former)
            await eventually(partial(shards.balancers[shard.name].is_ready, shard.url))
    assert (load.refusals, clients.refusals) == ([], [])
    assert len(load.acknowledged) > 100
    assert clients.reads > 20
    assert len(clients.accepted) == len(set(clients.accepted)) > 5
    await all_is_there_once(shards, load, rep)
    referrals = await everything_of(shards, "/v1/referrals")
    assert set(clients.accepted) <= {one["referral_id"] for one in referrals if one["state"] == "accepted"}


async def test_killed_shards_leave_their_lanes_to_the_others(shards: Shards) -> None:
    rep = await hire(shards.suite, "Ana Ruiz")
    load = Load([gateway.url for gateway in shards.of("gateway")], shards.suite.write_key, pause_seconds=0.06)
    async with load.running():
        for name in (name for name in NAMES if name != "gateway"):
            for shard in shards.of(name):
                before = len(load.acknowledged)
                former = await shards.end(shard, signal.SIGKILL)
                await eventually(lambda before=before: len(load.acknowledged) > before + 30, within=20)  # type: ignore[misc]
                await shards.is_back(shard, former)
    assert load.refusals == []
    await all_is_there_once(shards, load, rep)


async def all_is_there_once(shards: Shards, load: Load, rep: Rep) -> None:
    async def all_is_well() -> None:
        await profiles_hold_exactly(shards.suite, load.acknowledged)
        await everybody_was_referred_once(shards.suite, rep)

    await eventually(all_is_well, within=60)
    await order_is_kept(shards.suite)


async def everything_of(shards: Shards, path: str) -> list[dict[str, object]]:
    async with shards.suite.client() as client:
        return await everything(client, path)
