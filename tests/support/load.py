"""Web sites that capture all the time and take no refusal; and whether what they sent was kept, and kept in order."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from contracts.events.identity import InteractionRecognized
from tests.support.actors import said_on
from tests.support.suite import Suite


@dataclass
class Load:
    """`senders` browsers' owners, each of whom sends one capture after the other; all must be answered with 200.

    `urls`: gateways that are asked in turn. `acknowledged`: message id -> user id, of `people` users.
    """

    urls: Sequence[str]
    write_key: str
    people: int = 25
    pause_seconds: float = 0.03
    acknowledged: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @asynccontextmanager
    async def running(self, senders: int = 6) -> AsyncIterator[None]:
        """All the time inside the block."""
        key = {"authorization": aiohttp.encode_basic_auth(self.write_key, "")}
        is_over = asyncio.Event()
        async with aiohttp.ClientSession(headers=key, timeout=aiohttp.ClientTimeout(total=60)) as session:
            tasks = [asyncio.create_task(self._send(session, is_over, sender, senders)) for sender in range(senders)]
            try:
                yield
            finally:
                is_over.set()
                await asyncio.gather(*tasks)

    async def _send(self, session: aiohttp.ClientSession, is_over: asyncio.Event, sender: int, senders: int) -> None:
        """A person belongs to one sender, so that what is about one comes one after the other."""
        own = [number for number in range(self.people) if number % senders == sender]
        for turn in itertools.count():
            if is_over.is_set():
                return
            await self._capture(session, own[turn % len(own)])
            await asyncio.sleep(self.pause_seconds)

    async def _capture(self, session: aiohttp.ClientSession, person: int) -> None:
        number = next(self._numbers)
        user_id, message_id = f"user-{person}", f"message-{number}"
        event = {
            "type": "track",
            "event": "Demo Requested",
            "userId": user_id,
            "anonymousId": f"browser-{person}",
            "messageId": message_id,
            "context": {"traits": {"email": f"{user_id}@tidewater.example", "title": "VP Sales", "employees": 800}},
        }
        began = time.monotonic()
        url = self.urls[number % len(self.urls)]
        try:
            async with session.post(f"{url}/v1/track", json=event) as answer:
                said = await answer.text()
                if answer.status == 200:
                    self.acknowledged[message_id] = user_id
                else:
                    self.refusals.append(f"{answer.status}: {said[:200]}")
        except (aiohttp.ClientError, TimeoutError) as error:
            self.refusals.append(repr(error))
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)


async def order_is_kept(suite: Suite) -> None:
    """What identity says of each browser comes as the browser's captures do."""
    browsers: dict[str, str] = {}
    captured: dict[str, list[str]] = defaultdict(list)
    for _, body in await said_on(suite, "CAPTURE"):
        interaction, browser = body["interaction"]["interaction_id"], body["identifiers"][0]["value"]
        browsers[interaction] = browser
        captured[browser].append(interaction)
    recognized: dict[str, list[str]] = defaultdict(list)
    for name, body in await said_on(suite, "IDENTITY"):
        if name == InteractionRecognized.wire_name:
            interaction = body["interaction"]["interaction_id"]
            recognized[browsers[interaction]].append(interaction)
    assert recognized == captured
