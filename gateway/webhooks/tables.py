"""Webhooks, how far each has read the streams, and what was sent."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field

from chassis.store.batch import core_table
from chassis.store.columns import JsonDocument, Serial, UtcDateTime
from gateway.store import Table


class DeliveryState(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Purpose(StrEnum):
    """Why a webhook reads a stream."""

    LIVE = "live"
    REPLAY = "replay"


class WebhookRow(Table, table=True):
    """Whom to tell of what. `counted_from`: in a stream it has not read yet, what was stored since then is its own."""

    __tablename__ = "webhook"

    webhook_id: str = Field(primary_key=True)
    url: str
    description: str
    types: list[str] = Field(sa_column=Column(JsonDocument, nullable=False))
    secrets: list[dict[str, Any]] = Field(sa_column=Column(JsonDocument, nullable=False))
    is_enabled: bool
    off_reason: str | None = None
    created_by: str
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    counted_from: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    failing_since: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    paused_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    delivered_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    claimed_by: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class WebhookPlaceRow(Table, table=True):
    """Up to where, and when, a webhook has read a stream. A replay ends at `until`, or when `remaining` were taken."""

    __tablename__ = "webhook_place"

    webhook_id: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    read_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    until: int | None = Field(default=None, sa_column=Column(BigInteger))
    remaining: int | None = None


class WebhookDeliveryRow(Table, table=True):
    """One event for one webhook; its body stays on the stream."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ux_webhook_delivery_place", "webhook_id", "stream", "sequence", unique=True),
        Index("ix_webhook_delivery_due", "state", "webhook_id", "next_attempt_at"),
        Index("ix_webhook_delivery_newest", "webhook_id", "delivery_id"),
    )

    delivery_id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))
    webhook_id: str
    stream: str
    sequence: int = Field(sa_column=Column(BigInteger, nullable=False))
    event_id: str
    event_type: str
    state: str
    attempts: int
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    next_attempt_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    attempted_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    status: int | None = None
    latency_ms: int | None = None
    answer: str | None = None
    error: str | None = None


WEBHOOK, PLACE, DELIVERY = core_table(WebhookRow), core_table(WebhookPlaceRow), core_table(WebhookDeliveryRow)
