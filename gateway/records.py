"""What the gateway remembers and tells of its callers, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from chassis.runtime import Runtime
from gateway import request_log
from gateway.audit import journal
from gateway.audit.journal import Journal
from gateway.audit.operations import Operations
from gateway.directory import Directory, kept_fresh
from gateway.oidc import key_set
from gateway.oidc.key_set import KeySet
from gateway.oidc.tokens import TokenDesk
from gateway.peers import Peers, among
from gateway.request_log import RequestLog
from gateway.settings import GatewaySettings

_LEAST_SECONDS = 30.0  # between two looks for a key id that is unknown


@dataclass(slots=True)
class Records:
    """What is remembered of requests, and who bears a token; `tokens` is None where no sign-in service is named."""

    requests: RequestLog
    journal: Journal
    peers: Peers
    operations: Operations
    tokens: TokenDesk | None


@asynccontextmanager
async def recording(runtime: Runtime, directory: Directory, settings: GatewaySettings) -> AsyncIterator[Records]:
    """Records that are kept and written inside the block, and a directory that is kept fresh."""
    requests = RequestLog(runtime.clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(kept_fresh(directory, settings.refresh_seconds))
        await stack.enter_async_context(request_log.written(runtime.database, requests))
        book = Journal(runtime.database, runtime.clock, settings.audit_days)
        await stack.enter_async_context(journal.writing(book))
        peers = await stack.enter_async_context(among(Peers(runtime.broker, directory, requests)))
        tokens = await _tokens(stack, runtime, settings)
        directory.tokens = tokens
        yield Records(requests, book, peers, Operations(), tokens)


async def _tokens(stack: AsyncExitStack, runtime: Runtime, settings: GatewaySettings) -> TokenDesk | None:
    rules = settings.oidc_rules
    if rules is None:
        return None
    if settings.oidc_jwks_file is not None:
        fetch = key_set.from_file(settings.oidc_jwks_file)
    else:
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        address = settings.oidc_jwks_url
        fetch = (
            key_set.by_discovery(session, rules.issuer) if address is None else key_set.from_address(session, address)
        )
    least = min(_LEAST_SECONDS, settings.oidc_refresh_seconds)
    keys = await stack.enter_async_context(
        key_set.kept(KeySet(fetch, least_seconds=least), settings.oidc_refresh_seconds)
    )
    return TokenDesk(keys, rules, runtime.clock)
