"""What tests say to metrics while it runs."""

from __future__ import annotations

from typing import Any

import httpx

from contracts.envelope import Event
from tests.support.service import RunningService
from tests.unit.metrics.builders import (
    hear,
)

SPRING: dict[str, Any] = {"name": "Spring newsletter", "channel": "email", "matches": [{"name": "spring"}]}


async def heard(metrics: RunningService, *events: Event) -> None:
    await hear(metrics.runtime.database, *events)


async def a_campaign(client: httpx.AsyncClient, **fields: Any) -> str:
    answer = await client.post("/v1/campaigns", json=SPRING | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["campaign_id"])


async def report(client: httpx.AsyncClient, name: str, **params: Any) -> dict[str, Any]:
    answer = await client.get(f"/v1/reports/{name}", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def rows(client: httpx.AsyncClient, name: str, key: str, **params: Any) -> dict[Any, dict[str, Any]]:
    return {row[key]: row for row in (await report(client, name, **params))["rows"]}
