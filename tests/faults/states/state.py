"""A state as data: what happens, and what a platform that believes the probes may see of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.support.installation import Installation


@dataclass(frozen=True)
class State:
    """`happens` brings it about, sees what readiness says, and mends it.

    Nobody but `unready` may be not ready meanwhile, and nothing but `restarts` may be started again. `remains`: how the
    notes begin that stay when it is over, `process: part: reason`. `needs_disk`: a disk that can be filled.
    """

    name: str
    happens: Callable[[Installation], Awaitable[None]]
    unready: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    remains: tuple[str, ...] = ()
    needs_disk: bool = False
