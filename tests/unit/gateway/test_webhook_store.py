"""The rows of webhooks, on both kinds of store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from chassis.store.database import Database
from gateway import store
from gateway.domain.webhooks.limits import WEBHOOK_LOG, WEBHOOK_LOG_DAYS
from gateway.webhooks import delivery_log, registry
from gateway.webhooks.delivery_log import DeliveryFilter, Queue, Result
from gateway.webhooks.registry import Advance
from gateway.webhooks.tables import DeliveryState, Purpose, WebhookPlaceRow, WebhookRow
from tests.support.stores import prepare

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SOON = NOW + timedelta(seconds=20)


@pytest_asyncio.fixture
async def rows(store_url: str) -> AsyncIterator[Database]:
    await prepare(store_url, "gateway.migrations")
    database = Database(store_url)
    async with database.begin() as session:
        for webhook_id in ("whk_1", "whk_2"):
            known: dict[str, Any] = {
                "types": ["*"],
                "secrets": [],
                "is_enabled": True,
                "description": "",
                "created_by": "ana",
            }
            known |= {"created_at": NOW, "counted_from": NOW}
            await store.add(session, WebhookRow(webhook_id=webhook_id, url="https://a.example/", **known))
        await registry.begin(session, [place(), place(Purpose.REPLAY, until=50, remaining=3)])
    yield database
    await database.close()


def place(purpose: Purpose = Purpose.LIVE, **others: Any) -> WebhookPlaceRow:
    known: dict[str, Any] = {
        "webhook_id": "whk_1",
        "stream": "LIFECYCLE",
        "purpose": purpose.value,
        "position": 5,
        "read_at": NOW,
    }
    return WebhookPlaceRow(**known, **others)


def found(*numbers: int) -> list[dict[str, Any]]:
    return [{"sequence": n, "event_id": f"evt_{n}", "event_type": "lifecycle.stage.entered.v1"} for n in numbers]


async def test_one_worker_at_a_time_has_a_webhook_and_a_dead_one_loses_it(rows: Database) -> None:
    async with rows.begin() as session:
        assert await registry.claim(session, "whk_1", "a", NOW, SOON)
        assert not await registry.claim(session, "whk_1", "b", NOW, SOON)
        assert await registry.claim(session, "whk_1", "a", NOW, SOON)
        assert await registry.claim(session, "whk_2", "b", NOW, SOON)
        assert await registry.claim(session, "whk_1", "b", SOON, SOON + timedelta(seconds=20))
        await registry.release(session, "whk_1", "a")  # no longer its own
        assert not await registry.claim(session, "whk_1", "a", SOON, SOON)
        await registry.release(session, "whk_1", "b")
        assert await registry.claim(session, "whk_1", "a", SOON, SOON)


async def test_a_place_moves_once_and_a_replay_ends(rows: Database) -> None:
    async with rows.begin() as session:
        assert await registry.advance(session, place(), Advance(9, 4, NOW))
        assert not await registry.advance(session, place(), Advance(9, 4, NOW))
        replay = place(Purpose.REPLAY, until=50, remaining=3)
        assert await registry.advance(session, replay, Advance(20, 2, NOW))
        left = {one.purpose: (one.position, one.remaining) for one in await registry.places(session, "whk_1")}
        assert left == {"live": (9, None), "replay": (20, 1)}
        (again,) = [one for one in await registry.places(session) if one.purpose == Purpose.REPLAY]
        assert await registry.advance(session, again, Advance(30, 1, NOW))
        assert [one.purpose for one in await registry.places(session)] == ["live"]
        await registry.forget_places(session, "whk_1", ["LIFECYCLE"])
        assert await registry.places(session) == []


async def test_what_waits_is_not_doubled_and_what_was_sent_is_sent_again_by_a_replay(rows: Database) -> None:
    async with rows.begin() as session:
        await delivery_log.add(session, place(), found(6, 7), NOW)
        await delivery_log.add(session, place(), found(7, 8), SOON)
        assert await delivery_log.queues(session) == {"whk_1": Queue(3, NOW)}
        first, *_ = await delivery_log.due(session, "whk_1", NOW, 10)
        assert first.delivery_id is not None
        sent = Result(first.delivery_id, 1, DeliveryState.DELIVERED, None, NOW, 204, 12, "", "")
        await delivery_log.settle(session, "whk_1", [sent])
        assert [row.sequence for row in await delivery_log.due(session, "whk_1", SOON, 10)] == [7, 8]
        await delivery_log.add(session, place(), found(6), SOON)
        assert [row.sequence for row in await delivery_log.due(session, "whk_1", SOON, 10)] == [7, 8, 6]
        await delivery_log.skip(session, "whk_1", "left out")
        assert await delivery_log.waiting(session) == 0
        page = await delivery_log.page(session, DeliveryFilter("whk_1", state=DeliveryState.FAILED), 2)
        assert [(row.sequence, row.error) for row in page] == [(6, "left out"), (8, "left out")]
        assert page[-1].delivery_id is not None
        await delivery_log.send_again(session, page[-1].delivery_id, SOON)
        assert [row.sequence for row in await delivery_log.due(session, "whk_1", SOON, 10)] == [8]
        await registry.remove(session, "whk_1")
        assert await delivery_log.waiting(session) == 0
        assert await registry.count(session) == 1


async def test_the_log_has_a_size_and_an_age(rows: Database) -> None:
    many = WEBHOOK_LOG + 30
    async with rows.begin() as session:
        await delivery_log.add(session, place(), found(*range(many)), NOW)
        await delivery_log.skip(session, "whk_1", "left out")
        await delivery_log.add(session, place(), found(many, many + 1), NOW)
        first, _ = await delivery_log.due(session, "whk_1", NOW, 10)
        assert first.delivery_id is not None
        await delivery_log.settle(session, "whk_1", [Result(first.delivery_id, 1, DeliveryState.FAILED, None, NOW)])
        page = await delivery_log.page(session, DeliveryFilter("whk_1"), many + 9)
        assert len(page) == WEBHOOK_LOG + 1  # and what waits
        await delivery_log.forget_old(session, NOW + timedelta(days=WEBHOOK_LOG_DAYS, seconds=1))
        assert [row.state for row in await delivery_log.page(session, DeliveryFilter("whk_1"), 9)] == ["waiting"]


async def test_what_was_switched_off_by_itself_is_told(rows: Database) -> None:
    async with rows.begin() as session:
        await registry.change(session, "whk_1", {"is_enabled": False, "off_reason": "It answered 410 Gone"})
        await registry.change(session, "whk_2", {"failing_since": NOW})
        assert await registry.off(session) == [("whk_1", "It answered 410 Gone")]
        assert await registry.failing(session) == 1
        assert [one.webhook_id for one in await registry.enabled(session)] == ["whk_2"]
