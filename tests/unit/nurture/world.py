"""Nurture as a running service, with a clock that a test sets forward, and what is asked of it."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import httpx

from contracts.envelope import Event
from contracts.events.nurture import TreatmentSelected
from services.nurture.events import SUBSCRIPTIONS
from tests.support.people import per
from tests.support.service import RunningService, published, token

TAKERS = {event_type: subscription.handler for subscription in SUBSCRIPTIONS for event_type in subscription.event_types}
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
STORY: dict[str, Any] = {
    "name": "How a port did it",
    "channel": "web",
    "purpose": "educational",
    "priority": 90,
    "content": {"headline": "How a port did it", "text": "They tell.", "url": "https://www.harbour.example/port"},
}


class Clock:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


class FreshToken(httpx.Auth):
    """Lets the tester in by the test's clock; a request that brings a token of its own keeps it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.setdefault("authorization", f"Bearer {token(now=self._clock.now)}")
        yield request


async def hear(nurture: RunningService, *events: Event) -> None:
    async with nurture.runtime.writing() as context:
        for handler, run in groupby(events, key=lambda event: TAKERS[type(event)]):
            await handler(list(run), context)


async def add(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/v1/treatments", json=STORY | fields)
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def ask(client: httpx.AsyncClient, number: int | None = 1, **fields: Any) -> dict[str, Any]:
    person = {} if number is None else {"person_id": per(number)}
    answer = await client.post("/v1/treatments:select", json=person | fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def told(nurture: RunningService) -> list[TreatmentSelected]:
    said = await published(nurture, "NURTURE")
    return [
        TreatmentSelected.from_wire(one.headers, one.body)
        for one in said
        if one.headers["ce-type"] == TreatmentSelected.wire_name
    ]


async def receipts(client: httpx.AsyncClient, number: int = 1) -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/nurture/people/{per(number)}/receipts")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
