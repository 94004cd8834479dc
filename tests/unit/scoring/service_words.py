"""The vocabulary of tests on the running service: tell it what identity says, read what it says, ask it, and check its
sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
from sqlalchemy import text

from chassis.bus.broker import Broker
from chassis.store.database import Database
from contracts.envelope import Event
from contracts.events.catalogue import BY_WIRE_NAME
from contracts.events.scoring import ScoreChanged
from contracts.values import Interaction, InteractionKind
from tests.chassis.app.bus_words import stored
from tests.support.eventually import eventually
from tests.support.service import RunningService
from tests.unit.scoring.builders import an_interaction

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
VP = {
    "title": "VP Marketing",
    "email": "ada@acme.example",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "company": {"name": "Acme", "employees": 800},
}


def pricing(number: int, when: datetime = NOW) -> Interaction:
    """Each a page of its own: the same one again would count once."""
    path = f"/{number}/pricing"
    return an_interaction("Pricing", when=when, number=number, kind=InteractionKind.PAGE, properties={"path": path})


def demo(number: int, when: datetime = NOW) -> Interaction:
    return an_interaction("Demo Form Submitted", when=when, number=number)


async def said(broker: Broker, kind: type[Event] = ScoreChanged) -> list[Any]:
    """Everything of one kind on scoring's stream, in order."""
    messages = [message for message in await stored(broker, "SCORING") if message.headers["ce-type"] == kind.wire_name]
    return [BY_WIRE_NAME[message.headers["ce-type"]].from_wire(message.headers, message.body) for message in messages]


async def said_at_least(broker: Broker, count: int) -> list[ScoreChanged]:
    changed: list[ScoreChanged] = await said(broker)
    assert len(changed) >= count
    return changed


async def facts_in(database: Database) -> int:
    async with database.read() as session:
        return int(await session.scalar(text("SELECT count(*) FROM fact")) or 0)


async def recorded(scoring: RunningService, count: int) -> None:
    async def all_of_them() -> None:
        assert await facts_in(scoring.runtime.database) == count

    await eventually(all_of_them, within=15)


async def view(client: httpx.AsyncClient, person_id: str, **params: Any) -> dict[str, Any]:
    answer = await client.get(f"/v1/scoring/people/{person_id}", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def everything(client: httpx.AsyncClient, path: str, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = (await client.get(path, params={"limit": 40, **params, **({"cursor": cursor} if cursor else {})})).json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def worth(receipts: Sequence[dict[str, Any]], measure: str, moment: datetime) -> Decimal:
    """What anybody can work out from the receipts alone."""
    total = Decimal(0)
    for receipt in receipts:
        contribution = receipt["contribution"]
        if contribution["measure"] == measure:
            age = Decimal((moment - datetime.fromisoformat(receipt["at"])).total_seconds()) / 86400
            half_life = contribution["half_life_days"]
            total += Decimal(str(contribution["points"])) * (
                Decimal(1) if half_life is None else Decimal(2) ** (-age / Decimal(str(half_life)))
            )
    return total


async def everything_of(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (
            await client.get("/v1/scoring/people", params={"limit": 1, **({"cursor": cursor} if cursor else {})})
        ).json()
        items += page["items"]
        cursor = page["next_cursor"]
    return items
