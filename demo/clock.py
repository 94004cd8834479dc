"""How far the market has come: weeks pass in a minute, and reps wait for the hour at which they act."""

from __future__ import annotations

import asyncio
from datetime import datetime


class MarketClock:
    """The market's own time; it only goes forward."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment
        self._moved = asyncio.Condition()

    async def advance(self, moment: datetime) -> None:
        """It is `moment` now."""
        async with self._moved:
            self.moment = max(self.moment, moment)
            self._moved.notify_all()

    async def reached(self, moment: datetime) -> None:
        """Wait until it is `moment`."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.moment >= moment)
