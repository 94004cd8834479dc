"""A line of services, played message by message: does the arithmetic hold where batches, lanes and chance meet?

Captures come by a Poisson process and belong to visitors of whom few are busy and many are not; a visitor's lane is a
hash. A process takes what waits in its lanes, one lane after the other, at most a batch of each; a batch costs its own
share and one for each message, and a lane whose batch was not full rests as long as that took, at most REST_SECONDS
(`rest_ms`). Whoever hears of it is told when the batch is done. Only CPU is counted: no disk, no network.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from bench.scale.costs import BATCH, SERVICES, ServiceCost

HEARS = {"identity": ("scoring", "metrics"), "scoring": ("lifecycle",), "lifecycle": ("nurture", "routing")}
"""Who is told when a service is done with a message. Nobody tells identity but the gateway."""
REST_SECONDS = 0.01
_VISITORS = 20_000
_SKEW = 1.1  # visitor n is so much rarer than the first: 1 / n ** skew


@dataclass(frozen=True, slots=True)
class ServiceOutcome:
    """What came of one service: how busy its processes were (0 .. 1), messages a batch, and the age of what was done,
    in seconds since its capture came in.
    """

    busy: float
    batch: float
    p50: float
    p99: float
    waiting: int  # messages that waited when the last capture had come


@dataclass(slots=True)
class _Lane:
    """What waits in one lane, and until when it rests."""

    waiting: deque[tuple[float, int]] = field(default_factory=deque)
    rests_until: float = 0.0


@dataclass(slots=True)
class _Process:
    """One process of a service: its lanes, and until when it is at work."""

    name: str
    lanes: list[_Lane]
    is_called: bool = False  # something is due that makes it look at its lanes
    turn: int = 0
    worked: float = 0.0
    batches: int = 0
    ages: list[float] = field(default_factory=list)

    @property
    def cost(self) -> ServiceCost:
        return SERVICES[self.name]

    def next_lane(self, now: float) -> _Lane | None:
        """The next that has something and does not rest."""
        for step in range(len(self.lanes)):
            lane = self.lanes[(self.turn + step) % len(self.lanes)]
            if lane.waiting and lane.rests_until <= now:
                self.turn = (self.turn + step + 1) % len(self.lanes)
                return lane
        return None

    def wakes_at(self) -> float | None:
        """When the first lane that has something has rested."""
        return min((lane.rests_until for lane in self.lanes if lane.waiting), default=None)


class _Line:
    """All processes, and what is due next: batches that end, and lanes that have rested."""

    def __init__(self, shards: Mapping[str, int], lanes: int, dice: random.Random) -> None:
        self.dice, self.lanes = dice, lanes
        self.services = {
            name: [_Process(name, [_Lane() for _ in range(lanes // shards[name])]) for _ in range(shards[name])]
            for name in SERVICES
        }
        self.due: list[tuple[float, int, _Process, list[tuple[float, int]]]] = []
        self.order = 0

    def give(self, name: str, message: tuple[float, int], now: float) -> None:
        """A message for a service, of which it hears its share."""
        if self.dice.random() >= SERVICES[name].heard / _share_before(name):
            return
        number, processes = message[1] % self.lanes, self.services[name]
        process = processes[number % len(processes)]
        process.lanes[number // len(processes) % len(process.lanes)].waiting.append(message)
        if not process.is_called:
            self._look(process, now)

    def run_until(self, moment: float) -> None:
        """All that is due by then."""
        while self.due and self.due[0][0] <= moment:
            now, _, process, batch = heapq.heappop(self.due)
            process.ages += [now - came for came, _ in batch]
            for message in batch:
                for hearer in HEARS.get(process.name, ()):
                    self.give(hearer, message, now)
            self._look(process, now)

    def _look(self, process: _Process, now: float) -> None:
        """Begin a batch, or come back when a lane has rested."""
        lane, wake = process.next_lane(now), process.wakes_at()
        process.is_called = wake is not None
        if lane is not None:
            self._begin(process, lane, now)
        elif wake is not None:
            self._call(wake, process, [])

    def _begin(self, process: _Process, lane: _Lane, now: float) -> None:
        batch = [lane.waiting.popleft() for _ in range(min(BATCH, len(lane.waiting)))]
        seconds = process.cost.batch_of(len(batch)) / 1000
        if len(batch) < BATCH:
            lane.rests_until = now + seconds + min(seconds, REST_SECONDS)
        process.worked += seconds
        process.batches += 1
        self._call(now + seconds, process, batch)

    def _call(self, moment: float, process: _Process, batch: list[tuple[float, int]]) -> None:
        self.order += 1
        heapq.heappush(self.due, (moment, self.order, process, batch))


def simulate(
    peak: float, seconds: float, shards: Mapping[str, int], lanes: int, dice: random.Random
) -> dict[str, ServiceOutcome]:
    """So many captures a second for so long, through `shards` processes of each service over `lanes` lanes."""
    line = _Line(shards, lanes, dice)
    for moment, visitor in _captures(peak, seconds, dice):
        line.run_until(moment)
        line.give("identity", (moment, visitor), moment)
    line.run_until(seconds)
    return {name: _outcome(processes, seconds) for name, processes in line.services.items()}


def _share_before(name: str) -> float:
    """Messages a capture makes for whoever tells `name`."""
    return next((SERVICES[teller].heard for teller, hearers in HEARS.items() if name in hearers), 1.0)


def _captures(peak: float, seconds: float, dice: random.Random) -> Iterator[tuple[float, int]]:
    weights = list(accumulate(1 / (number + 1) ** _SKEW for number in range(_VISITORS)))
    lane_of = [dice.getrandbits(30) for _ in range(_VISITORS)]
    moment = 0.0
    while (moment := moment + dice.expovariate(peak)) < seconds:
        yield moment, dice.choices(lane_of, cum_weights=weights)[0]


def _outcome(processes: list[_Process], seconds: float) -> ServiceOutcome:
    ages = sorted(age for process in processes for age in process.ages) or [0.0]
    batches = sum(process.batches for process in processes)
    return ServiceOutcome(
        busy=sum(min(process.worked, seconds) for process in processes) / seconds / len(processes),
        batch=len(ages) / max(batches, 1),
        p50=ages[len(ages) // 2],
        p99=ages[int(len(ages) * 0.99)],
        waiting=sum(len(lane.waiting) for process in processes for lane in process.lanes),
    )
