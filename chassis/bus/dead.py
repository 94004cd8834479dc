"""Looking at dead letters and bringing them back: `python -m chassis.bus.dead list | show N | replay (N ... | --all)
[--service NAME]`, or, where the suite's folder is at hand, `rapport dead`.

A replay publishes the message on its original subject, marked for the service that gave it up and with the place
where it first stood. All other services pass over it; that one applies it once, because its store has a note of what
it gave up (table `dead_letter`), for ever. The letter is removed from DEAD after its message is on disk; a replay
that is cut short repeats messages and loses none.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import structlog

from chassis.bus.broker import Broker
from chassis.bus.dead_letters import DeadLetter, read_dead_letter, replay_of
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.bus.inspection import message_at, messages
from chassis.bus.streams import DEAD
from chassis.message import OutMessage
from chassis.terminal import plain_json, printable


class LetterRefused(Exception):
    """There is no such letter, or it cannot be brought back."""


async def letters(broker: Broker, service: str | None = None) -> list[DeadLetter]:
    """The dead letters there are, oldest first; of `service` only, if given."""
    found = [
        read_dead_letter(message.sequence, message.subject, message.headers, message.body)
        async for message in messages(broker, DEAD)
    ]
    return [letter for letter in found if service in (None, letter.service)]


async def letter_at(broker: Broker, number: int) -> DeadLetter:
    """Letter `number`. Raises LetterRefused when there is none."""
    message = await message_at(broker, DEAD, number)
    if message is None:
        raise LetterRefused(f"there is no letter {number}")
    return read_dead_letter(message.sequence, message.subject, message.headers, message.body)


async def replay(broker: Broker, letter: DeadLetter) -> None:
    """Publish the message again, then remove the letter.

    Raises LetterRefused when neither the letter nor the stream holds its body any more, or what says whose it is cannot
    be read.
    """
    if letter.unreadable:
        raise LetterRefused(f"letter {letter.letter} cannot be sent again: {letter.unreadable}")
    await broker.publish_batch([replay_of(letter, await _original(broker, letter))])
    await broker.request(f"STREAM.MSG.DELETE.{DEAD}", {"seq": letter.letter, "no_erase": True})


async def _original(broker: Broker, letter: DeadLetter) -> OutMessage:
    if letter.has_body:
        return letter.original
    stream, sequence, _ = letter.origin
    message = await message_at(broker, stream, sequence)
    if message is None:
        raise LetterRefused(f"letter {letter.letter} has no body, and {stream} holds no message {sequence} any more")
    return OutMessage(message.subject, message.headers, message.body)


def describe(letter: DeadLetter) -> dict[str, Any]:
    """The letter as it is listed: what failed, where and why; not what the message says, which may be personal."""
    return {
        "letter": letter.letter,
        "service": letter.service,
        "subject": letter.original.subject,
        "event_id": letter.original.headers.get("ce-id"),
        "reason": letter.reason,
        "died_at": letter.died_at,
        "stream": letter.origin.stream,
        "sequence": letter.origin.sequence,
    } | ({"unreadable": letter.unreadable} if letter.unreadable else {})


async def run(broker: Broker, arguments: argparse.Namespace, out: TextIO) -> None:
    """Do what `arguments` (see `parse`) say; one JSON object a line goes to `out`."""
    match arguments.command:
        case "list":
            found = await letters(broker, arguments.service)
            for letter in found:
                _write(out, describe(letter))
            if not found:
                sys.stderr.write("there is no dead letter\n")
        case "show":
            letter = await letter_at(broker, arguments.letter)
            body = letter.original.body.decode("utf-8", "replace")
            _write(out, {**describe(letter), "headers": dict(letter.original.headers), "body": body})
        case "replay":
            await _replay_chosen(broker, await _chosen(broker, arguments), out)


async def _replay_chosen(broker: Broker, chosen: Sequence[DeadLetter], out: TextIO) -> None:
    """All that can be, whichever cannot."""
    refused = []
    for letter in chosen:
        try:
            await replay(broker, letter)
            _write(out, {"replayed": letter.letter, "subject": letter.original.subject})
        except LetterRefused as refusal:
            refused.append(str(refusal))
    if refused:
        raise LetterRefused("; ".join(refused))


async def _chosen(broker: Broker, arguments: argparse.Namespace) -> list[DeadLetter]:
    if arguments.all:
        return await letters(broker, arguments.service)
    chosen = [await letter_at(broker, number) for number in arguments.letters]
    return [letter for letter in chosen if arguments.service in (None, letter.service)]


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line. Exits with 2 and an explanation when it is none."""
    parser = argparse.ArgumentParser(prog="python -m chassis.bus.dead", description="Dead letters: list, show, replay.")
    parser.add_argument(
        "--url", default=os.environ.get("NATS_URL", "nats://127.0.0.1:4222"), help="NATS; default: $NATS_URL"
    )
    parser.add_argument("--wait", type=float, default=5.0, metavar="SECONDS", help="for the connection")
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="what failed, where and why")
    listing.add_argument("--service", help="of this service only")
    showing = commands.add_parser("show", help="one letter with its headers and body")
    showing.add_argument("letter", type=int)
    replaying = commands.add_parser("replay", help="publish the messages again on their subjects")
    which = replaying.add_mutually_exclusive_group(required=True)
    which.add_argument("letters", type=int, nargs="*", default=[], metavar="letter")
    which.add_argument("--all", action="store_true")
    replaying.add_argument("--service", help="of this service only")
    return parser.parse_args(words)


async def main(words: Sequence[str], out: TextIO) -> int:
    """Connect and run. The exit code: 0, or 1 with the reason on standard error."""
    arguments = parse(words)
    try:
        async with asyncio.timeout(arguments.wait):
            broker = await Broker.connect(arguments.url, "dead-letters")
    except TimeoutError:
        sys.stderr.write("NATS is out of reach\n")  # without the address: it may hold a password
        return 1
    try:
        await run(broker, arguments, out)
    except (LetterRefused, BrokerUnavailable, ApiRefused) as refusal:
        sys.stderr.write(f"{printable(str(refusal))}\n")
        return 1
    finally:
        await broker.close()
    return 0


def _write(out: TextIO, fields: dict[str, Any]) -> None:
    out.write(plain_json(fields) + "\n")


if __name__ == "__main__":
    # its tries to reach NATS are no news to whoever asks once; what comes of them is said
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.exit(asyncio.run(main(sys.argv[1:], sys.stdout)))
