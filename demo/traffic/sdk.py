"""Steps as the analytics SDK for Python sends them: queued, put into batches, sent again when the network fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from segment.analytics.client import Client

from demo.errors import Trouble
from demo.market.steps import EntryPoint, Step

_UPLOAD_SECONDS = 0.05  # how long a batch waits for company
_DOORS = (EntryPoint.SITE, EntryPoint.SERVER, EntryPoint.STAGING)


class Sdks:
    """One SDK client for each source."""

    def __init__(self, url: str, write_keys: Mapping[EntryPoint, str]) -> None:
        logging.getLogger("segment").setLevel(logging.CRITICAL)  # failures are told below, once
        self._failures: list[str] = []
        self._clients = {
            door: Client(
                write_keys[door], host=url, on_error=self._note, upload_interval=_UPLOAD_SECONDS, max_retries=5
            )
            for door in _DOORS
        }

    def put(self, step: Step) -> None:
        """Hand a step to the SDK."""
        client = self._clients[step.door]
        who: dict[str, Any] = {"user_id": step.user_id, "anonymous_id": step.anonymous_id}
        how: dict[str, Any] = {"context": dict(step.context), "timestamp": step.at, "message_id": step.message_id}
        data = dict(step.data)
        match step.kind:
            case "page":
                taken, _ = client.page(name=step.name, properties=data, **who, **how)
            case "track":
                taken, _ = client.track(event=step.name, properties=data, **who, **how)
            case "identify":
                taken, _ = client.identify(traits=data, **who, **how)
            case "group":
                taken, _ = client.group(group_id=step.name, traits=data, **who, **how)
            case other:
                raise ValueError(f"an SDK sends no {other}")
        if not taken:
            raise Trouble(
                "The SDK's queue is full: the gateway takes captures more slowly than they come. Try fewer PEOPLE."
            )

    async def flush(self) -> None:
        """Wait until all that was handed over is acknowledged."""
        for client in self._clients.values():
            await asyncio.to_thread(client.flush)
        if self._failures:
            raise Trouble(f"The gateway did not take what the SDK sent: {self._failures[0]}.")

    async def close(self) -> None:
        """End the SDK's threads."""
        for client in self._clients.values():
            await asyncio.to_thread(client.join)

    def _note(self, error: Exception, batch: object) -> None:
        self._failures.append(str(error))
