"""Who is connected in some accounts, on every server of a cluster; and the end of a connection.

A grant counts for as long as its connection stands. Whoever may not be there any more has to be hung up on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from chassis.bus.wire import credentials

log = structlog.get_logger(__name__)

_PAGE = 256  # connections in one answer, some 600 bytes each
_FIRST_SECONDS = 2.0  # for the first server to answer
_QUIET_SECONDS = 0.3  # a server of the cluster that has not answered so long after the others is away
_OPTIONS: dict[str, Any] = {
    "max_reconnect_attempts": -1,
    "reconnect_time_wait": 0.25,
    "ping_interval": 20,
    "max_outstanding_pings": 2,
    "drain_timeout": 5,
}


class Connection(NamedTuple):
    """One connection, on one server. `name`: that of its grant."""

    server: str
    number: int
    name: str


class Connections:
    """Lists and ends connections in `accounts`. `url`: that of a user of the system account, who may do just that and
    hears answers under `_INBOX_<user>`.

    Use as an async context manager, which waits for no server; `start()` does.
    """

    def __init__(self, url: str, accounts: Sequence[str]) -> None:
        self._url = url
        self._accounts = accounts
        self._client = Client()
        self._starting: asyncio.Task[None] | None = None
        self._servers = 0  # that answered when they were last waited for

    @property
    def is_ready(self) -> bool:
        """There is a connection, so questions are answered."""
        return self._client.is_connected

    async def start(self) -> None:
        """Connect; waits for a server that is not there yet, and comes back to one that went away."""
        who = credentials(self._url)
        await self._client.connect(
            self._url,
            name="connections",
            inbox_prefix=f"_INBOX_{who.get('user', '')}",
            error_cb=_on_error,
            **who,
            **_OPTIONS,
        )

    async def __aenter__(self) -> Self:
        self._starting = asyncio.create_task(self.start(), name="connections: start")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        with suppress(NatsError, OSError):
            await self._client.close()

    async def pages(self, *, in_haste: bool = False) -> AsyncIterator[list[Connection]]:
        """Those that there are, as the servers tell of them: at most 256 at a time, of one account on one server.

        How many servers there are nobody knows: after the last answer 0.3 seconds are waited for another, but in haste
        only until as many have answered as the last time. Raises NatsError, TimeoutError where no server answers.
        """
        offset, is_more = 0, True
        while is_more:
            is_more = False
            async for server, told in self._ask(offset, in_haste):
                found = told.get("connections") or []
                is_more |= bool(found) and offset + len(found) < told["total"]
                yield [Connection(server, each["cid"], each.get("authorized_user", "")) for each in found]
            offset += _PAGE

    async def end(self, connection: Connection) -> None:
        """Hang up. One that has gone meanwhile is none any more. Raises NatsError."""
        # the server does nothing for who wants no answer
        await self._client.publish(
            f"$SYS.REQ.SERVER.{connection.server}.KICK",
            orjson.dumps({"cid": connection.number}),
            reply=self._client.new_inbox(),
        )

    async def _ask(self, offset: int, in_haste: bool) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Each server's answer about each account, as they come."""
        arrived: asyncio.Queue[bytes] = asyncio.Queue()

        async def take(message: Msg) -> None:
            arrived.put_nowait(message.data)

        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, cb=take)
        wanted = orjson.dumps({"auth": True, "offset": offset, "limit": _PAGE})
        try:
            for account in self._accounts:
                await self._client.publish(f"$SYS.REQ.ACCOUNT.{account}.CONNZ", wanted, reply=inbox)
            heard = [_told(await asyncio.wait_for(arrived.get(), _FIRST_SECONDS))]
            yield heard[0]
            with suppress(TimeoutError):
                while not (in_haste and self._servers) or len(heard) < self._servers * len(self._accounts):
                    heard.append(_told(await asyncio.wait_for(arrived.get(), _QUIET_SECONDS)))
                    yield heard[-1]
            self._servers = len({server for server, _ in heard})
        finally:
            with suppress(NatsError):
                await subscription.unsubscribe()


def _told(body: bytes) -> tuple[str, dict[str, Any]]:
    answer = orjson.loads(body)
    return answer["server"]["id"], answer.get("data") or {"total": 0}


async def _on_error(error: Exception) -> None:
    log.warning("connections.disturbed", error=repr(error))
