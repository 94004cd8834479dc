"""What is compared with what: stages that are put up once, and the scenes played on each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.pairs import history, traffic
from bench.pairs.ceilings import JetStream, Upserts, jetstream, upserts
from bench.pairs.comparison import Goal, Limit, ReportCard
from bench.pairs.doors import CapturePort, bare_door, gateway_door
from bench.pairs.figures import CPU, LATE_CLAIM, MEMORY, P50, P99, RATE, START
from bench.pairs.line import Line
from bench.pairs.options import Options
from bench.pairs.turns import Contender, Measured
from bench.processes import is_supported, tree_proportional_bytes
from bench.suite import fresh_suite

BARE, JETSTREAM, UPSERTS = "bare endpoint", "raw JetStream", "raw upserts"
WARM_CAPTURES = 500
ALERT_RATES = {50: (45.0, 100.0), 200: (100.0, 250.0)}  # captures a second: p50 and p99 to reach, ms
DOOR_GOALS = {1: 0.85, 20: 0.55}  # events a request: rate / bare endpoint
LINE_GOAL, SCALE_GOAL, LATE_CLAIM_MS, START_SECONDS, MEMORY_MB = 0.30, 1.3, 5.0, 5.0, 450.0
FILL_PER_SECOND = 50  # slower than this a store is not filled in time


@dataclass(frozen=True)
class Scene:
    """Contenders who take turns, and what is asked of them."""

    card: ReportCard
    contenders: Sequence[Contender]


@dataclass(frozen=True)
class Stage:
    """The names of its scenes, and what puts all of them up and takes them down again."""

    scenes: tuple[str, ...]
    opened: Callable[[Options], AbstractContextManager[Sequence[Scene]]]


@contextmanager
def lines(options: Options) -> Iterator[Sequence[Scene]]:
    """Whole suites side by side; one rests while the other is measured.

    The ceilings take their turns in the same rounds.
    """
    with ExitStack() as stack:
        ours = {name: _warm(stack.enter_context(_line(root))) for name, root in options.roots.items()}
        bare, raw, rows = (
            stack.enter_context(bare_door()),
            stack.enter_context(jetstream()),
            stack.enter_context(upserts()),
        )
        ceilings = [
            Contender(BARE, partial(_loaded, bare, options.door_seconds, 1)),
            Contender(JETSTREAM, partial(_ceiling, raw, options.door_seconds)),
            Contender(UPSERTS, partial(_ceiling, rows, options.door_seconds)),
        ]
        web = [Contender(name, partial(_web, line, options.captures)) for name, line in ours.items()]
        new = [Contender(name, partial(_new, line, options.captures)) for name, line in ours.items()]
        goal = Goal(RATE.name, BARE, LINE_GOAL)
        yield [
            Scene(ReportCard("web", options.name, options.peers, (goal,)), [*web, *ceilings]),
            Scene(ReportCard("new", options.name, options.peers), new),
            *(_alerts(options, ours, rate, limits) for rate, limits in ALERT_RATES.items()),
        ]


def _alerts(options: Options, ours: dict[str, Line], rate: int, goals: tuple[float, float]) -> Scene:
    contenders = [Contender(name, partial(_steady, line, rate, options.seconds)) for name, line in ours.items()]
    limits = (Limit(P50.name, goals[0]), Limit(P99.name, goals[1]))
    return Scene(ReportCard(f"alerts-{rate}", options.name, options.peers, limits=limits), contenders)


def _steady(line: Line, rate: int, seconds: int, _: int) -> Measured:
    return line.alerts(rate, seconds)


def _web(line: Line, captures: int, turn: int) -> Measured:
    return line.through(traffic.web(f"web{turn}", captures))


def _new(line: Line, captures: int, turn: int) -> Measured:
    return line.through(traffic.new(f"new{turn}", captures))


@contextmanager
def _line(root: Path) -> Iterator[Line]:
    with fresh_suite(root) as target:
        yield Line(target, target.processes())


def _warm(line: Line) -> Line:
    """Caches filled, statements compiled, reps there."""
    line.alerts(20, 2)
    line.through(traffic.web("warm", WARM_CAPTURES))
    return line


@contextmanager
def doors(options: Options) -> Iterator[Sequence[Scene]]:
    """Gateways without services behind them, beside the bare endpoint."""
    with ExitStack() as stack:
        ours = {name: stack.enter_context(gateway_door(root)) for name, root in options.roots.items()}
        all_doors = {**ours, BARE: stack.enter_context(bare_door())}
        for door in all_doors.values():
            door.loaded(1.0, 1)
        yield [
            Scene(
                ReportCard(f"door-{per_request}", options.name, options.peers, (Goal(RATE.name, BARE, goal),)),
                [
                    Contender(name, partial(_loaded, door, options.door_seconds, per_request))
                    for name, door in all_doors.items()
                ],
            )
            for per_request, goal in DOOR_GOALS.items()
        ]


def _loaded(door: CapturePort, seconds: float, per_request: int, _: int) -> Measured:
    return door.loaded(seconds, per_request)


def _ceiling(raw: JetStream | Upserts, seconds: float, _: int) -> Measured:
    return raw.measure(seconds)


@contextmanager
def starts(options: Options) -> Iterator[Sequence[Scene]]:
    """A fresh suite every time: until it is ready, and what it takes then."""
    limits = (Limit(START.name, START_SECONDS), Limit(MEMORY.name, MEMORY_MB))
    contenders = [Contender(name, partial(_started, root)) for name, root in options.roots.items()]
    yield [Scene(ReportCard("start", options.name, options.peers, limits=limits), contenders)]


def _started(root: Path, _: int) -> Measured:
    began = time.perf_counter()
    with fresh_suite(root) as target:
        values = {START.name: time.perf_counter() - began}
        if is_supported():
            values[MEMORY.name] = tree_proportional_bytes(target.keeper()) / 1e6
    return Measured(values)


@contextmanager
def scale(options: Options) -> Iterator[Sequence[Scene]]:
    """The same suite with few and with many people, who were put there through its doors: the larger one is compared
    with the smaller.
    """
    with ExitStack() as stack:
        contenders = []
        for people in options.people:
            line = stack.enter_context(_line(options.here))
            line.fill(traffic.filling("base", range(people)), 60 + people / FILL_PER_SECOND)
            contenders.append(Contender(f"{people:,} people", partial(_returning, line, people, options.captures)))
        small, large = contenders
        small.measure(-1)  # warm: the other has just been filled
        card = ReportCard("scale", large.name, goals=(Goal(CPU.name, small.name, SCALE_GOAL),))
        yield [Scene(card, [large, small])]


def _returning(line: Line, people: int, captures: int, turn: int) -> Measured:
    return line.through(traffic.returning(f"again{turn}", "base", people, captures))


@contextmanager
def histories(options: Options) -> Iterator[Sequence[Scene]]:
    """One more fact of somebody who has many, beside one who has few: scoring's own handlers on a store of this
    checkout.
    """
    few, many = (Contender(f"{facts:,} facts", partial(history.measure, facts)) for facts in options.facts)
    yield [Scene(ReportCard("history", many.name, limits=(Limit(LATE_CLAIM.name, LATE_CLAIM_MS),)), [many, few])]


STAGES = (
    Stage(("web", "new", *(f"alerts-{rate}" for rate in ALERT_RATES)), lines),
    Stage(tuple(f"door-{per_request}" for per_request in DOOR_GOALS), doors),
    Stage(("start",), starts),
    Stage(("history",), histories),
    Stage(("scale",), scale),
)
SCENES = tuple(name for stage in STAGES for name in stage.scenes)
