"""In how many lanes a process speaks and hears; both can change while it runs.

All processes of an installation are told the same by one file, which each looks at now and then. How they are told, and
in which order so that nothing is lost, repeated or overtaken, is in `deployment.lane_change`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from chassis.fence import Fence
from contracts.limits import LANES

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.3


class LanePlanRefused(ValueError):
    """A file of lanes does not say what it should."""


@dataclass(frozen=True, slots=True)
class LanePlan:
    """`said`: into how many lanes events and captures go; `heard`: in how many a service reads; `known`: so many lane
    numbers it listens for, said or not.
    """

    said: int = 1
    heard: int = 1
    known: int = 1

    @classmethod
    def of(cls, lanes: int) -> LanePlan:
        """The same number throughout, as it is but for the moments of a change."""
        return cls(lanes, lanes, lanes)

    def written(self) -> str:
        """As the file holds it."""
        return json.dumps(asdict(self)) + "\n"


def read_plan(path: Path) -> LanePlan | None:
    """What the file says; None: there is none. Raises LanePlanRefused."""
    try:
        plan = LanePlan(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise LanePlanRefused(f"{path}: {error}; it holds said, heard and known, each from 1 to {LANES}") from None
    numbers = (plan.said, plan.heard, plan.known)
    if not all(isinstance(number, int) and 1 <= number <= LANES for number in numbers):
        raise LanePlanRefused(f"{path}: said, heard and known are numbers from 1 to {LANES}, not {numbers}")
    if plan.said % plan.heard:  # what is about one person would be heard in two lanes
        raise LanePlanRefused(f"{path}: {plan.said} lanes cannot be heard in {plan.heard}; it must divide them")
    return plan


class Lanes:
    """The lanes of this process, now."""

    def __init__(self, plan: LanePlan | None = None) -> None:
        self.plan = plan or LanePlan()
        self.said = self.plan.said
        self.settled_said = self.plan.said
        """With how many all is said that is not on disk yet: changes after `said`, when what was under way has
        ended.
        """
        self.changed = asyncio.Event()  # the readers have to begin anew
        self._fences: list[Callable[[], Awaitable[None]]] = []
        self._saying = Fence()
        self.fence(self._saying.passed)

    def fence(self, passed: Callable[[], Awaitable[None]]) -> None:
        """`passed` returns when what was said before it was called is committed, or stored, or has failed."""
        self._fences.append(passed)

    @contextmanager
    def saying(self) -> Iterator[int]:
        """The number of lanes for what is said inside the block, which ends with its commit."""
        with self._saying.held():
            yield self.said

    async def follow(self, path: Path) -> None:
        """Do as the file says, for ever. One that is gone or cannot be read changes nothing."""
        complaint = ""
        while True:
            try:
                plan, complaint_now = read_plan(path), ""
            except (LanePlanRefused, OSError) as error:
                plan, complaint_now = None, str(error)
            if complaint_now and complaint_now != complaint:
                log.error("lanes.unreadable", reason=complaint_now)
            complaint = complaint_now
            if plan is not None and plan != self.plan:
                await self.change(plan)
            await asyncio.sleep(_LOOK_SECONDS)

    async def change(self, plan: LanePlan) -> None:
        """Speak and hear by `plan` from now on; returns when nothing that was said by the last one is under way."""
        before, self.plan, self.said = self.plan, plan, plan.said
        log.info("lanes.changed", said=plan.said, heard=plan.heard, known=plan.known)
        if (before.heard, before.known) != (plan.heard, plan.known):
            self.changed.set()
        for passed in self._fences:
            await passed()
        self.settled_said = plan.said
