"""The figures that are compared, which way is better, and when a ratio is called a regression."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bench.pairs.spread import Spread

TOLERANCE = 0.10  # rounds of one commit against itself differ by about this much on a shared machine


class Verdict(StrEnum):
    """What a ratio says. UNCLEAR: beyond the tolerance, but the rounds do not agree well enough."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Figure:
    """`is_judged`: a figure of its own; others are parts of one, or only explain it."""

    name: str
    unit: str
    less_is_better: bool = True
    is_judged: bool = True


CPU = Figure("cpu", "CPU-ms a capture")
CPU_OF = "cpu of "  # and the process
RATE = Figure("rate", "a second", less_is_better=False)
GENERATOR = Figure("load generator", "CPU-ms a capture", is_judged=False)
P50, P99, ANSWER_P99 = Figure("p50", "ms"), Figure("p99", "ms"), Figure("answer p99", "ms", is_judged=False)
ROWS, STORE_BYTES, STREAM_BYTES = (
    Figure("rows", "a capture"),
    Figure("bytes in stores", "a capture"),
    Figure("bytes in streams", "a capture"),
)
MESSAGES = Figure("messages", "a capture", is_judged=False)
MEMORY, START = Figure("memory", "MB together"), Figure("start", "s", is_judged=False)
PAGE_VIEW, LATE_CLAIM, MERGE, SPLIT = HISTORY = tuple(
    Figure(name, "CPU-ms") for name in ("page view", "late claim", "merge", "split")
)
_KNOWN = {
    one.name: one
    for one in (
        *HISTORY,
        CPU,
        RATE,
        GENERATOR,
        P50,
        P99,
        ANSWER_P99,
        ROWS,
        STORE_BYTES,
        STREAM_BYTES,
        MESSAGES,
        MEMORY,
        START,
    )
}


def figure(name: str) -> Figure:
    """By its name; the CPU of one process is a part of CPU, and judged in the sum alone."""
    if name.startswith(CPU_OF):
        return Figure(name, CPU.unit, is_judged=False)
    return _KNOWN[name]


def verdict(what: Figure, ratio: Spread, tolerance: float = TOLERANCE) -> Verdict:
    """Ours / theirs. Something is only said where the median is beyond the tolerance and the rounds agree so well that
    1 is out of the question: three short rounds of equals are all on one side every fourth time.
    """
    middle = ratio.median if what.less_is_better else 1 / ratio.median if ratio.median else float("inf")
    if 1 / (1 + tolerance) <= middle <= 1 + tolerance:
        return Verdict.SAME
    interval = ratio.interval()
    if interval is None or interval[0] <= 1 <= interval[1]:
        return Verdict.UNCLEAR
    return Verdict.WORSE if middle > 1 else Verdict.BETTER
