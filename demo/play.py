"""The demo itself: the hot lead first, then five weeks, while the reps work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from demo.api import Api
from demo.cast.plot import FirstAlert, Plot
from demo.cast.roster import Hired
from demo.cast.working import Rep
from demo.clock import MarketClock
from demo.market.making import SPAN, Market
from demo.market.steps import Door, Step
from demo.scenery import Scenery
from demo.screen import Progress
from demo.show.tables import wrapped
from demo.traffic.forms import Browser
from demo.traffic.sdk import Sdks
from demo.traffic.sending import Sender
from demo.traffic.treatments import Teasers
from demo.trouble import Trouble

_ALERT_WITHIN_SECONDS = 60.0
_SETTLED_SECONDS = 1.5  # without a lead in anybody's hands
_SETTLE_AT_MOST_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """What the play left behind, for the last page."""

    plot: Plot
    first: FirstAlert
    captures: int
    seconds: float
    teasers: dict[str, int]


async def play(manager: Api, market: Market, scenery: Scenery, hired: list[Hired], rate: int) -> Outcome:
    """Send the market and let the reps answer, until both are done."""
    progress = Progress(market.size)
    plot = Plot(market, MarketClock(market.now - SPAN), manager)
    async with AsyncExitStack() as stack:
        sdks, browser = Sdks(manager.url, scenery.write_keys), Browser(manager.url, scenery.forms)
        teasers = Teasers(manager.url, scenery.write_keys[Door.SITE])
        for each in (teasers, browser, sdks):
            stack.push_async_callback(each.close)
        stack.callback(progress.end)
        reps = [Rep(each, await stack.enter_async_context(Api(manager.url, each.api_key)), plot, hired) for each in hired]
        sender = Sender(sdks, browser, manager, plot.clock, rate)
        async with asyncio.TaskGroup() as tasks:
            listening = [tasks.create_task(rep.work(tasks)) for rep in reps]
            tasks.create_task(_announce_first(plot, progress))
            await _send(sender, plot, teasers, progress)
            await _settle(reps, plot)
            for listener in listening:
                listener.cancel()
        return Outcome(plot, plot.first_alert.result(), market.size, plot.seconds(), dict(teasers.shown))


async def _send(sender: Sender, plot: Plot, teasers: Teasers, progress: Progress) -> None:
    sent = 0

    async def after(part: Sequence[Step]) -> None:
        nonlocal sent
        await teasers.look(part)
        sent += len(part)
        progress.show(sent, _where(plot))

    progress.show(0, "a visitor is on the site")
    await sender.send(plot.market.prelude, after, is_today=True)
    await sender.send(plot.market.steps, after)
    await plot.clock.advance(plot.market.now)
    progress.show(sent, "the reps finish their day")


async def _announce_first(plot: Plot, progress: Progress) -> None:
    """Say at once that an alert came; whoever got it owns the account from now on."""
    try:
        first = await asyncio.wait_for(asyncio.shield(plot.first_alert), _ALERT_WITHIN_SECONDS)
    except TimeoutError:
        wanted = "Do lifecycle and routing run, and is a rep active? See var/log/lifecycle.log and var/log/routing.log."
        raise Trouble(f"No alert reached a rep within {_ALERT_WITHIN_SECONDS:.0f} s. {wanted}") from None
    progress.interrupt(f"first alert after {first.after_seconds:.1f} s, to {first.rep} by {first.way}:\n{wrapped(first.alert['headline'], 2)}\n")
    account_id = first.alert.get("account_id")
    if account_id:
        await plot.manager.put(f"/v1/accounts/{account_id}/owner", {"rep_id": first.alert["rep_id"]})


async def _settle(reps: Sequence[Rep], plot: Plot) -> None:
    """Until no rep has had anything to do for a moment."""
    deadline = time.monotonic() + _SETTLE_AT_MOST_SECONDS
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < _SETTLED_SECONDS or not plot.first_alert.done():
        if any(rep.is_busy for rep in reps):
            quiet_since = time.monotonic()
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(0.1)


def _where(plot: Plot) -> str:
    done = plot.done
    return f"{plot.clock.moment:%d %b}  {done['accepted']} accepted, {done['open']} deals, {done['win']} won"
