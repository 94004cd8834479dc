"""Ends the connections of reps who may not be there any more: their key was replaced, or they left.

What the store says is compared with who is connected, so that nothing has to be remembered: at a start, whenever
somebody's right changed, a little later once more for whoever was being let in at that moment, and now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import structlog
from nats.errors import Error as NatsError

from chassis.bus.callout.connections import Connection, Connections
from chassis.progress import Progress
from chassis.readiness import Finding
from chassis.runtime import Runtime
from services.routing.effects.keys import connection_name, live_account, rep_of_user
from services.routing.settings import RoutingSettings
from services.routing.store.queries import find_credentials

log = structlog.get_logger(__name__)

_LETTING_IN_SECONDS = 3.0  # longer than the server waits for the callout, and the callout decides
_EVERY_SECONDS = 30.0
_AGAIN_SECONDS = 0.5  # while NATS is away
_LOOKS = 8  # pages move up when connections go: until a look finds none
_HANGING_UP_SECONDS = 0.02


class Evictions:
    """Looks at who is connected, again and again, and ends what should not be."""

    def __init__(self, runtime: Runtime, connections: Connections) -> None:
        self._runtime = runtime
        self._connections = connections
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Somebody's right has changed: look now. To be called after the commit."""
        self._woken.set()

    async def keep_looking(self) -> None:
        """Until it is cancelled."""
        pause, is_woken = _EVERY_SECONDS, False
        while True:
            has_looked = await self._look_or_tell(in_haste=is_woken)
            is_woken = await self._is_woken_within(pause if has_looked else _AGAIN_SECONDS)
            pause = _LETTING_IN_SECONDS if is_woken else _EVERY_SECONDS

    async def look(self, *, in_haste: bool = False) -> int:
        """End what should not be; how many that were. In haste a server that just came may be missed.

        Raises NatsError, TimeoutError.
        """
        ended = 0
        async for page in self._connections.pages(in_haste=in_haste):
            for connection in await self._unwanted(page):
                await self._connections.end(connection)
                log.info("rep.disconnected", rep_id=_rep_of(connection))
                ended += 1
        return ended

    async def _look_or_tell(self, *, in_haste: bool) -> bool:
        if not self._connections.is_ready:
            return False
        try:
            for _ in range(_LOOKS):
                if not await self.look(in_haste=in_haste):
                    return True
                await asyncio.sleep(_HANGING_UP_SECONDS)
        except (NatsError, TimeoutError) as error:
            log.warning("evictions.delayed", error=type(error).__name__)
            return False
        return True

    async def _is_woken_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    async def _unwanted(self, page: Sequence[Connection]) -> list[Connection]:
        rep_ids = {_rep_of(connection) for connection in page}
        if not rep_ids:
            return []
        async with self._runtime.database.read() as session:
            hashes = await find_credentials(session, rep_ids)
        return [each for each in page if not _is_wanted(each, hashes.get(_rep_of(each)))]


def _rep_of(connection: Connection) -> str:
    return rep_of_user(connection.name.partition("#")[0])


def _is_wanted(connection: Connection, hashed: str | None) -> bool:
    return hashed is not None and connection.name == connection_name(connection.name.partition("#")[0], hashed)


def end_old_connections(runtime: Runtime) -> None:
    """Somebody's right to be on NATS may have changed, and it is committed: whoever lost it is hung up on."""
    evictions = runtime.service
    if isinstance(evictions, Evictions):
        evictions.wake()


@asynccontextmanager
async def evicting(runtime: Runtime) -> AsyncIterator[Evictions | None]:
    """Looks inside the block, if this installation lets reps in and has a user who may end connections."""
    settings = runtime.settings
    if not isinstance(settings, RoutingSettings) or settings.callout_seed is None or settings.revoker_nats_url is None:
        yield None
        return
    accounts = (settings.callout_account, live_account(settings.callout_account))
    async with Connections(settings.revoker_nats_url, accounts) as connections:
        evictions = Evictions(runtime, connections)
        runtime.checks.append(partial(_unable, runtime, connections, Progress()))
        task = asyncio.create_task(evictions.keep_looking(), name="routing: evictions")
        try:
            yield evictions
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _unable(runtime: Runtime, connections: Connections, progress: Progress) -> Sequence[Finding]:
    if connections.is_ready or not runtime.broker.is_connected:
        progress.rest()
        return ()
    progress.begin()
    if progress.stuck_seconds <= runtime.settings.stuck_seconds:
        return ()
    says = f"connections of reps cannot be ended since {progress.stuck_seconds:.0f} s: who left may still be there"
    return (Finding("reps", says, "Look at nats-server's log for the user revoker. It is tried again by itself"),)
