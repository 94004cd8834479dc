"""`make bench`: pairs in one run, each figure beside its ceiling and beside another commit; `--only` prints single
figures, as they are.

python -m bench [--against COMMIT] [--scenes web new ...] [--rounds 5] [--report bench/report.json]
[--fail-on-regression] python -m bench --only captures|pipeline|alerts|memory|bytes|folds ...
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import bytes as kept
from bench import capture, folds, latency, memory, pipeline
from bench.pairs.checkout import NoSuchCommit, checkout, name_of
from bench.pairs.figures import TOLERANCE
from bench.pairs.options import Options
from bench.pairs.run import play
from bench.pairs.scenes import SCENES
from bench.suite import ROOT, fresh_suite

REPORT = Path(__file__).resolve().parent / "report.json"


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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    arguments = _arguments()
    for name in arguments.only or ():
        FIGURES[name]()
    return 0 if arguments.only else _pairs(arguments)


def _pairs(arguments: argparse.Namespace) -> int:
    """1 where a regression was found and that was to be told."""
    with ExitStack() as stack:
        against = stack.enter_context(checkout(ROOT, arguments.against)) if arguments.against else None
        options = Options(
            here=ROOT,
            name=_ours(),
            against=against,
            against_name=name_of(ROOT, arguments.against) if arguments.against else "",
            rounds=arguments.rounds,
            captures=arguments.captures,
            seconds=arguments.seconds,
            people=(arguments.people[0], arguments.people[-1]),
            tolerance=arguments.tolerance,
        )
        done = play(options, arguments.scenes, arguments.report, arguments.minutes)
    worse = [
        f"{one.scenario}: {ratio.figure} {ratio.spread.median:.2f} of {ratio.theirs}"
        for one in done
        for ratio in one.regressions()
    ]
    print("\n".join(["regressions:", *(f"  {one}" for one in worse)]) if worse else "no regression found", flush=True)
    print(f"report: {arguments.report}", flush=True)
    return 1 if worse and arguments.fail_on_regression else 0


def _ours() -> str:
    try:
        return f"this {name_of(ROOT)}"
    except (NoSuchCommit, FileNotFoundError):
        return "this"  # a copy without its history


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--only", nargs="+", choices=FIGURES, help="single figures instead of pairs")
    parser.add_argument(
        "--against", metavar="COMMIT", help="another commit of this repository, to be measured in turns with this one"
    )
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=list(SCENES), help="some of the scenes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--captures", type=int, default=3_000, help="of one turn of web, new and scale")
    parser.add_argument("--seconds", type=int, default=10, help="of one turn of alerts")
    parser.add_argument(
        "--people", type=int, nargs=2, default=[10_000, 50_000], metavar=("FEW", "MANY"), help="in the stores of scale"
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        help="a ratio beyond 1 + this is a regression, if the rounds agree",
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="no round begins later than this")
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--fail-on-regression", action="store_true", help="exit with 1")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NoSuchCommit as error:
        sys.exit(f"bench: {error}")
