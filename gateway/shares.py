"""Who has how much of the room that captures wait in: a source that floods leaves room for whoever else comes.

A source may hold as much as is still free. One that is alone gets half of the room, two get a third each, and the next
one always finds as much as each of them has (dynamic thresholds, as in switches that share their memory).
Source: Choudhury and Hahne, Dynamic Queue Length Thresholds for Shared-Memory Packet Switches, 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.limits import WAITING_BYTES, WAITING_MESSAGES
from gateway.domain.capture import Capture

_UNIT_BYTES: Final = WAITING_BYTES // WAITING_MESSAGES


class Shares:
    """Counts what each source has waiting to be stored, in captures of 3 KB: a larger one counts for several."""

    def __init__(self, room: int = WAITING_MESSAGES) -> None:
        self._room = room
        self._held: dict[str, int] = {}  # only of those that wait
        self._total = 0

    @staticmethod
    def weight(captures: Sequence[Capture]) -> int:
        """What they take of the room."""
        return sum([1 + len(capture.body) // _UNIT_BYTES for capture in captures])

    def enter(self, source_id: str, weight: int) -> bool:
        """Take room; False: it would be more than this source's share. One that holds nothing is always let in."""
        held = self._held.get(source_id, 0)
        if held and held + weight > self._room - self._total:
            return False
        self._held[source_id] = held + weight
        self._total += weight
        return True

    def leave(self, source_id: str, weight: int) -> None:
        """Give back what `enter` took."""
        self._total -= weight
        left = self._held[source_id] - weight
        if left:
            self._held[source_id] = left
        else:
            del self._held[source_id]
