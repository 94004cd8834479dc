"""Dead letters over NATS, for the commands that deal with them. With NATS's client: those import it that need it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from chassis.bus import dead
from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from cli.bus import BusUnreachable, bus
from cli.installation import installation
from cli.output import fail

_Found = TypeVar("_Found")


def listed(var: Path, service: str | None, as_json: bool) -> list[dict[str, Any]]:
    """All of them, as they are listed."""
    found = _on_bus(var, lambda broker: dead.letters(broker, service), as_json)
    return [dead.describe(letter) for letter in found]


def shown(var: Path, number: int, as_json: bool) -> dict[str, Any]:
    """One with its headers and body."""
    letter = _on_bus(var, lambda broker: dead.letter_at(broker, number), as_json)
    body = letter.original.body.decode("utf-8", "replace")
    return {**dead.describe(letter), "headers": dict(letter.original.headers), "body": body}


def sent_again(var: Path, numbers: list[int] | None, service: str | None, as_json: bool) -> dict[str, Any]:
    """Which are on their way again, and which cannot be."""
    sent, refused = _on_bus(var, lambda broker: replayed(broker, numbers, service), as_json)
    return {"replayed": sent, "refused": refused}


async def replayed(
    broker: Broker, numbers: list[int] | None, service: str | None
) -> tuple[list[int], list[dict[str, Any]]]:
    """Send letters again: the numbers of those that are on their way, and those that cannot be, each with its reason.

    Raises LetterRefused for a number that is none.
    """
    every = await dead.letters(broker, service) if numbers is None else []
    chosen = every or [await dead.letter_at(broker, number) for number in numbers or []]
    sent, refused = [], []
    for letter in chosen:
        if service in (None, letter.service):
            try:
                await dead.replay(broker, letter)
                sent.append(letter.letter)
            except dead.LetterRefused as refusal:
                refused.append({"letter": letter.letter, "reason": str(refusal)})
    return sent, refused


def _on_bus(var: Path, work: Callable[[Broker], Awaitable[_Found]], as_json: bool) -> _Found:
    url = installation(var).need("RAPPORT_OPERATOR_NATS_URL", as_json=as_json)

    async def run() -> _Found:
        async with bus(url) as broker:
            return await work(broker)

    try:
        return asyncio.run(run())
    except BusUnreachable as error:
        fail(str(error), "Is the suite up? `rapport doctor` looks.", as_json=as_json)
    except (dead.LetterRefused, BrokerUnavailable, ApiRefused) as refusal:
        fail(str(refusal), as_json=as_json)
