"""A stream comes back with the sequences and moments it had, up to the cut, by a user who may do no more than that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from backup import streams
from backup.catalogue import restored_config
from backup.manifest import StreamPart
from backup.repetition import forget_published
from chassis.bus.broker import Broker
from chassis.bus.callout.claims import Issuer, new_issuer_seed
from chassis.bus.errors import BrokerUnavailable
from chassis.bus.inspection import message_at
from chassis.message import OutMessage
from chassis.store import outbox
from chassis.store.database import Database
from chassis.store.migrate import migrate
from deployment.backup_user import BACKUP
from deployment.nats_config import NatsPlan, access, static_users
from tests.backup.test_stores import said
from tests.support.nats import NatsServer

WORDS = {name: f"{name}-word" for name in static_users()}
CONFIG = access(NatsPlan(0, 0, Path("unused"), WORDS, Issuer(new_issuer_seed()).public_key))


class House:
    """Two servers with the users of the suite: one that is backed up, and an empty one."""

    def __init__(self, servers: tuple[NatsServer, NatsServer]) -> None:
        self.full, self.empty = servers
        self._open: list[Broker] = []

    async def broker(self, server: NatsServer, user: str) -> Broker:
        url = server.url.replace("//", f"//{user}:{user}-word@")
        self._open.append(await Broker.connect(url, user, inbox_prefix=f"_INBOX_{user}"))
        return self._open[-1]

    async def close(self) -> None:
        for broker in self._open:
            await broker.close()


@pytest.fixture
def servers() -> Iterator[tuple[NatsServer, NatsServer]]:
    with ExitStack() as stack:
        yield stack.enter_context(NatsServer(CONFIG)), stack.enter_context(NatsServer(CONFIG))


@pytest.fixture
async def house(servers: tuple[NatsServer, NatsServer]) -> AsyncIterator[House]:
    there = House(servers)
    yield there
    await there.close()


async def lay(house: House, server: NatsServer, owner: str, *streams: str) -> Broker:
    broker = await house.broker(server, owner)
    await broker.ensure_streams(streams)
    return broker


def message(number: int, owner: str = "scoring") -> OutMessage:
    return OutMessage(f"{owner}.score.changed.v1.0", {"ce-id": f"evt-{number}"}, b"%d" % number * 20)


async def copied(broker: Broker, name: str, cut: int) -> tuple[StreamPart, bytes]:
    pieces: list[bytes] = []

    async def sink(piece: bytes) -> None:
        pieces.append(piece)

    described = await streams.copy(broker, name, sink)
    return StreamPart("m", cut, described["config"], described["state"]), b"".join(pieces)


async def given(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_each_message_is_where_and_when_it_was_and_what_came_after_the_cut_is_gone(house: House) -> None:
    scoring = await lay(house, house.full, "scoring", "SCORING")
    await scoring.publish_batch([message(number) for number in range(1, 501)])
    taker = await house.broker(house.full, BACKUP)
    cut = (await streams.ends(taker))["SCORING"]["state"]["last_seq"]
    await scoring.publish_batch([message(number) for number in range(501, 741)])
    part, content = await copied(taker, "SCORING", cut)
    giver = await house.broker(house.empty, BACKUP)
    assert await streams.occupied(giver) == ""
    assert await streams.restore(giver, restored_config("SCORING", part, None), part, given(content)) == 240
    for number in (1, 250, 500):
        assert await message_at(giver, "SCORING", number) == await message_at(taker, "SCORING", number)
    state = (await streams.ends(giver))["SCORING"]["state"]
    assert (state["messages"], state["last_seq"]) == (500, 740)
    later = await lay(house, house.empty, "scoring", "SCORING")
    await later.publish_batch([message(9999)])
    found = await message_at(giver, "SCORING", 741)
    assert found is not None
    assert found.body == message(9999).body
    assert "SCORING" in await streams.occupied(giver)


async def test_readers_are_left_out_but_for_those_of_alerts(house: House) -> None:
    routing = await lay(house, house.full, "routing", "ROUTING", "ALERTS")
    metrics = await house.broker(house.full, "metrics")
    await routing.publish_batch([message(1, "routing"), OutMessage("alerts.rep.ana.offered", {"ce-id": "a"}, b"")])
    rep = {"durable_name": "rep-ana", "ack_policy": "explicit"}
    await routing.request("CONSUMER.DURABLE.CREATE.ALERTS.rep-ana", {"stream_name": "ALERTS", "config": rep})
    own = {"durable_name": "metrics", "ack_policy": "explicit"}
    await metrics.request("CONSUMER.CREATE.ROUTING.metrics", {"stream_name": "ROUTING", "action": "", "config": own})
    taker, giver = await house.broker(house.full, BACKUP), await house.broker(house.empty, BACKUP)
    for name in ("ALERTS", "ROUTING"):
        part, content = await copied(taker, name, 1)
        await streams.restore(giver, restored_config(name, part, None), part, given(content))
    kept = {name: (await giver.request(f"CONSUMER.NAMES.{name}"))["consumers"] or [] for name in ("ALERTS", "ROUTING")}
    assert kept == {"ALERTS": ["rep-ana"], "ROUTING": []}


async def test_whoever_takes_a_back_up_says_nothing_and_reads_nothing_as_others_do(house: House) -> None:
    await lay(house, house.full, "scoring", "SCORING")
    taker = await house.broker(house.full, BACKUP)
    with pytest.raises(BrokerUnavailable):
        await asyncio.wait_for(taker.publish_batch([message(1)]), 8)
    assert (await streams.ends(taker))["SCORING"]["state"]["messages"] == 0
    for call in ("STREAM.PURGE.SCORING", "CONSUMER.CREATE.SCORING.mine", "STREAM.UPDATE.SCORING"):
        with pytest.raises(BrokerUnavailable):
            await taker.request(call, {"stream_name": "SCORING", "config": {}}, within=0.3)


async def test_services_that_read_are_in_the_way(house: House) -> None:
    await lay(house, house.full, "scoring", "SCORING")
    lifecycle = await house.broker(house.full, "lifecycle")
    config = {"durable_name": "lifecycle", "ack_policy": "explicit"}
    own = {"stream_name": "SCORING", "action": "", "config": config}
    await lifecycle.request("CONSUMER.CREATE.SCORING.lifecycle", own)
    giver = await house.broker(house.full, BACKUP)
    assert await streams.occupied(giver) == ""
    prefix, _ = await lifecycle.listen(lambda _: None)
    await lifecycle.send("$JS.API.CONSUMER.MSG.NEXT.SCORING.lifecycle", b'{"expires": 20000000000}', f"{prefix}.pull")
    await asyncio.sleep(0.2)
    assert "lifecycle reads SCORING" in await streams.occupied(giver)


async def test_what_its_stream_has_is_not_said_again(house: House, tmp_path: Path) -> None:
    scoring = await lay(house, house.full, "scoring", "SCORING")
    await scoring.publish_batch([message(number) for number in range(1, 31)])
    url = f"sqlite:///{tmp_path}/scoring.db"
    await migrate(url)
    async with Database(url) as database, database.begin() as session:
        await outbox.append(session, [(f"evt-{number}", message(number)) for number in range(20, 41)])
    taker = await house.broker(house.full, BACKUP)
    parts = {"SCORING": StreamPart("m", 25, {}, {})}
    assert await forget_published(taker, url, parts) == 6
    assert await said(url) == [f"evt-{number}" for number in range(26, 41)]
