"""Turns made into comparisons: our figures beside everybody else's of the same rounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.pairs.figures import TOLERANCE, Figure, Verdict, figure, verdict
from bench.pairs.spread import Spread, ratios
from bench.pairs.turns import Turn

Samples = dict[str, dict[str, dict[int, float]]]  # contender, figure, round


@dataclass(frozen=True)
class Goal:
    """What a ratio should be: at most or at least, as better is less or more."""

    figure: str
    against: str
    ratio: float

    def is_met(self, what: Figure, ratio: Spread) -> bool:
        return ratio.median <= self.ratio if what.less_is_better else ratio.median >= self.ratio


@dataclass(frozen=True)
class Limit:
    """What our own figure should be at most, whoever else is there."""

    figure: str
    value: float


@dataclass(frozen=True)
class Ratio:
    """Ours over theirs of one figure.

    A verdict is passed on peers alone: nobody regresses against a ceiling, but there may be a goal.
    """

    figure: str
    ours: str
    theirs: str
    spread: Spread
    verdict: Verdict | None
    goal: Goal | None

    @property
    def is_goal_met(self) -> bool | None:
        return None if self.goal is None else self.goal.is_met(figure(self.figure), self.spread)


@dataclass(frozen=True)
class Comparison:
    """All that one scenario has shown."""

    scenario: str
    rounds: int
    figures: Mapping[str, Mapping[str, Spread]]  # contender, figure
    ratios: tuple[Ratio, ...]
    limits: tuple[tuple[Limit, Spread], ...]  # and ours
    complaints: tuple[str, ...]

    def regressions(self) -> tuple[Ratio, ...]:
        return tuple(one for one in self.ratios if one.verdict is Verdict.WORSE)


@dataclass(frozen=True)
class ReportCard:
    """Who meets whom: `ours` is compared with each of `peers` (is it worse?) and with everybody else, who are
    ceilings.
    """

    scenario: str
    ours: str
    peers: frozenset[str] = frozenset()
    goals: tuple[Goal, ...] = ()
    limits: tuple[Limit, ...] = ()


def compare(card: ReportCard, turns: Sequence[Turn], tolerance: float = TOLERANCE) -> Comparison:
    """A turn with a complaint is shown, and compared with nothing."""
    samples = _samples(turns)
    figures = {
        who: {name: Spread.of(list(of.values())) for name, of in taken.items()} for who, taken in samples.items()
    }
    others = [who for who in samples if who != card.ours]
    found = tuple(ratio for other in others for ratio in _against(card, samples, other, tolerance))
    limits = tuple(
        (limit, figures[card.ours][limit.figure]) for limit in card.limits if limit.figure in figures.get(card.ours, {})
    )
    complaints = tuple(
        f"{turn.contender}, round {turn.round + 1}: {turn.measured.complaint}"
        for turn in turns
        if turn.measured.complaint
    )
    return Comparison(card.scenario, len({turn.round for turn in turns}), figures, found, limits, complaints)


def _samples(turns: Sequence[Turn]) -> Samples:
    samples: Samples = {}
    for turn in turns:
        if turn.measured.complaint:
            continue
        for name, value in turn.measured.values.items():
            samples.setdefault(turn.contender, {}).setdefault(name, {})[turn.round] = value
    return samples


def _against(card: ReportCard, samples: Samples, other: str, tolerance: float) -> Iterator[Ratio]:
    ours, theirs = samples.get(card.ours, {}), samples[other]
    for name in ours.keys() & theirs.keys():
        spread = ratios(ours[name], theirs[name])
        if spread is not None:
            what = figure(name)
            passed = verdict(what, spread, tolerance) if other in card.peers and what.is_judged else None
            goal = next((goal for goal in card.goals if (goal.figure, goal.against) == (name, other)), None)
            yield Ratio(name, card.ours, other, spread, passed, goal)
