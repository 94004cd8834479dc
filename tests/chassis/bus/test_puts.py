"""Publishing without a task: on its way before `put_batch` returns, in the order in which it was put, and each is told
once what came of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from chassis.bus.batches import size_of
from chassis.bus.broker import Broker
from chassis.bus.errors import BrokerUnavailable, PublishRefused
from chassis.message import OutMessage
from tests.chassis.bus.builders import bodies, captures
from tests.support.eventually import eventually
from tests.support.nats import NatsServer


class Outcomes(list[Exception | None]):
    """What was told, in the order in which it was."""

    def put(self, broker: Broker, messages: Sequence[OutMessage], *, whole: bool = False) -> None:
        broker.put_batch(messages, self.append, size=sum(map(size_of, messages)), whole=whole)

    async def told(self, count: int) -> None:
        await eventually(lambda: len(self) == count)
        await asyncio.sleep(0)
        assert len(self) == count


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes()


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("count", [1, 2, 8, 9, 500, 501])
async def test_what_was_put_is_in_the_stream_in_order_when_it_is_told(
    broker: Broker, outcomes: Outcomes, count: int, whole: bool
) -> None:
    outcomes.put(broker, captures(count), whole=whole)
    assert outcomes == []
    await outcomes.told(1)

    assert outcomes == [None]
    assert [int(body) for body in await bodies(broker, "CAPTURE")] == list(range(count))


async def test_batches_under_way_at_once_keep_the_order_in_which_they_were_put(
    broker: Broker, outcomes: Outcomes
) -> None:
    sizes = [250, 1, 9, 500, 3, 30]  # atomic batches, and messages one by one
    for number, size in enumerate(sizes):
        outcomes.put(broker, captures(size, start=1000 * number))
    await outcomes.told(len(sizes))

    assert outcomes == [None] * len(sizes)
    expected = [1000 * number + at for number, size in enumerate(sizes) for at in range(size)]
    found = [int(body) for body in await bodies(broker, "CAPTURE")]
    assert [each for each in found if each % 1000 == 0] == [each for each in expected if each % 1000 == 0]
    assert found == expected


async def test_several_streams_go_each_to_its_own(broker: Broker, outcomes: Outcomes) -> None:
    outcomes.put(broker, [*captures(2), OutMessage("identity.person.created.v1.0", {}, b"a")])
    await outcomes.told(1)
    assert await bodies(broker, "CAPTURE") == [b"0", b"1"]
    assert await bodies(broker, "IDENTITY") == [b"a"]


@pytest.mark.parametrize("count", [1, 2, 20])
async def test_a_stream_that_does_not_exist_is_unavailable(broker: Broker, outcomes: Outcomes, count: int) -> None:
    outcomes.put(broker, [OutMessage("nowhere.x", {}, b"")] * count)
    await outcomes.told(1)
    assert isinstance(outcomes[0], BrokerUnavailable)


async def test_one_that_fails_harms_neither_who_came_before_nor_who_comes_after(
    broker: Broker, outcomes: Outcomes
) -> None:
    refused = [OutMessage("capture.x.0", {"Nats-Expected-Last-Sequence": "999999"}, b"refused")]
    outcomes.put(broker, captures(20))
    outcomes.put(broker, refused)
    outcomes.put(broker, captures(20, start=20))
    await outcomes.told(3)

    assert [type(outcome) for outcome in outcomes] == [type(None), PublishRefused, type(None)]
    assert [int(body) for body in await bodies(broker, "CAPTURE")] == list(range(40))
    await eventually(lambda: broker.is_ready)


async def test_without_a_server_nothing_is_sent_and_nobody_told(
    nats_server: NatsServer, broker: Broker, outcomes: Outcomes
) -> None:
    nats_server.kill()
    await eventually(lambda: not broker.is_connected)
    with pytest.raises(BrokerUnavailable):
        outcomes.put(broker, captures(20))
    nats_server.start()
    await eventually(lambda: broker.is_ready)

    assert outcomes == []
    outcomes.put(broker, captures(20, start=20))
    await outcomes.told(1)
    assert [int(body) for body in await bodies(broker, "CAPTURE")] == list(range(20, 40))


async def test_who_is_under_way_when_the_server_dies_learns_it_then_and_once(
    nats_server: NatsServer, broker: Broker, outcomes: Outcomes
) -> None:
    nats_server.pause()
    for number, count in enumerate((3, 20, 500, 600)):
        outcomes.put(broker, captures(count, start=1000 * number))
    nats_server.kill()
    await outcomes.told(4)

    assert all(isinstance(outcome, BrokerUnavailable) for outcome in outcomes)
    # and not: no answer within 5 s
    assert {str(outcome) for outcome in outcomes} == {"the connection to NATS was lost"}


async def test_a_server_that_hangs_is_given_up_and_what_it_says_later_is_not_told_again(
    nats_server: NatsServer, outcomes: Outcomes
) -> None:
    broker = await Broker.connect(nats_server.url, "impatient", answer_seconds=0.3)
    await broker.ensure_streams(["CAPTURE"])
    nats_server.pause()
    outcomes.put(broker, captures(3))
    outcomes.put(broker, captures(300, start=3))
    await outcomes.told(2)
    assert all(isinstance(outcome, BrokerUnavailable) for outcome in outcomes)

    nats_server.resume()
    await eventually(lambda: _are_stored(broker, 303))  # which nobody was told
    assert len(outcomes) == 2
    await broker.close()


async def _are_stored(broker: Broker, count: int) -> bool:
    return len(await bodies(broker, "CAPTURE")) == count
