"""Web sites that send as a load balancer lets them: to a gateway that says it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import httpx

from tests.support.supervisor import FORMS, READY, Supervisor


@dataclass
class Sender:
    """Web sites that send captures and forms of one person, as a load balancer lets them: to a gateway that says it is
    ready for what they send.

    `captures` and `forms` hold the message ids that were acknowledged; `refused` counts answers of 503.
    """

    platform: Supervisor
    user_id: str = "walker"
    captures: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    refused: int = 0
    held_back: int = 0  # not sent, as the gateway was not ready
    _numbers: Iterable[int] = field(default_factory=itertools.count)

    @property
    def acknowledged(self) -> list[str]:
        """Everything that must be in the stores, once."""
        return self.captures + self.forms

    @contextlib.asynccontextmanager
    async def sending(self, *, captures_a_second: float, forms_a_second: float) -> AsyncIterator[None]:
        """Send all the time inside the block."""
        async with httpx.AsyncClient(base_url=self.platform.plan.url, timeout=40) as client:
            rounds = ((self.send_capture, READY, captures_a_second), (self.send_form, FORMS, forms_a_second))
            tasks = [asyncio.create_task(self._send(client, *each)) for each in rounds if each[2]]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def send_capture(self, client: httpx.AsyncClient) -> bool:
        """One page event, tried once."""
        message_id = f"{self.user_id}: capture {next(iter(self._numbers))}"
        event = {"userId": self.user_id, "event": "Looked", "messageId": message_id}
        return await self._post(
            client, "/v1/track", self.captures, message_id, json=event, auth=(self.platform.plan.secrets.write_key, "")
        )

    async def send_form(self, client: httpx.AsyncClient) -> bool:
        """One form post, tried once."""
        message_id = f"{self.user_id}: form {next(iter(self._numbers))}"
        return await self._post(
            client,
            "/v1/forms/default",
            self.forms,
            message_id,
            data={"user_id": self.user_id, "message_id": message_id},
        )

    async def _send(self, client: httpx.AsyncClient, send: object, probe: str, rate: float) -> None:
        assert callable(send)
        while True:
            if self.platform.is_ready("gateway", probe):
                await send(client)
            else:
                self.held_back += 1
            await asyncio.sleep(1 / rate)

    async def _post(
        self, client: httpx.AsyncClient, path: str, kept: list[str], message_id: str, **what: object
    ) -> bool:
        try:
            answer = await client.post(path, **what)  # type: ignore[arg-type]
        except httpx.HTTPError:
            return False  # not acknowledged: it may be there or not
        assert answer.status_code in (200, 202, 503), answer.text
        if answer.status_code == 503:
            self.refused += 1
            return False
        kept.append(message_id)
        return True
