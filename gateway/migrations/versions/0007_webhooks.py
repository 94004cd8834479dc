"""Webhooks, how far each has read the streams, and what was sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument, Serial, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("webhook_id", sa.String, primary_key=True),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("types", JsonDocument, nullable=False),
        sa.Column("secrets", JsonDocument, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.Column("off_reason", sa.String, nullable=True),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("counted_from", UtcDateTime, nullable=False),
        sa.Column("failing_since", UtcDateTime, nullable=True),
        sa.Column("paused_until", UtcDateTime, nullable=True),
        sa.Column("delivered_at", UtcDateTime, nullable=True),
        sa.Column("claimed_by", sa.String, nullable=True),
        sa.Column("claimed_until", UtcDateTime, nullable=True),
    )
    op.create_table(
        "webhook_place",
        sa.Column("webhook_id", sa.String, primary_key=True),
        sa.Column("stream", sa.String, primary_key=True),
        sa.Column("purpose", sa.String, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("read_at", UtcDateTime, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=True),
        sa.Column("remaining", sa.Integer, nullable=True),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("delivery_id", Serial, primary_key=True, autoincrement=True),
        sa.Column("webhook_id", sa.String, nullable=False),
        sa.Column("stream", sa.String, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String, nullable=False),
        sa.Column("event_type", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime, nullable=True),
        sa.Column("attempted_at", UtcDateTime, nullable=True),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("latency_ms", sa.Integer, nullable=True),
        sa.Column("answer", sa.String, nullable=True),
        sa.Column("error", sa.String, nullable=True),
    )
    place = ["webhook_id", "stream", "sequence"]
    op.create_index("ux_webhook_delivery_place", "webhook_delivery", place, unique=True)
    op.create_index("ix_webhook_delivery_due", "webhook_delivery", ["state", "webhook_id", "next_attempt_at"])
    op.create_index("ix_webhook_delivery_newest", "webhook_delivery", ["webhook_id", "delivery_id"])
