"""The market's steps, in the order of time, as fast as the machine takes them and no faster than the wish."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta

from demo.api import Api
from demo.clock import MarketClock
from demo.errors import Trouble
from demo.market.steps import EntryPoint, Step
from demo.traffic.forms import Browser
from demo.traffic.sdk import Sdks

_SLICE = 25  # steps that may overtake one another
_SLOWEST = timedelta(seconds=30)  # for one slice to be recognized and scored
_POLL_SECONDS = 0.05
_TOLERANCE = timedelta(milliseconds=1)  # SDKs tell milliseconds

Sent = Callable[[Sequence[Step]], Awaitable[None]]


class Sender:
    """Sends slice after slice: acknowledged, then scored, then the next one. `rate` is the most captures a second."""

    def __init__(self, sdks: Sdks, browser: Browser, api: Api, clock: MarketClock, rate: int) -> None:
        self._sdks, self._browser, self._api, self._clock, self._rate = sdks, browser, api, clock, rate

    async def send(self, steps: Sequence[Step], after: Sent, *, is_today: bool = False) -> None:
        """Send all of them. `after` is called with every slice that went through.

        What happens today does not move the market's clock.
        """
        for part in slices(steps):
            began = time.monotonic()
            await self._pass_on(part)
            await self._until_scored(part)
            if not is_today:
                await self._clock.advance(part[-1].at)
            await after(part)
            await asyncio.sleep(max(0.0, len(part) / self._rate - (time.monotonic() - began)))

    async def _pass_on(self, part: Sequence[Step]) -> None:
        for step in part:
            if step.door is not EntryPoint.FORM:
                self._sdks.put(step)
        await self._sdks.flush()
        for step in part:
            if step.door is EntryPoint.FORM:
                await self._browser.post(step)

    async def _until_scored(self, part: Sequence[Step]) -> None:
        """The last visitor of a slice is known with their last step: what came before went the same way, in order."""
        last = part[-1]
        # a device may be somebody else's
        query = {"user_id": last.user_id} if last.user_id else {"anonymous_id": last.anonymous_id or ""}
        deadline = time.monotonic() + _SLOWEST.total_seconds()
        while not await self._is_scored(query, last.at):
            if time.monotonic() > deadline:
                raise Trouble(
                    f"Nothing came of what was sent {_SLOWEST.total_seconds():.0f} s ago. Do identity and scoring run?"
                    " See var/log."
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _is_scored(self, query: dict[str, str], at: datetime) -> bool:
        found = (await self._api.get("/v1/people", **query))["items"]
        latest = [item.get("latest_fact_at") for item in found]
        return any(moment is not None and datetime.fromisoformat(moment) >= at - _TOLERANCE for moment in latest)


def slices(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    """Short runs of steps; a form ends one, so that it follows the visit it belongs to."""
    begin = 0
    for index, step in enumerate(steps, start=1):
        if index - begin >= _SLICE or step.door is EntryPoint.FORM or index == len(steps):
            yield steps[begin:index]
            begin = index
