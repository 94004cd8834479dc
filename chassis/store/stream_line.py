"""What the relay has for one stream: in order, held while the stream takes nothing, and divided where a message is
refused.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from chassis.bus.errors import BatchTorn, PublishRefused
from chassis.message import OutMessage
from chassis.progress import Progress
from chassis.store.background import backoff
from chassis.store.outbox import Waiting

Publish = Callable[[Sequence[OutMessage]], Awaitable[None]]

# so few are published one by one: of a refused handful the others are stored, and are to be repeated once at most
_SINGLES: Final = 8


class TooManyRefused(Exception):
    """There is no room to set one more aside: it is the broker that is wrong, not the events."""


@dataclass(slots=True)
class LineOutcome:
    """What became of the rows of one line: the broker has those of `confirmed`, and will not have those of `refusals`,
    each with its reason.
    """

    confirmed: list[int] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class StreamLine:
    """What goes to one stream: in order, and independent of the other streams."""

    progress: Progress = field(default_factory=Progress)
    failures: int = 0
    held_until: float = -math.inf

    def hold(self, error: BaseException) -> None:
        """It did not work; try again later, longer each time."""
        self.failures += 1
        self.held_until = time.monotonic() + backoff(self.failures)
        self.progress.fail(error)

    def release(self) -> None:
        self.failures = 0
        self.progress.rest()

    async def publish(self, rows: Sequence[Waiting], publish: Publish, outcome: LineOutcome) -> None:
        """In order; what is refused is divided until each row that is refused stands alone."""
        # after a failure one goes ahead: a handful that fails may be stored in part, and would be again and again
        parts = [rows[1:], rows[:1]] if self.failures and len(rows) > 1 else [rows]
        while parts:
            part = parts.pop()
            try:
                await publish([row.message for row in part])
            except PublishRefused as refusal:
                if len(part) == 1:
                    outcome.refusals.append((part[0].row_id, str(refusal)))
                    self.progress.advance()
                else:
                    parts += reversed(_divided(part))
            except BatchTorn:
                if len(part) == 1:
                    raise
                parts += reversed(_divided(part))
            else:
                outcome.confirmed += [row.row_id for row in part]
                self.progress.advance()


def _divided(part: Sequence[Waiting]) -> list[Sequence[Waiting]]:
    if len(part) <= _SINGLES:
        return [[row] for row in part]
    middle = len(part) // 2
    return [part[:middle], part[middle:]]
