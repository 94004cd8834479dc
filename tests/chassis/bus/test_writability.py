"""Ready means that the streams take writes: known also to whoever writes nothing, and true again by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from chassis.bus.broker import Broker
from chassis.bus.errors import BrokerUnavailable
from chassis.bus.streams import ROOM, probe_subject
from chassis.message import OutMessage
from tests.chassis.bus.builders import bodies, captures, stream_state
from tests.support.disk import SmallDisk
from tests.support.eventually import eventually
from tests.support.nats import NatsServer

STREAMS = ("CAPTURE", "DEAD")


@pytest.fixture
def server(small_disk: SmallDisk) -> Iterator[NatsServer]:
    """A NATS whose disk can be filled."""
    with NatsServer(directory=small_disk.path) as server:
        yield server


@pytest_asyncio.fixture
async def writer(server: NatsServer) -> AsyncIterator[Broker]:
    """Who writes CAPTURE and DEAD, ready, with one capture stored."""
    writer = await Broker.connect(server.url, "writer", answer_seconds=1.0, writes=STREAMS)
    await writer.ensure_streams(STREAMS)
    await writer.publish_batch(captures(1))
    await eventually(lambda: writer.is_ready)
    yield writer
    await writer.close()


async def is_frozen(broker: Broker, disk: SmallDisk) -> bool:
    """Publish, past what is left of the last block, until the stream takes no more."""
    disk.fill()
    try:
        await broker.publish_batch(captures(1))
    except BrokerUnavailable:
        return True
    return False


async def test_who_writes_nothing_notices_a_full_disk_and_harms_no_stream(
    server: NatsServer, writer: Broker, small_disk: SmallDisk
) -> None:
    small_disk.fill()
    await eventually(lambda: not writer.is_ready, within=15)
    assert "no space left" in writer.why_not_ready

    with pytest.raises(BrokerUnavailable, match=r"disk of NATS takes nothing: .*no space left"):
        # and waited for no answer, which could not come
        await writer.publish_batch(captures(1))

    small_disk.make_room()
    await eventually(lambda: writer.is_ready, within=15)
    await writer.publish_batch(captures(1))  # the same server, not started anew


async def test_a_stream_that_goes_on_refusing_is_named_until_the_server_is_started_anew(
    server: NatsServer, writer: Broker, small_disk: SmallDisk
) -> None:
    await eventually(lambda: is_frozen(writer, small_disk), within=20)
    small_disk.make_room()
    await eventually(lambda: "stream CAPTURE takes no writes" in writer.why_not_ready, within=15)
    for count in (1, 20):
        with pytest.raises(BrokerUnavailable, match="stream CAPTURE takes no writes"):  # known before it was asked
            await writer.publish_batch(captures(count))
    await writer.publish_batch([OutMessage("dead.x", {}, b"others go on")])

    newcomer = await Broker.connect(server.url, "newcomer", writes=STREAMS)
    await eventually(lambda: "stream CAPTURE takes no writes: no answer" in newcomer.why_not_ready, within=15)
    await newcomer.close()

    server.kill()
    server.start()
    await eventually(lambda: writer.is_ready, within=15)
    for count in (1, 20):
        await writer.publish_batch(captures(count))


async def test_no_probe_stays_and_nobody_who_hears_the_stream_meets_one(
    nats_server: NatsServer, broker: Broker
) -> None:
    await broker.publish_batch(captures(2))
    writer = await Broker.connect(nats_server.url, "writer", writes=STREAMS)
    await eventually(lambda: writer.is_ready)
    assert (await stream_state(broker, "CAPTURE"))["last_seq"] == 3, (
        "a stream with history is tried when its writer starts"
    )
    assert await bodies(broker, "CAPTURE") == [b"0", b"1"]
    assert not probe_subject("CAPTURE").startswith("capture.")

    async def only_facts_are_left() -> bool:
        return bool((await stream_state(broker, "CAPTURE"))["messages"] == 2)

    await eventually(only_facts_are_left, within=10)
    assert (await stream_state(broker, ROOM))["last_seq"] == 0
    await writer.close()


async def test_streams_that_are_not_laid_keep_their_writer_from_being_ready(nats_server: NatsServer) -> None:
    writer = await Broker.connect(nats_server.url, "writer", writes=STREAMS)
    await eventually(lambda: "stream DEAD takes no writes: it is not laid yet" in writer.why_not_ready)
    await writer.ensure_streams(STREAMS)
    await eventually(lambda: writer.is_ready)
    await writer.close()


async def test_an_account_that_is_used_up_refuses_no_message_but_makes_it_wait() -> None:
    account = "accounts { A: { jetstream: { max_disk: 100KB }, users: [ { user: a, password: a } ] } }\n"
    with NatsServer(account) as server:
        writer = await Broker.connect(server.url.replace("//", "//a:a@"), "writer", writes=("CAPTURE",))
        await writer.ensure_streams(["CAPTURE"])
        await eventually(lambda: writer.is_ready)
        large = [OutMessage("capture.x.0", {}, b"x" * 20_000)]
        for _ in range(5):
            await writer.publish_batch(large)
        with pytest.raises(BrokerUnavailable):
            await writer.publish_batch(large)
        await eventually(lambda: "stream CAPTURE takes no writes" in writer.why_not_ready, within=10)
        await writer.close()


async def test_a_connection_that_is_opened_needs_no_server_yet() -> None:
    server = NatsServer()
    early = Broker.open(server.url, "early", writes=("CAPTURE",))
    assert early.why_not_ready == "not connected to NATS"
    with pytest.raises(BrokerUnavailable):
        await early.publish_batch(captures(1))
    server.start()
    await early.connected()
    await early.ensure_streams(["CAPTURE"])
    await eventually(lambda: early.is_ready)
    await early.publish_batch(captures(1))
    await early.close()
    server.stop()


async def test_a_connection_that_was_never_made_is_closed_at_once() -> None:
    never = Broker.open("nats://127.0.0.1:9", "never")
    await never.close()
    assert not never.is_ready
