"""How many connections one address has: beyond its number the one that waits longest gives way to the newest."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from chassis.web.connection import BoundedProtocol, longest_waiting

_LOOKED_AT: Final = 32  # of an address's connections, the oldest: looking costs the same however many there are


class Crowd:
    """`most`: of one address; 0: any number. `counted_as` names an address; None: its connections are not counted."""

    def __init__(self, most: int, counted_as: Callable[[str | None], str | None]) -> None:
        self._most = most
        self._counted_as = counted_as
        self._of: dict[str, dict[BoundedProtocol, None]] = {}  # oldest first

    def enter(self, peer: str | None, one: BoundedProtocol) -> str | None:
        """A connection was made; what it is counted as. One that is answered is not closed, so that where all are the
        newest goes itself.
        """
        address = self._counted_as(peer)
        if address is None:
            return None
        held = self._of.setdefault(address, {})
        held[one] = None
        if self._most and len(held) > self._most:
            (waits_longest,) = longest_waiting(islice(held, _LOOKED_AT)) or (one,)
            self.leave(address, waits_longest)
            waits_longest.transport.close()
        return address

    def leave(self, address: str, one: BoundedProtocol) -> None:
        """It is closed, or about to be."""
        held = self._of.get(address, {})
        held.pop(one, None)
        if not held:
            self._of.pop(address, None)
