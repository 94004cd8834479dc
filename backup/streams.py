"""Streams as JetStream itself writes and reads them: sequences and moments stay, and floors rest on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import orjson

from backup.archive import Sink
from backup.manifest import StreamPart
from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.bus.protocol import Raw
from chassis.bus.streams import ALERTS, DEAD
from deployment.nats_config import BUS_USERS

STREAMS: Final = tuple(sorted({owner.upper() for user in BUS_USERS for owner in user.says} | {DEAD}))
"""Those that hold something; what ROOM is for holds no message."""

_CHUNKS: Final = "chunks"
_CHUNK: Final = 128 << 10
_SENT: Final = 32 << 10
"""The server writes a chunk, unpacked, before it answers, and gives up after five seconds: small ones, as a disk that
syncs each write does a few megabytes a second.
"""
_SILENCE_SECONDS: Final = 60.0
_DELETED_TOGETHER: Final = 100
_DONE: Final = ("", "204")
_NO_SUCH_STREAM: Final = 10059


class StreamTorn(Exception):
    """A snapshot did not arrive whole, or was not taken as it was sent."""


class StreamsOccupied(Exception):
    """Streams are there, and hold something or are read."""


async def ends(broker: Broker) -> dict[str, dict[str, Any]]:
    """Each stream that is there, as the server describes it now."""
    infos = await asyncio.gather(*(_info(broker, name) for name in STREAMS))
    return {name: info for name, info in zip(STREAMS, infos, strict=True) if info is not None}


async def _info(broker: Broker, name: str) -> dict[str, Any] | None:
    try:
        return await broker.request(f"STREAM.INFO.{name}")
    except ApiRefused as refusal:
        if refusal.code == _NO_SUCH_STREAM:
            return None
        raise


async def copy(broker: Broker, name: str, sink: Sink) -> Mapping[str, Any]:
    """Everything that the stream holds, into `sink`; answers its config and state. Of the readers those of ALERTS stay:
    a rep's place is kept there and nowhere else.

    Raises StreamTorn.
    """
    arrived: asyncio.Queue[Raw] = asyncio.Queue()
    # by name: for a listener by wildcard the server looks out for two seconds before it sends
    prefix, subscription = await broker.listen(arrived.put_nowait, _CHUNKS)
    wanted = {"deliver_subject": f"{prefix}.{_CHUNKS}", "no_consumers": name != ALERTS, "chunk_size": _CHUNK}
    try:
        described = await broker.request(f"STREAM.SNAPSHOT.{name}", wanted, within=_SILENCE_SECONDS)
        while (chunk := await _next(arrived, name)).body:
            await sink(chunk.body)
            if chunk.reply:  # only then does the server go on: no more than its window waits here
                await broker.send(chunk.reply)
    finally:
        await subscription.unsubscribe()
    if chunk.status[:3] not in _DONE:
        raise StreamTorn(f"{name}: the server broke off: {chunk.status}")
    return {"config": described["config"], "state": described["state"]}


async def _next(arrived: asyncio.Queue[Raw], name: str) -> Raw:
    try:
        async with asyncio.timeout(_SILENCE_SECONDS):
            return await arrived.get()
    except TimeoutError:
        raise StreamTorn(f"{name}: the server sent nothing for {_SILENCE_SECONDS:.0f} s") from None


async def occupied(broker: Broker) -> str:
    """What speaks against bringing streams back: messages, or readers. Empty when nothing does."""
    for name, info in (await ends(broker)).items():
        consumers = (await broker.request(f"CONSUMER.LIST.{name}"))["consumers"] or ()
        for one in consumers:
            if one["num_waiting"]:
                return f"{one['name']} reads {name}: the services are running; stop them"
        if info["state"]["messages"]:
            return f"stream {name} holds {info['state']['messages']} messages"
    return ""


async def clear(broker: Broker) -> None:
    """Remove all streams, whatever they hold."""
    for name in await ends(broker):
        await broker.request(f"STREAM.DELETE.{name}")


async def restore(broker: Broker, config: Mapping[str, Any], part: StreamPart, content: AsyncIterator[bytes]) -> int:
    """Make the stream of what `content` holds, as `config` says, and take away what came after the cut; how many
    messages that was.

    Raises StreamTorn, or ApiRefused when there is a stream of that name.
    """
    name = config["name"]
    answer = await broker.request(f"STREAM.RESTORE.{name}", {"config": config, "state": part.state})
    async for piece in content:
        for at in range(0, len(piece), _SENT):
            refused = await broker.confirm(answer["deliver_subject"], piece[at : at + _SENT], within=_SILENCE_SECONDS)
            if refused:
                raise StreamTorn(f"{name}: {refused.decode()}")
    made = orjson.loads(await broker.confirm(answer["deliver_subject"], b"", within=_SILENCE_SECONDS) or b"{}")
    if "state" not in made:
        raise StreamTorn(f"{name}: {made.get('error', made)}")
    return await _cut_off(broker, name, part.cut, made["state"]["last_seq"])


async def _cut_off(broker: Broker, name: str, cut: int, last: int) -> int:
    for first in range(cut + 1, last + 1, _DELETED_TOGETHER):
        numbers = range(first, min(first + _DELETED_TOGETHER, last + 1))
        await asyncio.gather(*(_delete(broker, name, number) for number in numbers))
    state = (await broker.request(f"STREAM.INFO.{name}"))["state"]
    if state["messages"] and state["last_seq"] < cut:
        raise BrokerUnavailable(f"{name} ends at {state['last_seq']}, before the cut at {cut}")
    return max(0, last - cut)


async def _delete(broker: Broker, name: str, number: int) -> None:
    try:
        await broker.request(f"STREAM.MSG.DELETE.{name}", {"seq": number, "no_erase": True}, within=_SILENCE_SECONDS)
    except (ApiRefused, BrokerUnavailable):
        # a probe has gone by itself; anything else is still there
        if await _stands(broker, name, number):
            raise


async def _stands(broker: Broker, name: str, number: int) -> bool:
    try:
        await broker.request(f"STREAM.MSG.GET.{name}", {"seq": number})
    except ApiRefused:
        return False
    return True
