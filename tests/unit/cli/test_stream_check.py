"""What the doctor says of streams and durables, on a real NATS."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from chassis.bus.broker import Broker
from chassis.bus.streams import DEAD
from cli.checks import streams
from cli.checks.diagnosis import CheckState
from deployment.nats_config import BUS_USERS
from tests.support.nats import NatsServer

OWNED = sorted({owner.upper() for user in BUS_USERS for owner in user.says})


async def read_by(broker: Broker, stream: str, durable: str, lanes: int = 1) -> None:
    config = {"durable_name": durable, "ack_policy": "explicit", "metadata": {"lanes": str(lanes)}}
    await broker.request(f"CONSUMER.CREATE.{stream}.{durable}", {"stream_name": stream, "config": config})


@pytest_asyncio.fixture
async def laid(nats_server: NatsServer) -> AsyncIterator[Broker]:
    """A bus as a suite leaves it."""
    broker = await Broker.connect(nats_server.url, "doctor")
    await broker.ensure_streams([*OWNED, DEAD])
    for user in BUS_USERS:
        for owner in user.hears:
            await read_by(broker, owner.upper(), user.name)
    yield broker
    await broker.close()


async def test_where_all_are_there_nothing_is_amiss(laid: Broker) -> None:
    assert (await streams.look(laid)).state is CheckState.FINE


async def test_streams_that_are_gone_and_readers_that_do_not_read_are_named(laid: Broker) -> None:
    await laid.request("STREAM.DELETE.METRICS")
    await laid.request("STREAM.DELETE.CAPTURE")
    await laid.request("CONSUMER.DELETE.SCORING.nurture")
    found = await streams.look(laid)
    assert found.state is CheckState.BAD
    assert "the stream METRICS is gone (metrics lays it)" in found.says
    assert "the stream CAPTURE is gone (gateway lays it)" in found.says
    assert "nurture does not read SCORING: no durable nurture" in found.says
    assert "identity does not read" not in found.says, "the stream says it already"


async def test_of_several_lanes_the_one_that_nobody_reads_is_named(laid: Broker) -> None:
    await laid.request("CONSUMER.DELETE.IDENTITY.scoring")
    for lane in (0, 2):
        await read_by(laid, "IDENTITY", f"scoring-{lane}", lanes=3)
    assert (await streams.look(laid)).says == "scoring does not read IDENTITY: no durable scoring-1"
