"""`make bench`: the figures, each beside its ceiling or target; everything on loopback and of its own.

python -m bench [--only captures|pipeline|alerts|memory|bytes|folds ...]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable

from bench import bytes as kept
from bench import capture, folds, latency, memory, pipeline
from bench.suite import fresh_suite


def _memory() -> None:
    with fresh_suite() as target:
        print(memory.report(target), flush=True)


def _alerts() -> None:
    with fresh_suite() as target:
        asyncio.run(latency.measure(target, rate=50, seconds=3))  # warm: caches filled, statements compiled
        print(asyncio.run(latency.measure(target)).report(), flush=True)


def _pipeline() -> None:
    with fresh_suite() as target:
        asyncio.run(pipeline.measure(target, visitors=200))
        print(asyncio.run(pipeline.measure(target)).report(), flush=True)


def _captures() -> None:
    capture.main([])


def _bytes() -> None:
    with fresh_suite() as target:
        print("\n".join(asyncio.run(kept.measure(target))), flush=True)


FIGURES: dict[str, Callable[[], None]] = {
    "captures": _captures,
    "pipeline": _pipeline,
    "alerts": _alerts,
    "memory": _memory,
    "bytes": _bytes,
    "folds": folds.main,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=list(FIGURES), help="some of the figures")
    for name in parser.parse_args().only:
        FIGURES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
