"""The cut: one moment at which all stores stand still, are held as they are, and each stream's end is noted.

Why it is consistent: while it is frozen nothing is said (no row enters an outbox) and nothing is forgotten (no row
leaves one). Stores are held first, then the ends are read. So what a store had applied is before the end of the stream
it came from; and what a store had said is in its outbox as it was held, or before the end of its stream, or both.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from backup import streams
from backup.store import HeldStore, StoreBusy
from chassis.bus.broker import Broker
from chassis.clock import wall_clock


@dataclass(frozen=True)
class FreezeLimit:
    """A freeze that is not over after `seconds` is given up and tried again, `tries` times in all with a `pause`.

    Services wait for their stores for 15 s, and for as long nobody calls them unready.
    """

    seconds: float = 4.0
    tries: int = 5
    pause: float = 2.0


_LIMIT: Final = FreezeLimit()


class NoCut(Exception):
    """The stores could not be held still at once, although it was tried several times."""


@dataclass(frozen=True)
class Cut:
    """When it was, for how long nobody could write, and the streams as they were."""

    at: datetime
    frozen_ms: float
    streams: Mapping[str, Mapping[str, Any]]


async def take_cut(stores: Sequence[HeldStore], broker: Broker, limit: FreezeLimit = _LIMIT) -> Cut:
    """Hold all `stores` and note where the streams end. Raises NoCut after some tries; nothing stays frozen."""
    await asyncio.gather(*(store.open() for store in stores))
    await streams.ends(broker)  # the connection is there, and the server has the streams at hand
    reason = ""
    for attempt in range(limit.tries):
        if attempt:
            await asyncio.sleep(limit.pause)
        try:
            return await _frozen(stores, broker, limit.seconds)
        except (StoreBusy, TimeoutError) as error:
            reason = str(error) or "the streams did not answer"
    raise NoCut(f"the stores could not be held still within {limit.seconds:.0f} s, in {limit.tries} tries: {reason}")


async def _frozen(stores: Sequence[HeldStore], broker: Broker, seconds: float) -> Cut:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            await _freeze(stores, seconds / 2)
            await asyncio.gather(*(store.hold() for store in stores))
            at, found = wall_clock(), await streams.ends(broker)
    except BaseException:
        await asyncio.gather(*(store.drop() for store in stores))
        raise
    finally:
        await asyncio.gather(*(store.thaw() for store in stores))
    return Cut(at, (time.perf_counter() - began) * 1000, found)


async def _freeze(stores: Sequence[HeldStore], seconds: float) -> None:
    """All of them, whatever becomes of one: what was begun must be let go of."""
    outcomes = await asyncio.gather(*(store.freeze(seconds) for store in stores), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
