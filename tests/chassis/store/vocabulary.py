"""What the tests of the store speak of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from chassis.message import Mark, OutMessage
from chassis.store import inbox, outbox
from chassis.store.database import Database
from chassis.store.inbox import Arrival, InboxReading
from chassis.store.relay import Relay
from chassis.store.session import Session
from chassis.store.timer_clock import TimerClock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def a_message(event_id: str) -> OutMessage:
    return OutMessage("identity.person.created.v1.0", {"ce-id": event_id, "note": "ü"}, b"\x00" + event_id.encode())


async def claim_ids(session: Session, stream: str, ids: Sequence[str]) -> set[str]:
    """Claim messages by their ids alone; answers those that were new."""
    arrivals = [Arrival(message_id, 0, Mark(sequence, NOON)) for sequence, message_id in enumerate(ids, start=1)]
    fresh = await inbox.remember(session, InboxReading(stream, 1, (0,)), arrivals)
    return {ids[sequence - 1] for sequence in fresh}


async def say(database: Database, *event_ids: str) -> None:
    """Commit messages to the outbox."""
    async with database.begin() as session:
        await outbox.append(session, [(event_id, a_message(event_id)) for event_id in event_ids])


async def say_to(relay: Relay, database: Database, *event_ids: str) -> None:
    """Commit messages to the outbox and hand them over, as the runtime does."""
    with relay.ride() as ride:
        async with database.begin() as session:
            ride.said = await outbox.append(session, [(event_id, a_message(event_id)) for event_id in event_ids])
            await ride.write(session)


class Listener:
    """A broker's far side: keeps what was published, or refuses it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.batches: list[int] = []
        self.refusals = 0
        self.is_away = False

    async def publish(self, messages: Sequence[OutMessage]) -> None:
        if self.is_away:
            self.refusals += 1
            raise ConnectionError("the broker is away")
        self.heard.extend(message.headers["ce-id"] for message in messages)
        self.batches.append(len(messages))


@asynccontextmanager
async def running(loop: Relay | TimerClock) -> AsyncIterator[None]:
    """Run a relay or a clock; stop it at the end."""
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        await loop.stop()
        await task


async def kill(task: asyncio.Task[None]) -> None:
    """End a loop as a crash would: nothing is drained."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
