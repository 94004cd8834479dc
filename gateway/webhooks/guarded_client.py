"""The HTTP client that webhooks are sent with. It connects to addresses that were judged, and to no others.

A name is resolved for each connection, all its addresses are judged, and the connection goes to one of these: a name
that leads elsewhere a moment later (rebinding) gains nothing. TLS and the Host header keep the name. The last fence is
where the socket is made, which every way to an address passes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from chassis.version import VERSION
from gateway.domain.webhooks.addresses import Guard, fault_of_address, fault_of_url

Lookup = Callable[..., Sequence[tuple[Any, ...]]]
"""As `socket.getaddrinfo`."""

ANSWER_BYTES: Final = 512
_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 2.0
_MOST_AT_ONCE: Final = 200  # each webhook of the most there may be has its four
_NAMES_AT_ONCE: Final = 16
_IDLE_SECONDS: Final = 15.0
_HEAD: Final = {
    "user-agent": f"rapport-webhooks/{VERSION}",
    "accept-encoding": "identity",  # an answer is cut short, never unpacked
    "accept": "*/*",
}


class AddressRefused(OSError):
    """Nobody connects there."""


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """One attempt: the status and the first bytes of the answer, or why there is none."""

    status: int | None
    latency_ms: int
    answer: str = ""
    error: str = ""
    retry_after: str | None = None


class _CheckedResolver(AbstractResolver):
    """Looks names up in threads of its own: a name server that hangs keeps nobody else from a thread."""

    def __init__(self, guard: Guard, lookup: Lookup) -> None:
        self._guard = guard
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_NAMES_AT_ONCE, thread_name_prefix="webhook names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: self._lookup(host, port, family=family, type=socket.SOCK_STREAM)
        )
        addresses = [(kind, where[0]) for kind, _, _, _, where in found]
        for _, address in addresses:  # one that may not be makes all suspect
            refuse(address, self._guard)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in addresses
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedClient:
    """Made once, inside the loop; `close` ends it. At most 200 attempts at once, whoever makes them."""

    def __init__(self, guard: Guard, timeout_seconds: float, lookup: Lookup = socket.getaddrinfo) -> None:
        self._guard = guard
        self._seconds = timeout_seconds
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)
        self._resolver = _CheckedResolver(guard, lookup)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                use_dns_cache=False,
                resolver=self._resolver,
                socket_factory=self._socket,
                keepalive_timeout=_IDLE_SECONDS,
            ),
            timeout=aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=_CONNECT_SECONDS),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """One attempt; whatever goes wrong is told in what it answers."""
        async with self._turns:
            began = time.monotonic()
            if (fault := fault_of_url(url, self._guard)) is not None:  # settings may be others by now
                return WebhookAnswer(None, 0, error=f"{fault.says}. {fault.remedy}")
            try:
                return await self._exchange(url, {**_HEAD, **headers}, body, began)
            except TimeoutError:
                return WebhookAnswer(None, _since(began), error=f"No answer within {self._seconds:.0f} s")
            except (aiohttp.ClientError, OSError, ValueError) as error:
                return WebhookAnswer(None, _since(began), error=_reason(error))

    async def close(self) -> None:
        """Hang up."""
        await self._session.close()
        await self._resolver.close()

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes, began: float) -> WebhookAnswer:
        request = self._session.post(URL(url, encoded=True), data=body, headers=headers, allow_redirects=False)
        async with request as response:
            latency = _since(began)
            answer = await _beginning(response)
            return WebhookAnswer(response.status, latency, answer, retry_after=response.headers.get("retry-after"))

    def _socket(self, where: Any) -> socket.socket:
        family, kind, protocol, _, address = where
        refuse(str(address[0]), self._guard)
        return socket.socket(family, kind, protocol)


def refuse(address: str, guard: Guard) -> None:
    """Raises AddressRefused where nobody may connect to `address`."""
    if (fault := fault_of_address(address, guard)) is not None:
        raise AddressRefused(f"{fault.says}. {fault.remedy}")


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """The first bytes, as far as they come soon; the rest is not waited for."""
    read = b""
    with contextlib.suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(_ANSWER_SECONDS):
            while len(read) < ANSWER_BYTES and (part := await response.content.read(ANSWER_BYTES - len(read))):
                read += part
    if not response.content.at_eof():
        response.close()
    return read.decode("utf-8", "replace").replace("\x00", "�")


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _reason(error: BaseException) -> str:
    """In words: what was refused by us, else what the client says, cut short."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    words = " ".join(str(error).split()) or type(error).__name__
    return f"No connection: {words}"[:300]
