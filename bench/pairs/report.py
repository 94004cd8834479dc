"""What a run found, for machines (JSON) and for readers (text)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.pairs.comparison import Comparison, Ratio
from bench.pairs.figures import figure
from bench.pairs.spread import Spread

Json = dict[str, Any]


def write(path: Path, machine: Mapping[str, Any], comparisons: Sequence[Comparison]) -> None:
    """The whole file or the former one: a run that is broken off leaves no half of a report."""
    fresh = path.with_suffix(".part")
    fresh.write_text(
        json.dumps({"machine": dict(machine), "scenarios": [as_json(one) for one in comparisons]}, indent=1) + "\n"
    )
    fresh.replace(path)


def as_json(one: Comparison) -> Json:
    return {
        "scenario": one.scenario,
        "rounds": one.rounds,
        "figures": {
            who: {name: {"unit": figure(name).unit, **_numbers(of)} for name, of in taken.items()}
            for who, taken in one.figures.items()
        },
        "ratios": [_ratio(ratio) for ratio in one.ratios],
        "limits": [
            {"figure": limit.figure, "at_most": limit.value, "is_met": ours.median <= limit.value}
            for limit, ours in one.limits
        ],
        "regressions": [f"{ratio.figure} against {ratio.theirs}" for ratio in one.regressions()],
        "complaints": list(one.complaints),
    }


def summary(one: Comparison) -> str:
    """A table of medians with their spread, one line a figure; then what the ratios say."""
    return "\n".join(
        [
            f"== {one.scenario} ({one.rounds} rounds; median, lowest to highest)",
            *_table(one),
            *_said(one),
            *_limited(one),
            *_complained(one),
        ]
    )


def _table(one: Comparison) -> Iterator[str]:
    names = sorted({name for taken in one.figures.values() for name in taken}, key=_order)
    for name in names:
        cells = [f"{who} {_shown(taken[name])}" for who, taken in one.figures.items() if name in taken]
        yield f"  {name:<18} {'   '.join(cells)}   {figure(name).unit}"


def _said(one: Comparison) -> Iterator[str]:
    for ratio in sorted(one.ratios, key=lambda ratio: (ratio.theirs, _order(ratio.figure))):
        words = [f"  {ratio.figure} / {ratio.theirs}: {_shown(ratio.spread)}"]
        if ratio.verdict is not None:
            words.append(ratio.verdict.value)
        if ratio.goal is not None:
            words.append(f"goal {ratio.goal.ratio:g} {'met' if ratio.is_goal_met else 'missed'}")
        yield "   ".join(words)


def _limited(one: Comparison) -> Iterator[str]:
    for limit, ours in one.limits:
        is_met = ours.median <= limit.value
        yield (
            f"  {limit.figure}: {_number(ours.median)} {figure(limit.figure).unit}   goal {limit.value:g}"
            f" {'met' if is_met else 'missed'}"
        )


def _complained(one: Comparison) -> Iterator[str]:
    yield from (f"  DOES NOT COUNT {complaint}" for complaint in one.complaints)


def _order(name: str) -> tuple[bool, str]:
    return not figure(name).is_judged, name


def _shown(spread: Spread) -> str:
    if len(spread.samples) == 1:
        return _number(spread.median)
    return f"{_number(spread.median)} ({_number(spread.low)} to {_number(spread.high)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _ratio(ratio: Ratio) -> Json:
    said: Json = {"figure": ratio.figure, "ours": ratio.ours, "theirs": ratio.theirs, **_numbers(ratio.spread)}
    said["interval"] = ratio.spread.interval()
    said["verdict"] = None if ratio.verdict is None else ratio.verdict.value
    if ratio.goal is not None:
        said |= {"goal": ratio.goal.ratio, "is_goal_met": ratio.is_goal_met}
    return said


def _numbers(spread: Spread) -> Json:
    """Rounded to six digits, which is more than anybody measures."""
    low, middle, high = (float(f"{value:.6g}") for value in (spread.low, spread.median, spread.high))
    return {
        "median": middle,
        "low": low,
        "high": high,
        "width": round(spread.width, 4),
        "samples": [float(f"{one:.6g}") for one in spread.samples],
    }
