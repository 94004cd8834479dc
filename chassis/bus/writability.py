"""Whether the streams that this process writes take writes: what is asked of a broker beside "connected and answering".

What nats-server 2.15.1 does when its disk is full (each seen):

* A stream whose write failed keeps that error until the server is restarted, room or not: it stores nothing more, and
  says nothing to whoever publishes. Reading goes on; requests that fail before storing (`Nats-Expected-*`) are answered
  as if all were well. So nothing but a message that would be stored tells a stream that refuses from one that does not:
  the probe, which its `Nats-TTL` removes after a second.
* A write that touches no stream's messages freezes none: writing a configuration anew answers with the disk's own
  error while it is full, and works as soon as there is room. So this is what an idle process asks, and no message is
  sent to a disk that is known to be full.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson
import structlog

from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.bus.replies import Replies
from chassis.bus.streams import ROOM, probe_subject, stream_config
from chassis.message import OutMessage

log = structlog.get_logger(__name__)

_ROOM_PERIOD_SECONDS = 5.0
_ANSWER_SECONDS = 2.0
_PROBE = b" " * 4200  # more than one block of a usual file system: what is left of the last block proves nothing
_PROBE_HEADERS = {"Nats-TTL": "1s"}
ACCOUNT_EXHAUSTED = 10002
"""Numbered as if the request were to blame; but the room that the account may use is gone, whatever the message."""
_STREAM_NOT_FOUND = 10059
_NOT_WRITTEN = frozenset({10049, 10069})
"""A stream could not be created, or updated, for what the server's own disk answered."""


class WriteState(Enum):
    """What is known of one stream."""

    UNPROVEN = "unproven"  # not written since this process began
    GOOD = "good"
    SUSPECT = "suspect"  # a write failed though NATS is there; the next probe decides
    REFUSING = "refusing"


@dataclass(slots=True)
class _Stream:
    standing: WriteState = WriteState.UNPROVEN
    reason: str = "it was not tried yet"


class Writability:
    """Judges `streams` by the writes that are made anyway, and by probes where those say too little.

    `replicas` as the streams have.
    """

    def __init__(self, replies: Replies, streams: Sequence[str], replicas: int = 1) -> None:
        self._replies = replies
        self._replicas = replicas
        self._streams = {name: _Stream() for name in streams}
        self._full = ""  # what the disk answered when it took nothing
        self._room_at = -_ROOM_PERIOD_SECONDS  # when that was asked last
        self.suspected = asyncio.Event()
        """Set when there is something to look into at once."""

    @property
    def why_not(self) -> str:
        """In plain words what is not written; empty when all is well."""
        if self._full:
            return f"the disk of NATS takes nothing: {self._full}"
        return "; ".join(
            f"stream {name} takes no writes: {stream.reason}"
            for name, stream in self._streams.items()
            if stream.standing in (WriteState.UNPROVEN, WriteState.REFUSING)
        )

    @property
    def is_settled(self) -> bool:
        """Every stream was judged since this process began."""
        return all(stream.standing is not WriteState.UNPROVEN for stream in self._streams.values())

    def check(self, stream: str) -> None:
        """Raises BrokerUnavailable when `stream` is known to refuse: nobody need wait for an answer that does not come,
        nor add to the harm.
        """
        known = self._streams.get(stream)
        if known is not None and (self._full or known.standing is WriteState.REFUSING):
            raise BrokerUnavailable(self.why_not)

    def stored(self, stream: str) -> None:
        """A write was confirmed."""
        if (known := self._streams.get(stream)) is not None:
            known.standing = WriteState.GOOD

    def failed(self, stream: str, reason: str) -> None:
        """A write was not confirmed, though there is a connection."""
        known = self._streams.get(stream)
        if known is not None and known.standing is not WriteState.REFUSING:
            known.standing, known.reason = WriteState.SUSPECT, reason
            self._room_at = -_ROOM_PERIOD_SECONDS
            self.suspected.set()

    async def look(self) -> None:
        """Ask what has to be asked now; raises nothing."""
        if not self._streams:
            return
        doubtful = [name for name, stream in self._streams.items() if stream.standing is not WriteState.GOOD]
        if self._full or doubtful or time.monotonic() >= self._room_at + _ROOM_PERIOD_SECONDS:
            await self._look_for_room()
        if not self._full:
            await asyncio.gather(*(self._try(name, self._streams[name]) for name in doubtful))

    async def _look_for_room(self) -> None:
        self._room_at = time.monotonic()
        config = orjson.dumps(stream_config(ROOM, self._replicas))
        try:
            error = await self._error_of(f"$JS.API.STREAM.UPDATE.{ROOM}", config)
            if error.get("err_code") == _STREAM_NOT_FOUND:
                error = await self._error_of(f"$JS.API.STREAM.CREATE.{ROOM}", config)
        except BrokerUnavailable:
            return  # who does not answer at all may be short of something else: the disk is judged by what it says
        full = str(error.get("description", "")) if error.get("err_code") in _NOT_WRITTEN else ""
        if bool(full) != bool(self._full):
            log.warning("broker.disk_refuses", reason=full) if full else log.info("broker.disk_takes_again")
        self._full = full

    async def _try(self, name: str, stream: _Stream) -> None:
        """Find out whether `stream` takes writes.

        One without history, whose first write is yet to come, has nothing to be frozen by.
        """
        was = stream.standing
        try:
            if was is not WriteState.UNPROVEN or await self._has_history(name):
                await self._replies.ask(probe_subject(name), _PROBE, _PROBE_HEADERS, within=_ANSWER_SECONDS)
        except (ApiRefused, BrokerUnavailable) as error:
            if isinstance(error, ApiRefused) and error.code != ACCOUNT_EXHAUSTED:
                stream.standing = WriteState.GOOD  # it says no to the probe for another reason, and so it answers
                return
            stream.reason = str(error)
            if was is WriteState.SUSPECT:
                stream.standing = WriteState.REFUSING
                log.warning("broker.stream_refuses", stream=name, reason=stream.reason)
            return
        if was is WriteState.REFUSING:
            log.info("broker.stream_takes_again", stream=name)
        stream.standing = WriteState.GOOD

    async def _has_history(self, name: str) -> bool:
        try:
            info = await self._replies.ask(f"$JS.API.STREAM.INFO.{name}", b"", within=_ANSWER_SECONDS)
        except ApiRefused as refusal:
            raise BrokerUnavailable(f"it is not laid yet: {refusal}") from None
        return bool(info["state"]["last_seq"])

    async def _error_of(self, subject: str, body: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = orjson.loads(
            (await self._replies.answers([OutMessage(subject, {}, body)], within=_ANSWER_SECONDS))[0].body or b"{}"
        )
        return dict(answer.get("error") or {})
