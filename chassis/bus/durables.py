"""The durable consumers of one service on one stream: which there are, who else reads, and where one begins that is not
there.

A durable is only a cursor. What was applied stands in the service's store (its floors), so a durable that is lost, or
made anew for other lanes, begins behind the lowest floor of the lanes it hears; what it brings again is skipped.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused, LanesDiffer
from chassis.bus.inspection import message_at, read_moment
from chassis.message import Mark, Received, StreamState
from contracts.limits import LANES

log = structlog.get_logger(__name__)

LANE = "{lane}"
"""Stands in a subject of a ConsumerSpec for each lane number that is heard."""

_LANES = "lanes"  # in the metadata of a durable: how many lanes its service runs with
_NO_SUCH_CONSUMER = 10014
_ROUNDING = timedelta(milliseconds=1)  # a delivery's moment is rounded, a stored message's cut


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """What `service` reads: `subjects` (filters, may hold wildcards, or LANE) of `stream`, in `lane` of `lanes`."""

    service: str
    stream: str
    subjects: tuple[str, ...]
    lane: int = 0
    lanes: int = 1
    batch_size: int = 250
    # at most so long a lane without a backlog rests after a batch, namely as long as that took
    rest_seconds: float = 0.0
    linger_seconds: float = 0.0  # and so long it waits for more to share a transaction with, while more comes

    @property
    def durable(self) -> str:
        """The name of the durable consumer."""
        return self.service if self.lanes == 1 else f"{self.service}-{self.lane}"

    @property
    def siblings(self) -> frozenset[str]:
        """The names of the durables of all lanes."""
        return frozenset(replace(self, lane=lane).durable for lane in range(self.lanes))

    def heard(self, numbers: int) -> tuple[int, ...]:
        """Of so many lane numbers on subjects, those that this lane hears: a sender may have had more lanes than this
        service.
        """
        return tuple(number for number in range(numbers) if number % self.lanes == self.lane)

    def filters(self, heard: Iterable[int]) -> list[str]:
        """The subjects under these lane numbers."""
        numbers = sorted(heard)
        return [
            subject.replace(LANE, str(number))
            for subject in self.subjects
            for number in (numbers if LANE in subject else numbers[:1])
        ]


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a lane stands in the service's store: the lane numbers it hears, and the lowest floor of these (None:
    nothing was applied).
    """

    heard: tuple[int, ...]
    floor: Mark | None = None


class Applier(Protocol):
    """Applies messages in the service's store, and remembers there what was applied."""

    async def open(self, stream: StreamState) -> Opening:
        """Look up where this lane stands; before the first message, and when its durable is gone.

        Raises LanesDiffer.
        """

    async def apply(self, batch: Sequence[Received]) -> None:
        """Apply `batch` in one transaction; what was applied before is skipped."""

    async def set_aside(self, dead: Sequence[tuple[Received, str]]) -> None:
        """Note messages that died, and why; their letters are on disk."""


@dataclass(frozen=True, slots=True)
class Durable:
    """A durable that is there.

    `lanes`: how many its service ran with (None: from before that was noted); `heard`: None for "any".
    """

    name: str
    lanes: int | None
    heard: frozenset[int] | None
    acknowledged: int
    is_read: bool
    config: Mapping[str, Any] = field(repr=False)

    @property
    def least_lanes(self) -> int:
        """How many lanes there are at least, by the name."""
        lane = self.name.rpartition("-")[2]
        return int(lane) + 1 if lane.isdigit() else 1


@dataclass(frozen=True, slots=True)
class Survey:
    """The stream, and the durables of one service on it."""

    stream: StreamState
    durables: tuple[Durable, ...]


async def survey(broker: Broker, spec: ConsumerSpec) -> Survey:
    """Ask the server. Raises BrokerUnavailable or ApiRefused, and LanesDiffer when another process of the service reads
    in other lanes.
    """
    info = await broker.request(f"STREAM.INFO.{spec.stream}", {"subjects_filter": ">"})
    durables = tuple(
        [
            durable
            for name in await _names(broker, spec)
            if (durable := await _durable(broker, spec.stream, name)) is not None
        ]
    )
    if others := [durable for durable in durables if durable.is_read and _is_of_other_lanes(durable, spec)]:
        raise LanesDiffer(spec.lanes, max(durable.lanes or durable.least_lanes for durable in others))
    state = info["state"]
    numbers = [number for subject in state.get("subjects") or () if (number := _lane_of(subject)) is not None]
    last = Mark(state["last_seq"], max(read_moment(state["last_ts"]), datetime.fromtimestamp(0, UTC)))
    return Survey(StreamState(spec.stream, last, 1 + max(numbers, default=0), _acknowledged(durables)), durables)


async def lay(broker: Broker, spec: ConsumerSpec, found: Survey, opening: Opening, config: Mapping[str, Any]) -> None:
    """Make the durable of `spec`, or bring it to `config`; those of other lanes go.

    It hears what it is to hear from where it was applied.
    """
    own = None
    for durable in found.durables:
        if durable.name == spec.durable and _hears(durable, spec, opening):
            own = durable
        elif durable.name == spec.durable or durable.name not in spec.siblings:
            # a sibling's own lane brings it up to date
            await _remove(broker, spec.stream, durable.name)
    if own is None:
        start = await _start(broker, spec.stream, opening.floor)
        heard: Iterable[int] = opening.heard
    else:  # where a durable began cannot be changed, nor may it hear less than it did: another process may rely on it
        start = {
            name: value
            for name, value in own.config.items()
            if name in ("deliver_policy", "opt_start_seq", "opt_start_time")
        }
        heard = {*opening.heard, *(own.heard or ())}
    whole = {**config, **start, "filter_subjects": spec.filters(heard), "metadata": {_LANES: str(spec.lanes)}}
    await broker.request(
        f"CONSUMER.CREATE.{spec.stream}.{spec.durable}", {"stream_name": spec.stream, "action": "", "config": whole}
    )


def _is_of_other_lanes(durable: Durable, spec: ConsumerSpec) -> bool:
    if durable.lanes is not None:
        return durable.lanes != spec.lanes
    return durable.name not in spec.siblings


def _hears(durable: Durable, spec: ConsumerSpec, opening: Opening) -> bool:
    """Whether the durable has heard all of the lane numbers from its beginning on: one that is added later would be
    heard from there on only.
    """
    is_any = durable.heard is None or not any(LANE in subject for subject in spec.subjects)
    return is_any or frozenset(opening.heard) <= (durable.heard or frozenset())


async def _start(broker: Broker, stream: str, floor: Mark | None) -> dict[str, Any]:
    """Behind the floor, if the stream is still the one that it was counted in; else at the beginning, and what was
    applied is skipped.
    """
    if floor is None or floor.sequence == 0:
        return {"deliver_policy": "all"}
    message = await message_at(broker, stream, floor.sequence)
    if message is None or message.timestamp > floor.stored_at + _ROUNDING:
        log.warning("stream.changed", stream=stream, sequence=floor.sequence)
        return {"deliver_policy": "all"}
    return {"deliver_policy": "by_start_sequence", "opt_start_seq": floor.sequence + 1}


async def _names(broker: Broker, spec: ConsumerSpec) -> list[str]:
    own = re.compile(rf"{re.escape(spec.service)}(-\d+)?")
    answer = await broker.request(f"CONSUMER.NAMES.{spec.stream}")
    return [name for name in answer.get("consumers") or () if own.fullmatch(name)]


async def _durable(broker: Broker, stream: str, name: str) -> Durable | None:
    try:
        info = await broker.request(f"CONSUMER.INFO.{stream}.{name}")
    except ApiRefused as refusal:
        if refusal.code == _NO_SUCH_CONSUMER:
            return None
        raise
    config = info["config"]
    lanes = (config.get("metadata") or {}).get(_LANES)
    return Durable(
        name=name,
        lanes=None if lanes is None else int(lanes),
        heard=_heard(config),
        acknowledged=info["ack_floor"]["stream_seq"],
        is_read=info["num_waiting"] > 0,
        config=config,
    )


async def _remove(broker: Broker, stream: str, name: str) -> None:
    log.info("consumer.removed", stream=stream, consumer=name)
    with contextlib.suppress(ApiRefused):  # another lane of this process was quicker
        await broker.request(f"CONSUMER.DELETE.{stream}.{name}")


def _heard(config: Mapping[str, Any]) -> frozenset[int] | None:
    filters = config.get("filter_subjects") or [config.get("filter_subject", ">")]
    numbers = [_lane_of(subject) for subject in filters]
    return None if None in numbers else frozenset(number for number in numbers if number is not None)


def _acknowledged(durables: Iterable[Durable]) -> dict[int, int]:
    """What one of several acknowledged is applied: the highest counts."""
    found: dict[int, int] = {}
    for durable in durables:
        for lane in durable.heard or ():
            found[lane] = max(found.get(lane, 0), durable.acknowledged)
    return found


def _lane_of(subject: str) -> int | None:
    lane = subject.rpartition(".")[2]
    return int(lane) if lane.isascii() and lane.isdigit() and int(lane) < LANES else None
