"""Noticing that a lane is given nothing although messages wait for it: a paused durable, a server that delivers no
more.

A reader that only waits cannot tell this from quiet. So whoever has heard nothing for a while asks the server, which
costs a request every few seconds of an idle lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.progress import Progress

_PERIOD_SECONDS: Final = 5.0


class Withheld(Exception):
    """Messages wait in the stream, and the server delivers none of them."""


class ReaderState(NamedTuple):
    """How a reader stands: messages received so far, whether some are in hand, and what it is pinned as (None: not at
    all).
    """

    received: int
    has_work: bool
    pin: str | None


class Starvation:
    """Watches the durable at `address` (stream.durable).

    `progress` counts from when nothing came although there was something.
    """

    def __init__(
        self,
        broker: Broker,
        address: str,
        reading: Callable[[], ReaderState],
        *,
        period_seconds: float = _PERIOD_SECONDS,
    ) -> None:
        self._broker = broker
        self._address = address
        self._reading = reading
        self._period_seconds = period_seconds
        self.progress = Progress()

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            before = self._reading()
            await asyncio.sleep(self._period_seconds)
            if before.has_work or self._has_moved(before):
                self.progress.rest()
                continue
            try:
                info = await self._broker.request(f"CONSUMER.INFO.{self._address}")
            except (BrokerUnavailable, ApiRefused):
                continue  # that NATS is away, or the durable gone, is told elsewhere
            reason = withheld(info, before.pin)
            if not reason or self._has_moved(before):
                self.progress.rest()
            else:
                self.progress.fail(Withheld(reason))

    def _has_moved(self, before: ReaderState) -> bool:
        return self._reading() != before


def withheld(info: dict[str, Any], pin: str | None) -> str:
    """Why the server says that a reader gets nothing; empty when nothing waits, or when another reader is served."""
    waiting = info.get("num_pending", 0)
    served = [group.get("pinned_client_id") for group in info.get("priority_groups") or ()]
    if not waiting or any(other not in (None, "", pin) for other in served):
        return ""
    many = "1 message waits" if waiting == 1 else f"{waiting} messages wait"
    return f"{many} in the stream" + (", and the durable is paused" if info.get("paused") else "")
