"""Pictures of a report: bars with their range and their goal, as SVG that a page shows as it is.

    python -m bench.plots FOLDER REPORT...

Of several reports the last one that has a scene counts for it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_LABEL, _CHART, _VALUE, _ROW, _BAR, _TOP = 210, 420, 110, 26, 14, 64
_COLOURS = ("#2563eb", "#94a3b8", "#d97706")
_WIDTH = _LABEL + _CHART + _VALUE


@dataclass(frozen=True)
class Bar:
    """One figure: median, and from the lowest to the highest round."""

    label: str
    series: str
    median: float
    low: float
    high: float
    goal: float | None = None


def picture(title: str, unit: str, bars: Sequence[Bar]) -> str:
    """Horizontal bars from zero; a red stroke is the goal.

    Series are told apart by colour, and by their name beside it.
    """
    most = max(max(bar.high, bar.goal or 0.0) for bar in bars) or 1.0
    series = list(dict.fromkeys(bar.series for bar in bars))
    height = _TOP + _ROW * len(bars) + 12
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif"'
                ' font-size="12" role="img">'
            ),
            f"<title>{escape(title)}</title>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="12" y="22" font-size="15" font-weight="bold" fill="#0f172a">{escape(title)}</text>',
            f'<text x="{_WIDTH - 12}" y="22" text-anchor="end" fill="#475569">{escape(unit)}</text>',
            *_legend(series, any(bar.goal is not None for bar in bars)),
            *(
                line
                for row, bar in enumerate(bars)
                for line in _row(bar, _TOP + _ROW * row, most, _COLOURS[series.index(bar.series) % len(_COLOURS)])
            ),
            "</svg>\n",
        ]
    )


def pictures(scenes: dict[str, Json]) -> dict[str, str]:
    """File name -> picture, of what the scenes have."""
    made = {}
    for name, title, unit, bars in (
        (
            "cpu-by-process",
            "Web traffic: CPU of a capture, by process",
            "CPU-ms a capture",
            list(_by_process(scenes.get("web"))),
        ),
        (
            "latency",
            "From a capture being due to its alert",
            "ms",
            [bar for rate in (50, 200) for bar in _latencies(scenes, rate)],
        ),
        ("ceilings", "Rate, as a share of the bare endpoint of the same round", "ratio", list(_ceilings(scenes))),
    ):
        if bars:
            made[f"{name}.svg"] = picture(title, unit, bars)
    return made


def _legend(series: Sequence[str], has_goal: bool) -> Iterator[str]:
    x = 12
    for name, colour in zip(series, _COLOURS, strict=False):
        yield (
            f'<rect x="{x}" y="36" width="10" height="10" fill="{colour}"/><text x="{x + 14}" y="45"'
            f' fill="#475569">{escape(name)}</text>'
        )
        x += 34 + 7 * len(name)
    if has_goal:
        yield (
            f'<rect x="{x}" y="34" width="2" height="14" fill="#dc2626"/><text x="{x + 8}" y="45"'
            ' fill="#475569">goal</text>'
        )


def _row(bar: Bar, y: int, most: float, colour: str) -> Iterator[str]:
    low, median, high = (_LABEL + _CHART * value / most for value in (bar.low, bar.median, bar.high))
    middle = y + _BAR / 2
    yield f'<text x="{_LABEL - 8}" y="{middle + 4}" text-anchor="end" fill="#0f172a">{escape(bar.label)}</text>'
    yield f'<rect x="{_LABEL}" y="{y}" width="{median - _LABEL:.1f}" height="{_BAR}" fill="{colour}"/>'
    yield f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#0f172a"/>'
    if bar.goal is not None:
        yield (
            f'<rect x="{_LABEL + _CHART * bar.goal / most:.1f}" y="{y - 3}" width="2" height="{_BAR + 6}"'
            ' fill="#dc2626"/>'
        )
    yield f'<text x="{max(high, median) + 6:.1f}" y="{middle + 4}" fill="#475569">{bar.median:.3g}</text>'


def _by_process(scene: Json | None) -> Iterator[Bar]:
    if scene is None:
        return
    suites = {who: taken for who, taken in scene["figures"].items() if "cpu of gateway" in taken}
    names = dict.fromkeys(name for taken in suites.values() for name in taken if name.startswith("cpu of "))
    for name in sorted(
        names, key=lambda name: -max(taken.get(name, {"median": 0})["median"] for taken in suites.values())
    ):
        for who, taken in suites.items():
            if taken.get(name, {"median": 0})["median"]:
                yield _bar(name.removeprefix("cpu of "), who, taken[name])


def _latencies(scenes: dict[str, Json], rate: int) -> Iterator[Bar]:
    scene = scenes.get(f"alerts-{rate}")
    if scene is None:
        return
    goals = {limit["figure"]: limit["at_most"] for limit in scene["limits"]}
    for figure, goal in goals.items():
        for who, taken in scene["figures"].items():
            yield _bar(f"{rate}/s, {figure}", who, taken[figure], goal)


def _ceilings(scenes: dict[str, Json]) -> Iterator[Bar]:
    for name, words in (
        ("web", "whole pipeline"),
        ("door-1", "door, one a request"),
        ("door-20", "door, twenty a request"),
    ):
        for ratio in scenes.get(name, {"ratios": ()})["ratios"]:
            if ratio["figure"] == "rate" and "goal" in ratio:
                yield _bar(words, ratio["ours"], ratio, ratio["goal"])


def _bar(label: str, series: str, numbers: Json, goal: float | None = None) -> Bar:
    # a report that is kept is not of a commit but of what it is kept with
    whose = "this" if series.startswith("this ") else series
    return Bar(label, whose, numbers["median"], numbers["low"], numbers["high"], goal)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.plots")
    parser.add_argument("folder", type=Path)
    parser.add_argument("reports", type=Path, nargs="+")
    arguments = parser.parse_args()
    scenes = {
        one["scenario"]: one for report in arguments.reports for one in json.loads(report.read_text())["scenarios"]
    }
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, svg in pictures(scenes).items():
        (arguments.folder / name).write_text(svg)


if __name__ == "__main__":
    main()
