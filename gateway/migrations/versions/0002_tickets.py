"""Tickets for the alert stream."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket",
        sa.Column("ticket_hash", sa.String, primary_key=True),
        sa.Column("key_hash", sa.String, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_ticket_expires_at", "ticket", ["expires_at"])
