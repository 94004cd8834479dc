"""The six services in one process, with real stores and a real NATS, on a clock that goes forward only when it is told
to.

Nothing is left to the machine's clock: a timer fires when the market has come to its moment, and what is
captured next waits until everything that follows from it has been said and heard. So the same tape gives the
same answers, however fast the machine is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx

from chassis.app import Service
from chassis.bus.broker import Broker
from chassis.message import OutMessage
from chassis.runtime import Runtime
from chassis.store.outbox import waiting
from chassis.store.timers import next_due
from services.identity.main import create_service as create_identity
from services.identity.settings import IdentitySettings
from services.lifecycle.main import create_service as create_lifecycle
from services.lifecycle.settings import LifecycleSettings
from services.metrics.main import create_service as create_metrics
from services.metrics.settings import MetricsSettings
from services.nurture.main import create_service as create_nurture
from services.nurture.settings import NurtureSettings
from services.routing.main import create_service as create_routing
from services.routing.settings import RoutingSettings
from services.scoring.main import create_service as create_scoring
from services.scoring.settings import ScoringSettings
from tests.support.eventually import eventually
from tests.support.service import PUBLIC_KEY, running, token

Json = dict[str, Any]
SERVICES: Mapping[str, Callable[[Json], Service]] = {
    "identity": lambda given: create_identity(IdentitySettings(**given)),
    "scoring": lambda given: create_scoring(ScoringSettings(**given)),
    "lifecycle": lambda given: create_lifecycle(LifecycleSettings(**given)),
    "nurture": lambda given: create_nurture(NurtureSettings(**given)),
    "routing": lambda given: create_routing(RoutingSettings(**given)),
    "metrics": lambda given: create_metrics(MetricsSettings(**given)),
}
STREAMS = ("CAPTURE", *(name.upper() for name in SERVICES))
_LOOK_SECONDS = 0.025
_READY_SECONDS = 30.0
_DECADE_SECONDS = 10 * 366 * 86_400
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    """A service's clock; it shows what it was set to."""

    moment: datetime

    def __call__(self) -> datetime:
        return self.moment


@dataclass(frozen=True)
class MarketService:
    """One service: running, with its own clock and a client that is let in."""

    clock: Clock
    runtime: Runtime
    client: httpx.AsyncClient
    timer_kinds: frozenset[str]

    async def is_ready(self) -> bool:
        """Whether it has joined: its streams are there, and it listens."""
        return (await self.client.get("/readyz")).status_code == 200

    async def is_due(self) -> bool:
        """Whether a timer waits to be fired."""
        if not self.timer_kinds:
            return False
        async with self.runtime.database.read() as session:
            due = await next_due(session, self.timer_kinds)
        return due is not None and due <= self.clock.moment

    async def is_at_rest(self) -> bool:
        """Whether nothing is due, and the broker has everything that this service said."""
        async with self.runtime.database.read() as session:
            if await waiting(session, 1):
                return False
        return not await self.is_due()


class MarketSuite:
    """All six, at one moment of the market."""

    patience_seconds = 240.0

    def __init__(self, services: Mapping[str, MarketService], broker: Broker, begin: datetime, lanes: int) -> None:
        self.services, self.broker, self.now, self.lanes = services, broker, begin, lanes

    async def ask(self, service: str, method: str, path: str, **how: Any) -> httpx.Response:
        return await self.services[service].client.request(method, path, **how)

    async def get(self, service: str, path: str, **query: str) -> Json:
        """The answer to a question; it must be there."""
        answer = await self.ask(service, "GET", path, params=query)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        said: Json = answer.json()
        return said

    async def everything(self, service: str, path: str, **query: str) -> list[Json]:
        """All items of a list."""
        items: list[Json] = []
        cursor: str | None = None
        while True:
            page = await self.get(service, path, **query, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    async def captured(self, messages: Sequence[OutMessage]) -> None:
        """These captures are on disk, as if the gateway had just taken them; returns when all that follows has been
        heard.
        """
        await self.broker.publish_batch(messages)
        await self.calm()

    async def move_on(self, moment: datetime) -> None:
        """It becomes `moment`: what fell due until then is done, service by service, in the order of the line."""
        assert moment >= self.now, f"{moment} is before {self.now}"
        self.now = moment
        for service in self.services.values():
            service.clock.moment = moment
            if await service.is_due():
                service.runtime.wake_timers(_LONG_AGO)
                await self.calm()

    async def calm(self) -> None:
        """Returns when everything that was said has been heard, what is due is done, and nothing more is said.

        Raises TimeoutError.
        """
        async with asyncio.timeout(self.patience_seconds):
            before: list[int] | None = None
            while True:
                if not await self._is_quiet():
                    before = None
                    await asyncio.sleep(_LOOK_SECONDS)
                elif before is not None and before == await self._streams():
                    return  # quiet, and nothing was said between two looks
                else:
                    before = await self._streams()

    async def dead_letters(self) -> int:
        info = await self.broker.request("STREAM.INFO.DEAD")
        return int(info["state"]["messages"])

    async def _streams(self) -> list[int]:
        return [int((await self.broker.request(f"STREAM.INFO.{name}"))["state"]["last_seq"]) for name in STREAMS]

    async def _is_quiet(self) -> bool:
        for name in STREAMS:  # asked first, because it costs a tenth of what a store does
            for one in (await self.broker.request(f"CONSUMER.LIST.{name}"))["consumers"]:
                if one["num_pending"] or one["num_ack_pending"]:
                    return False
        for service in self.services.values():
            if not await service.is_at_rest():
                return False
        return True


@asynccontextmanager
async def open_suite(
    nats_url: str, stores: Mapping[str, str], begin: datetime, lanes: int = 1
) -> AsyncIterator[MarketSuite]:
    """The services with these stores (address by service), at `begin`."""
    async with AsyncExitStack() as stack:
        broker = await Broker.connect(nats_url, "market")
        stack.push_async_callback(broker.close)
        await broker.ensure_streams(["CAPTURE"])
        services = {}
        for name, create in SERVICES.items():
            given = {
                "database_url": stores[name],
                "nats_url": nats_url,
                "token_public_key": PUBLIC_KEY,
                "lanes": lanes,
                "linger_ms": 0.0,
            }
            services[name] = await stack.enter_async_context(_open(create({**given, "durability": "normal"}), begin))
        for service in services.values():
            await eventually(service.is_ready, within=_READY_SECONDS)
        yield MarketSuite(services, broker, begin, lanes)


@asynccontextmanager
async def _open(service: Service, begin: datetime) -> AsyncIterator[MarketService]:
    clock = Clock(begin)
    # signed by the clock of the market
    headers = {"authorization": f"Bearer {token(now=begin, ttl_seconds=_DECADE_SECONDS)}"}
    async with (
        running(replace(service, clock=clock)) as opened,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(opened.app), base_url=f"http://{service.name}", headers=headers
        ) as client,
    ):
        yield MarketService(clock, opened.runtime, client, frozenset(timer.kind for timer in service.timers))
