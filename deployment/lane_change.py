"""From one number of lanes to another while everything runs: nothing is lost or repeated, and what is about one
fragment stays in order.

Two numbers travel apart for a moment, in steps. A number of lanes that is *heard* may change at any time: each message
keeps the number on its subject, and each number is read by one lane. The number that is *said* may change while it is
heard in a number that divides both: then old and new messages about one fragment are read by one lane, as they came.
Lanes are taken apart again when all that was said under the old numbers is applied.
"""

from __future__ import annotations

import asyncio
import math
import os
import stat
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.lanes import LanePlan
from deployment.nats_config import BUS_USERS, BusUser

_LOOK_SECONDS: Final = 0.2
_ASK_SECONDS: Final = 3.0
_QUIET_SECONDS: Final = 5.0  # somebody looks, and is told what is waited for


@dataclass(frozen=True, slots=True)
class LaneStep:
    """Everybody does as `plan` says; the next step begins when they do, and where it `settles`, when all that was said
    before is applied.
    """

    plan: LanePlan
    settles: bool = False

    def __str__(self) -> str:
        plan = self.plan
        words = f"say {plan.said}, hear {plan.heard}, know {plan.known}"
        return f"{words}, and wait until all that was said before is applied" if self.settles else words


def steps(now: LanePlan, lanes: int) -> list[LaneStep]:
    """The way from `now`, which a change that was interrupted may have left, to `lanes`; empty when it is there."""
    goal = LanePlan.of(lanes)
    if now == goal:
        return []
    way = [LaneStep(now, settles=True)] if now.said != now.heard or now.known != now.said else []
    if now.said != lanes:
        heard, known = math.gcd(now.said, lanes), max(now.said, lanes)
        gathered = LanePlan(now.said, heard, known)
        way += [LaneStep(gathered)] if gathered != now else []
        way.append(LaneStep(LanePlan(lanes, heard, known), settles=True))
    return [*way, *([LaneStep(goal)] if not way or way[-1].plan != goal else [])]


@dataclass(frozen=True, slots=True)
class Lag:
    """What one durable has before it."""

    stream: str
    durable: str
    waiting: int
    under_way: int


class ChangeNotInTime(Exception):
    """A step was not done in time; it may be done again."""


class LanedSuite:
    """What is asked while lanes change: `urls` of all processes by name, and NATS as the observer sees it."""

    def __init__(self, broker: Broker, session: aiohttp.ClientSession, urls: Mapping[str, str]) -> None:
        self._broker, self._session, self._urls = broker, session, urls

    async def lags(self) -> list[Lag]:
        """What each durable of the services has before it."""
        return [
            Lag(stream, one["name"], one["num_pending"], one["num_ack_pending"])
            for stream, found in (await self._durables()).items()
            for one in found
            if _owner(one["name"]) is not None
        ]

    async def unread(self, plan: LanePlan) -> list[str]:
        """The lanes of `plan` that are not read yet, with all their numbers."""
        found = {(stream, one["name"]): one for stream, all_of in (await self._durables()).items() for one in all_of}
        return [
            f"{stream}/{name}"
            for user in BUS_USERS
            for stream in map(str.upper, user.hears)
            for lane, name in enumerate(durables(user, plan.heard))
            if not _reads(found.get((stream, name)), lane, plan)
        ]

    async def unsaid(self, plan: LanePlan) -> list[str]:
        """The processes that do not say by `plan` yet."""
        told = await self._told()
        return sorted(name for name, answer in told.items() if not answer or answer["said"] != plan.said)

    async def outboxes(self, seconds: float) -> list[str]:
        """The processes that have something to say since before the last `seconds`."""
        told = await self._told()
        return sorted(name for name, answer in told.items() if not answer or answer["waiting_seconds"] >= seconds)

    async def ends(self) -> dict[str, int]:
        """The last sequence of each stream."""
        return {
            stream: (await self._broker.request(f"STREAM.INFO.{stream}"))["state"]["last_seq"] for stream in _streams()
        }

    async def unapplied(self, ends: Mapping[str, int]) -> list[str]:
        """The durables that have not applied all up to `ends`."""
        return [
            f"{stream}/{one['name']}"
            for stream, found in (await self._durables()).items()
            for one in found
            if _owner(one["name"]) is not None
            and (one["num_pending"] or one["num_ack_pending"])
            and one["ack_floor"]["stream_seq"] < ends[stream]
        ]

    async def _durables(self) -> dict[str, list[dict[str, Any]]]:
        return {stream: await self._durables_of(stream) for stream in _streams()}

    async def _durables_of(self, stream: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:  # they come in pages
            page = await self._broker.request(f"CONSUMER.LIST.{stream}", {"offset": len(found)})
            found += page.get("consumers") or []
            if len(found) >= page["total"] or not page.get("consumers"):
                return found

    async def _told(self) -> dict[str, dict[str, Any]]:
        answers = await asyncio.gather(*map(self._ask, self._urls.values()))
        return dict(zip(self._urls, answers, strict=True))

    async def _ask(self, url: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_ASK_SECONDS), self._session.get(f"{url}/lanesz") as answer:
                answer.raise_for_status()
                told: dict[str, Any] = await answer.json()
                return told
        except (aiohttp.ClientError, TimeoutError):
            return {}


async def change(
    installation: LanedSuite,
    path: Path,
    way: Sequence[LaneStep],
    *,
    within: float,
    tell: Callable[[str], None],
) -> None:
    """Go `way`, each step by writing its plan to `path`; `tell` hears what is waited for. Raises ChangeNotInTime."""
    end = time.monotonic() + within
    for step in way:
        tell(str(step))
        write_plan(path, step.plan)
        for what, ask in _questions(installation, step):
            await _until_nobody(ask, what, end, tell)


def _questions(installation: LanedSuite, step: LaneStep) -> list[tuple[str, Callable[[], Awaitable[list[str]]]]]:
    began: list[float] = []
    ends: dict[str, int] = {}

    async def outboxes() -> list[str]:
        began.append(time.monotonic())
        return await installation.outboxes(time.monotonic() - began[0])

    async def unapplied() -> list[str]:
        ends.update({} if ends else await installation.ends())
        return await installation.unapplied(ends)

    told: list[tuple[str, Callable[[], Awaitable[list[str]]]]] = [
        ("not yet said so by", lambda: installation.unsaid(step.plan)),
        ("not yet read", lambda: installation.unread(step.plan)),
    ]
    return [*told, ("not yet published by", outboxes), ("not yet applied", unapplied)] if step.settles else told


async def _until_nobody(
    ask: Callable[[], Awaitable[list[str]]], what: str, end: float, tell: Callable[[str], None]
) -> None:
    told_at = time.monotonic()
    while True:
        try:
            found = await ask()
        except (BrokerUnavailable, ApiRefused) as error:
            found = [str(error)]
        if not found:
            return
        if time.monotonic() > end:
            raise ChangeNotInTime(f"{what}: {', '.join(found)}")
        if time.monotonic() > told_at + _QUIET_SECONDS:
            told_at = time.monotonic()
            tell(f"  {what}: {', '.join(found)}")
        await asyncio.sleep(_LOOK_SECONDS)


def write_plan(path: Path, plan: LanePlan) -> None:
    """Whole or not at all: processes look at it at any moment. Its owner's alone, where nobody widened it."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(plan.written())
            file.flush()
            os.fsync(descriptor)
        if path.exists():
            fresh.chmod(stat.S_IMODE(path.stat().st_mode))  # other users' processes may read a file that is shared
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def durables(user: BusUser, lanes: int) -> list[str]:
    """The names of its durables, when it hears in so many lanes."""
    return [user.name] if lanes == 1 else [f"{user.name}-{lane}" for lane in range(lanes)]


def _streams() -> list[str]:
    return sorted({owner.upper() for user in BUS_USERS for owner in user.hears})


def _owner(durable: str) -> BusUser | None:
    name, _, lane = durable.partition("-")
    return next((user for user in BUS_USERS if user.name == name and (not lane or lane.isdigit())), None)


def _reads(durable: Mapping[str, Any] | None, lane: int, plan: LanePlan) -> bool:
    if durable is None:
        return False
    config = durable["config"]
    filters = config.get("filter_subjects") or [config.get("filter_subject", "")]
    heard = {int(last) for subject in filters if (last := subject.rpartition(".")[2]).isdigit()}
    wanted = {number for number in range(plan.known) if number % plan.heard == lane}
    return (config.get("metadata") or {}).get("lanes") == str(plan.heard) and wanted <= heard
