"""What a lead, a rep and a marketer do, each through the door that is theirs; for stories that walk the whole line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import nats
from nats.aio.msg import Msg

from chassis.bus.broker import Broker
from chassis.bus.inspection import messages
from tests.support.suite import Suite

Json = dict[str, Any]


def ago(**passed: float) -> str:
    """A moment before now, as SDKs write it."""
    return (datetime.now(UTC) - timedelta(**passed)).isoformat()


@dataclass(frozen=True)
class Visitor:
    """A browser on a web site with the tag on it."""

    suite: Suite
    anonymous_id: str
    write_key: str
    campaign: Json

    async def looks_at(self, path: str, occurred_at: str) -> None:
        await self._send(
            "page",
            {"name": path, "properties": {"path": path, "url": f"https://www.tidewater.example{path}"}},
            occurred_at,
        )

    async def does(self, event: str, occurred_at: str, traits: Json | None = None) -> None:
        """A track call; `traits` travel in its context, as SDKs send what they remember of the visitor."""
        await self._send(
            "track", {"event": event, "context": {"campaign": self.campaign, "traits": traits or {}}}, occurred_at
        )

    async def fills_in(self, form_id: str, fields: Json) -> None:
        """Posts an HTML form as a browser does."""
        async with httpx.AsyncClient(base_url=self.suite.url, timeout=120) as client:
            answer = await client.post(f"/v1/forms/{form_id}", data={"anonymous_id": self.anonymous_id, **fields})
        assert answer.status_code in (200, 303), answer.text

    async def _send(self, kind: str, said: Json, occurred_at: str) -> None:
        body = {
            "anonymousId": self.anonymous_id,
            "messageId": f"{self.anonymous_id}-{kind}-{occurred_at}",
            "timestamp": occurred_at,
            "context": {"campaign": self.campaign},
            **said,
        }
        async with httpx.AsyncClient(base_url=self.suite.url, timeout=120) as client:
            answer = await client.post(f"/v1/{kind}", json=body, auth=(self.write_key, ""))
        assert answer.status_code == 200, answer.text


@dataclass(frozen=True)
class Rep:
    """A sales rep with an API key and NATS credentials of their own."""

    suite: Suite
    rep_id: str
    api_key: str
    credentials: Json

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.suite.url, headers={"authorization": f"Bearer {self.api_key}"}, timeout=120
        )

    async def does(self, method: str, path: str, body: Json | None = None) -> Json:
        async with self.client() as client:
            answer = await client.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        said: Json = answer.json()
        return said

    async def next_alerts(self, count: int, within: float = 30) -> list[Msg]:
        """Takes alerts from the rep's own durable on NATS. What comes twice under one id, after NATS was killed, is one
        alert, as for any hearer.
        """
        known = self.credentials
        client = await nats.connect(
            known["nats_url"],
            user=known["user"],
            password=known["password"],
            inbox_prefix=known["inbox_prefix"].encode(),
        )
        try:
            mine = await client.jetstream().pull_subscribe_bind(durable=known["durable"], stream=known["stream"])
            alerts: dict[str, Msg] = {}
            while len(alerts) < count:
                for alert in await mine.fetch(count - len(alerts), timeout=within):
                    await alert.ack()
                    alerts.setdefault((alert.headers or {})["ce-id"], alert)
            return list(alerts.values())
        finally:
            await client.close()

    @asynccontextmanager
    async def alert_stream(self, **parameters: str) -> AsyncIterator[AsyncIterator[Json]]:
        """The rep's alerts as server-sent events: dicts of `id`, `event` and the parsed `data`.

        It begins when the gateway says that it listens.
        """
        headers = {"last-event-id": parameters.pop("last_event_id")} if "last_event_id" in parameters else {}
        async with (
            self.client() as client,
            client.stream("GET", "/v1/alerts/stream", params=parameters, headers=headers) as answer,
        ):
            assert answer.status_code == 200, await answer.aread()
            events = sse_events(answer)
            assert (await anext(events))["event"] == "listening"
            yield events


async def sse_events(answer: httpx.Response) -> AsyncIterator[Json]:
    """Server-sent events that carry data."""
    event: Json = {}
    async for line in answer.aiter_lines():
        if not line:
            if "data" in event:
                yield event | {"data": json.loads(event["data"])}
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


async def hire(suite: Suite, name: str, **details: Any) -> Rep:
    """A new rep, with an API key and NATS credentials."""
    async with suite.client() as manager:
        hired = await manager.post("/v1/reps", json={"name": name, **details})
        assert hired.status_code == 201, hired.text
        rep_id = hired.json()["rep_id"]
        key = await manager.post("/v1/keys", json={"subject": name, "roles": ["sales"], "rep_id": rep_id})
        assert key.status_code == 201, key.text
        given = await manager.post(f"/v1/reps/{rep_id}/credentials")
        assert given.is_success, given.text
    return Rep(suite, rep_id, key.json()["api_key"], given.json())


async def everything(client: httpx.AsyncClient, path: str, **parameters: str) -> list[Json]:
    """All items of a list, page after page."""
    items: list[Json] = []
    cursor: str | None = None
    while True:
        answer = await client.get(path, params={"limit": "3", **parameters, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


async def said_on(suite: Suite, stream: str) -> list[tuple[str, Json]]:
    """Everything that was ever said on a stream: wire names and bodies.

    What was published twice under one id counts once, as for any hearer.
    """
    broker = await Broker.connect(suite.nats_url, "tests")
    try:
        said: dict[str, tuple[str, Json]] = {}
        async for message in messages(broker, stream):
            said.setdefault(message.headers["ce-id"], (message.subject.rpartition(".")[0], json.loads(message.body)))
        return list(said.values())
    finally:
        await broker.close()
