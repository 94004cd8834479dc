"""`make demo`: bring the suite up, send an invented market through it, and show what came of it."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from demo.api import Api, Refused, check_services
from demo.cast.roster import SEATS, hire
from demo.closing_report import show
from demo.errors import Trouble
from demo.market.timeline import FEWEST, make_market
from demo.play import play
from demo.screen import say
from demo.setup import next_run, set_up
from demo.suite import DemoTarget, ready_suite

_MOST = 5_000
_INTERRUPTED = 130


def main() -> int:
    arguments = _arguments()
    # a shell ignores it for what it starts in the background; we mean it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        target = ready_suite(arguments.var.resolve(), arguments.port)
        asyncio.run(_run(target, arguments))
    except KeyboardInterrupt:
        say("\nstopped. The suite goes on; `make down` stops it.")
        return _INTERRUPTED
    except BaseException as error:  # tasks fail in groups
        reasons = [each for each in _leaves(error) if isinstance(each, Trouble | Refused)]
        if not reasons:
            raise
        say(f"\nthe demo ends here: {reasons[0]}")
        return 1
    return 0


async def _run(target: DemoTarget, arguments: argparse.Namespace) -> None:
    async with Api(target.url, target.api_key) as api:
        await check_services(api)
        run = await next_run(api)
        market = make_market(arguments.seed, run, arguments.people, datetime.now(UTC))
        setup = await set_up(api, market, run)
        hired = await hire(api)
        reps = ", ".join(f"{seat.name} ({seat.way.value})" for seat in SEATS)
        say(f"run {run}: {len(market.personas)} invented people, {market.size} captures, five weeks in about a minute")
        say(f"reps: {reps}\n")
        outcome = await play(api, market, setup, hired, arguments.rate)
        await show(api, target, outcome, hired)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="demo", description="Send an invented market through Rapport and show what came of it."
    )
    parser.add_argument(
        "--port", type=int, default=8080, help="the gateway's port if the suite has to be started; 0 takes any free one"
    )
    parser.add_argument("--var", type=Path, default=Path("var"), help="the suite's folder")
    parser.add_argument("--people", type=_people, default=300, help=f"how many come by: {FEWEST} to {_MOST}")
    parser.add_argument("--seed", default="kestrel", help="another word gives another market")
    parser.add_argument(
        "--rate", type=int, choices=range(1, 2001), metavar="RATE", default=60, help="the most captures a second"
    )
    return parser.parse_args()


def _people(text: str) -> int:
    if not text.isdigit() or not FEWEST <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"a whole number from {FEWEST} to {_MOST}, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
