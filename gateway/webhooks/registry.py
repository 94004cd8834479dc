"""The rows of webhooks and of how far they have read. Operators write some columns, the sender others, each its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, func, or_, select, update

from chassis.store.batch import upsert
from chassis.store.session import Session
from gateway.webhooks.tables import DELIVERY, PLACE, WEBHOOK, WebhookPlaceRow, WebhookRow


async def count(session: Session) -> int:
    """How many there are."""
    return int(await session.scalar(select(func.count()).select_from(WEBHOOK)))


async def enabled(session: Session) -> list[WebhookRow]:
    """Those that are sent to; few, and in the order they were made."""
    rows = await session.execute(select(WEBHOOK).where(WEBHOOK.c.is_enabled).order_by(WEBHOOK.c.webhook_id))
    return [WebhookRow(**row._asdict()) for row in rows]


async def change(session: Session, webhook_id: str, values: Mapping[str, Any]) -> None:
    """Write these columns of one webhook, and no others."""
    if values:
        await session.execute(update(WEBHOOK).where(WEBHOOK.c.webhook_id == webhook_id).values(**values))


async def remove(session: Session, webhook_id: str) -> None:
    """Take a webhook away, with all that is kept of it."""
    for table in (DELIVERY, PLACE, WEBHOOK):
        await session.execute(delete(table).where(table.c.webhook_id == webhook_id))


async def claim(session: Session, webhook_id: str, worker: str, now: datetime, until: datetime) -> bool:
    """Whether `worker` is the one that sends to it until then, whichever process asks first."""
    is_free = or_(WEBHOOK.c.claimed_until.is_(None), WEBHOOK.c.claimed_until <= now, WEBHOOK.c.claimed_by == worker)
    mine = and_(WEBHOOK.c.webhook_id == webhook_id, WEBHOOK.c.is_enabled, is_free)
    claimed = update(WEBHOOK).where(mine).values(claimed_by=worker, claimed_until=until)
    return bool(await session.execute(claimed.returning(WEBHOOK.c.webhook_id)))


async def release(session: Session, webhook_id: str, worker: str) -> None:
    """Let others send to it."""
    mine = and_(WEBHOOK.c.webhook_id == webhook_id, WEBHOOK.c.claimed_by == worker)
    await session.execute(update(WEBHOOK).where(mine).values(claimed_by=None, claimed_until=None))


async def places(session: Session, webhook_id: str | None = None) -> list[WebhookPlaceRow]:
    """Up to where one webhook has read, or all of them."""
    query = select(PLACE).order_by(PLACE.c.webhook_id, PLACE.c.stream, PLACE.c.purpose)
    rows = await session.execute(query if webhook_id is None else query.where(PLACE.c.webhook_id == webhook_id))
    return [WebhookPlaceRow(**row._asdict()) for row in rows]


async def begin(session: Session, places: Sequence[WebhookPlaceRow]) -> None:
    """Read from these places on."""
    await upsert(session, WebhookPlaceRow, [place.model_dump() for place in places])


class Advance(NamedTuple):
    """How far was read now, and how many events that brought."""

    position: int
    taken: int
    at: datetime


async def advance(session: Session, place: WebhookPlaceRow, step: Advance) -> bool:
    """Move on from where `place` was read; false when somebody else moved it meanwhile, who then has what was read."""
    this = and_(
        PLACE.c.webhook_id == place.webhook_id,
        PLACE.c.stream == place.stream,
        PLACE.c.purpose == place.purpose,
        PLACE.c.position == place.position,
    )
    remaining = None if place.remaining is None else place.remaining - step.taken
    is_over = (place.until is not None and step.position >= place.until) or (remaining is not None and remaining <= 0)
    if is_over:
        return bool(await session.execute(delete(PLACE).where(this).returning(PLACE.c.stream)))
    moved = update(PLACE).where(this).values(position=step.position, remaining=remaining, read_at=step.at)
    return bool(await session.execute(moved.returning(PLACE.c.stream)))


async def forget_places(session: Session, webhook_id: str, streams: Sequence[str]) -> None:
    """Read these streams no more, for whatever purpose."""
    if streams:
        this = and_(PLACE.c.webhook_id == webhook_id, PLACE.c.stream.in_(list(streams)))
        await session.execute(delete(PLACE).where(this))


async def off(session: Session) -> list[tuple[str, str]]:
    """(id, reason) of those that were switched off because of what they answered, or did not."""
    switched = and_(WEBHOOK.c.is_enabled.is_(False), WEBHOOK.c.off_reason.is_not(None))
    query = select(WEBHOOK.c.webhook_id, WEBHOOK.c.off_reason).where(switched).order_by(WEBHOOK.c.webhook_id)
    return [(row.webhook_id, row.off_reason) for row in await session.execute(query)]


async def failing(session: Session) -> int:
    """How many that are sent to have answered nothing well since something failed."""
    query = select(func.count()).select_from(WEBHOOK)
    return int(await session.scalar(query.where(WEBHOOK.c.is_enabled, WEBHOOK.c.failing_since.is_not(None))))
