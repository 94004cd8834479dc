"""The demo itself: the hot lead first, then five weeks, while the reps work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from demo.api import Api
from demo.cast.rep import DemoRep
from demo.cast.roster import Hired
from demo.cast.shared_state import FirstAlert, SharedState
from demo.clock import MarketClock
from demo.errors import Trouble
from demo.market.steps import EntryPoint, Step
from demo.market.timeline import SPAN, Market
from demo.screen import ProgressLine
from demo.setup import Setup
from demo.show.tables import wrapped
from demo.traffic.forms import Browser
from demo.traffic.sdk import Sdks
from demo.traffic.sender import Sender
from demo.traffic.treatments import Teasers

_ALERT_WITHIN_SECONDS = 60.0
_SETTLED_SECONDS = 1.5  # without a lead in anybody's hands
_SETTLE_AT_MOST_SECONDS = 60.0


@dataclass(frozen=True)
class PlayOutcome:
    """What the play left behind, for the last page."""

    state: SharedState
    first: FirstAlert
    captures: int
    seconds: float
    teasers: dict[str, int]


async def play(manager: Api, market: Market, setup: Setup, hired: list[Hired], rate: int) -> PlayOutcome:
    """Send the market and let the reps answer, until both are done."""
    progress = ProgressLine(market.size)
    state = SharedState(market, MarketClock(market.now - SPAN), manager)
    async with AsyncExitStack() as stack:
        sdks, browser = Sdks(manager.url, setup.write_keys), Browser(manager.url, setup.forms)
        teasers = Teasers(manager.url, setup.write_keys[EntryPoint.SITE])
        for each in (teasers, browser, sdks):
            stack.push_async_callback(each.close)
        stack.callback(progress.end)
        reps = [
            DemoRep(each, await stack.enter_async_context(Api(manager.url, each.api_key)), state, hired)
            for each in hired
        ]
        sender = Sender(sdks, browser, manager, state.clock, rate)
        async with asyncio.TaskGroup() as tasks:
            listening = [tasks.create_task(rep.work(tasks)) for rep in reps]
            tasks.create_task(_announce_first(state, progress))
            await _send(sender, state, teasers, progress)
            await _settle(reps, state)
            for listener in listening:
                listener.cancel()
        return PlayOutcome(state, state.first_alert.result(), market.size, state.seconds(), dict(teasers.shown))


async def _send(sender: Sender, state: SharedState, teasers: Teasers, progress: ProgressLine) -> None:
    sent = 0

    async def after(part: Sequence[Step]) -> None:
        nonlocal sent
        await teasers.look(part)
        sent += len(part)
        progress.show(sent, _where(state))

    progress.show(0, "a visitor is on the site")
    await sender.send(state.market.prelude, after, is_today=True)
    await sender.send(state.market.steps, after)
    await state.clock.advance(state.market.now)
    progress.show(sent, "the reps finish their day")


async def _announce_first(state: SharedState, progress: ProgressLine) -> None:
    """Say at once that an alert came; whoever got it owns the account from now on."""
    try:
        first = await asyncio.wait_for(asyncio.shield(state.first_alert), _ALERT_WITHIN_SECONDS)
    except TimeoutError:
        wanted = "Do lifecycle and routing run, and is a rep active? See var/log/lifecycle.log and var/log/routing.log."
        raise Trouble(f"No alert reached a rep within {_ALERT_WITHIN_SECONDS:.0f} s. {wanted}") from None
    progress.interrupt(
        f"first alert after {first.after_seconds:.1f} s, to {first.rep} by"
        f" {first.way}:\n{wrapped(first.alert['headline'], 2)}\n"
    )
    account_id = first.alert.get("account_id")
    if account_id:
        await state.manager.put(f"/v1/accounts/{account_id}/owner", {"rep_id": first.alert["rep_id"]})


async def _settle(reps: Sequence[DemoRep], state: SharedState) -> None:
    """Until no rep has had anything to do for a moment."""
    deadline = time.monotonic() + _SETTLE_AT_MOST_SECONDS
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < _SETTLED_SECONDS or not state.first_alert.done():
        if any(rep.is_busy for rep in reps):
            quiet_since = time.monotonic()
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(0.1)


def _where(state: SharedState) -> str:
    done = state.done
    return f"{state.clock.moment:%d %b}  {done['accepted']} accepted, {done['open']} deals, {done['win']} won"
