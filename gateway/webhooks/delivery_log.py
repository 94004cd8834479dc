"""The rows of deliveries: what waits, what was sent, and what came of it. Settled ones are kept as a log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, case, delete, func, select, update

from chassis.store.batch import insert_or_skip, one_of
from chassis.store.session import Session
from gateway.domain.webhooks.limits import WEBHOOK_LOG, WEBHOOK_LOG_DAYS
from gateway.webhooks.tables import DELIVERY, DeliveryState, WebhookDeliveryRow, WebhookPlaceRow

_UNSETTLED = DELIVERY.c.state == DeliveryState.WAITING


class Queue(NamedTuple):
    """How many deliveries wait, and when the first is due."""

    waiting: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one attempt."""

    delivery_id: int
    attempts: int
    state: DeliveryState
    next_attempt_at: datetime | None
    attempted_at: datetime
    status: int | None = None
    latency_ms: int | None = None
    answer: str | None = None
    error: str | None = None


class DeliveryFilter(NamedTuple):
    """The newest deliveries of a webhook; those before the one with id `before`; those in one state."""

    webhook_id: str
    before: int | None = None
    state: DeliveryState | None = None


async def queues(session: Session) -> dict[str, Queue]:
    """What waits, by webhook."""
    columns = (DELIVERY.c.webhook_id, func.count().label("waiting"), func.min(DELIVERY.c.next_attempt_at).label("due"))
    query = select(*columns).where(_UNSETTLED).group_by(DELIVERY.c.webhook_id)
    return {row.webhook_id: Queue(row.waiting, row.due) for row in await session.execute(query)}


async def waiting(session: Session, webhook_id: str | None = None) -> int:
    """How many deliveries wait, of one webhook or of all."""
    query = select(func.count()).select_from(DELIVERY).where(_UNSETTLED)
    return int(await session.scalar(query if webhook_id is None else query.where(_of(webhook_id))))


async def add(session: Session, place: WebhookPlaceRow, found: Sequence[dict[str, Any]], now: datetime) -> None:
    """Let these events of a stream wait for being sent, `found` each with sequence, event_id and event_type. What a
    replay brings again is sent again; what still waits is not doubled.
    """
    if not found:
        return
    here = and_(_of(place.webhook_id), DELIVERY.c.stream == place.stream)
    again = one_of(DELIVERY.c.sequence, [one["sequence"] for one in found])
    await session.execute(delete(DELIVERY).where(here, again, DELIVERY.c.state != DeliveryState.WAITING))
    waits = {"state": DeliveryState.WAITING.value, "attempts": 0, "created_at": now, "next_attempt_at": now}
    rows = [{"webhook_id": place.webhook_id, "stream": place.stream, **one, **waits} for one in found]
    await insert_or_skip(session, WebhookDeliveryRow, rows, keys=("webhook_id", "stream", "sequence"))


async def due(session: Session, webhook_id: str, now: datetime, limit: int) -> list[WebhookDeliveryRow]:
    """Deliveries to be sent now, those that waited longest first."""
    query = select(DELIVERY).where(_of(webhook_id), _UNSETTLED, DELIVERY.c.next_attempt_at <= now)
    rows = await session.execute(query.order_by(DELIVERY.c.next_attempt_at, DELIVERY.c.delivery_id).limit(limit))
    return [WebhookDeliveryRow(**row._asdict()) for row in rows]


async def settle(session: Session, webhook_id: str, results: Sequence[Result]) -> None:
    """Write what came of these, and forget the oldest of the log beyond its size."""
    for result in results:
        values = {
            "state": result.state.value,
            "attempts": result.attempts,
            "next_attempt_at": result.next_attempt_at,
            "attempted_at": result.attempted_at,
            "status": result.status,
            "latency_ms": result.latency_ms,
            "answer": result.answer,
            "error": result.error,
        }
        await session.execute(update(DELIVERY).where(DELIVERY.c.delivery_id == result.delivery_id).values(**values))
    settled = and_(_of(webhook_id), DELIVERY.c.state != DeliveryState.WAITING)
    number = DELIVERY.c.delivery_id
    too_many = select(number).where(settled).order_by(number.desc()).offset(WEBHOOK_LOG).limit(1).scalar_subquery()
    await session.execute(delete(DELIVERY).where(settled, number <= too_many))


async def hasten(session: Session, webhook_id: str, now: datetime) -> None:
    """The receiver is there again: what failed while it was not is due now."""
    late = and_(_of(webhook_id), _UNSETTLED, DELIVERY.c.next_attempt_at > now)
    await session.execute(update(DELIVERY).where(late).values(next_attempt_at=now))


async def skip(session: Session, webhook_id: str, reason: str) -> None:
    """What waits is not sent."""
    values = {"state": DeliveryState.FAILED.value, "next_attempt_at": None, "error": reason}
    await session.execute(update(DELIVERY).where(_of(webhook_id), _UNSETTLED).values(**values))


async def get(session: Session, webhook_id: str, delivery_id: int) -> WebhookDeliveryRow | None:
    """One delivery of a webhook."""
    query = select(DELIVERY).where(_of(webhook_id), DELIVERY.c.delivery_id == delivery_id)
    row = (await session.execute(query)).first()
    return None if row is None else WebhookDeliveryRow(**row._asdict())


async def send_again(session: Session, delivery_id: int, now: datetime) -> None:
    """Due now, with all attempts before it; what waits keeps those it had."""
    attempts = case((_UNSETTLED, DELIVERY.c.attempts), else_=0)
    values = {"state": DeliveryState.WAITING.value, "attempts": attempts, "next_attempt_at": now}
    await session.execute(update(DELIVERY).where(DELIVERY.c.delivery_id == delivery_id).values(**values))


async def page(session: Session, wanted: DeliveryFilter, limit: int) -> list[WebhookDeliveryRow]:
    """Deliveries, newest first."""
    query = select(DELIVERY).where(_of(wanted.webhook_id)).order_by(DELIVERY.c.delivery_id.desc()).limit(limit)
    if wanted.before is not None:
        query = query.where(DELIVERY.c.delivery_id < wanted.before)
    if wanted.state is not None:
        query = query.where(DELIVERY.c.state == wanted.state)
    return [WebhookDeliveryRow(**row._asdict()) for row in await session.execute(query)]


async def forget_old(session: Session, now: datetime) -> None:
    """Remove what was settled and is older than the log goes back."""
    oldest = now - timedelta(days=WEBHOOK_LOG_DAYS)
    settled = and_(DELIVERY.c.state != DeliveryState.WAITING, DELIVERY.c.created_at < oldest)
    await session.execute(delete(DELIVERY).where(settled))


def _of(webhook_id: str) -> Any:
    return DELIVERY.c.webhook_id == webhook_id
