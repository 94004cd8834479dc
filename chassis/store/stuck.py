"""What a store holds that could not go on, and bringing it back.

`python -m chassis.store.stuck list | show N | put-back (N ... | --all) | retry-timers`

Events that the broker refused go back into the outbox, at its end, when the cause is gone; what is refused again is set
aside again. Timers whose handler keeps failing are tried by themselves, an hour apart at most; `retry-timers` has them
fire now. The service may run meanwhile: it looks again within some seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from chassis.store import refused_events, timers
from chassis.store.database import Database
from chassis.store.errors import StoreUnavailable
from chassis.terminal import plain_json

_MOST_LISTED = 1_000


class NothingSuch(Exception):
    """There is no refused event of this number."""


async def run(database: Database, arguments: argparse.Namespace, out: TextIO) -> None:
    """Do what `arguments` (see `parse`) say; one JSON object a line goes to `out`. Raises NothingSuch."""
    match arguments.command:
        case "list":
            await _list(database, out)
        case "show":
            await _show(database, arguments.number, out)
        case "put-back":
            await _put_back(database, arguments, out)
        case "retry-timers":
            async with database.begin() as session:
                _write(out, {"retried": await timers.retry_failing(session)})


async def _list(database: Database, out: TextIO) -> None:
    async with database.read() as session:
        events, failing = await refused_events.listed(session), await timers.list_failing(session, _MOST_LISTED)
    for event in events:
        _write(out, event._asdict())
    for timer in failing:
        _write(out, {"timer": timer.kind} | timer._asdict())


async def _show(database: Database, number: int, out: TextIO) -> None:
    async with database.read() as session:
        event = await refused_events.load(session, number)
    if event is None:
        raise NothingSuch(f"there is no refused event {number}")
    _write(out, event._asdict() | {"body": event.body.decode("utf-8", "replace")})


async def _put_back(database: Database, arguments: argparse.Namespace, out: TextIO) -> None:
    async with database.begin() as session:
        wanted = (
            [event.number for event in await refused_events.listed(session)] if arguments.all else arguments.numbers
        )
        found = await refused_events.put_back(session, wanted)
    for number in found:
        _write(out, {"put_back": number})
    if missing := sorted(set(wanted) - set(found)):
        raise NothingSuch(f"there is no refused event {', '.join(map(str, missing))}")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line. Exits with 2 and an explanation when it is none."""
    parser = argparse.ArgumentParser(
        prog="python -m chassis.store.stuck", description="Refused events and failing timers: list, show, bring back."
    )
    parser.add_argument(
        "--url", default=os.environ.get("DATABASE_URL"), help="the service's store; default: $DATABASE_URL"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what could not go on, and why")
    showing = commands.add_parser("show", help="one event with its headers and body")
    showing.add_argument("number", type=int)
    putting = commands.add_parser("put-back", help="say refused events once more")
    which = putting.add_mutually_exclusive_group(required=True)
    which.add_argument("numbers", type=int, nargs="*", default=[], metavar="number")
    which.add_argument("--all", action="store_true")
    commands.add_parser("retry-timers", help="have timers that keep failing fire now")
    arguments = parser.parse_args(words)
    if not arguments.url:
        parser.error("give --url, or set DATABASE_URL")
    return arguments


async def main(words: Sequence[str], out: TextIO) -> int:
    """Open the store and run. The exit code: 0, or 1 with the reason on standard error."""
    arguments = parse(words)
    async with Database(arguments.url) as database:
        try:
            await run(database, arguments, out)
        except (NothingSuch, StoreUnavailable) as refusal:
            sys.stderr.write(f"{refusal}\n")
            return 1
    return 0


def _write(out: TextIO, fields: dict[str, Any]) -> None:
    out.write(plain_json(fields) + "\n")


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:], sys.stdout)))
