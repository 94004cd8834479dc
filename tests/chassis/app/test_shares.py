"""Two processes of a service over four lanes on PostgreSQL: each reads its share, also after one was restarted or
killed.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

from chassis.bus.broker import Broker
from contracts.ids import lane_of
from tests.chassis.app.bus_words import a_signal, echoes
from tests.chassis.app.echo import EchoSettings, create_service
from tests.chassis.app.test_lanes import on_lane, signals, texts
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, RunningService, running

LANES = 4


class Flow:
    """Signals on all lanes, again and again."""

    def __init__(self, outside: Broker) -> None:
        self._outside = outside
        self.count = 0

    async def goes_on(self) -> None:
        await self._outside.publish_batch(signals(self.count, 40, LANES))
        self.count += 40


def served(service: RunningService) -> int:
    return sum(consumer.is_served for consumer in service.runtime.consumers)


def settings_of(postgres_url: str, nats_server: NatsServer) -> EchoSettings:
    return EchoSettings(
        database_url=postgres_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY, lanes=LANES, stuck_seconds=60
    )


async def test_each_timer_fires_in_one_of_the_processes(postgres_url: str, nats_server: NatsServer) -> None:
    settings = settings_of(postgres_url, nats_server)
    outside = await Broker.connect(nats_server.url, "outside")
    names = [f"later {number}" for number in range(60)]
    async with running(create_service(settings)) as first, running(create_service(settings)) as second:
        await outside.publish_batch([on_lane(a_signal(name), lane_of(name, LANES)) for name in names])

        async def all_were_recalled() -> None:
            expected = sorted([*names, *(f"recalled {name}" for name in names)])
            assert sorted(await echoes(first.runtime.database)) == expected

        await eventually(all_were_recalled, within=20)
        assert {first.runtime.timers is None, second.runtime.timers is None} == {False}
    await outside.close()


async def test_lanes_are_shared_by_those_who_are_there(postgres_url: str, nats_server: NatsServer) -> None:
    settings = settings_of(postgres_url, nats_server)
    outside = await Broker.connect(nats_server.url, "outside")
    flow = Flow(outside)

    async def reads(*expected: tuple[RunningService, int]) -> None:
        async def they_do() -> None:
            await flow.goes_on()
            assert [served(service) for service, _ in expected] == [number for _, number in expected]

        await eventually(they_do, within=30)

    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running(create_service(settings)))
        await reads((first, 4))
        async with running(create_service(settings)) as second:
            await reads((first, 2), (second, 2))
        await reads((first, 4))
        third = await stack.enter_async_context(running(create_service(settings)))
        await reads((first, 2), (third, 2))

        async def all_came() -> None:
            assert sorted(await echoes(first.runtime.database)) == texts(flow.count)

        await eventually(all_came, within=30)
    await outside.close()
