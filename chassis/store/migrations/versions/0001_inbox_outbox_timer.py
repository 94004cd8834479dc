"""What was heard, what is to be said, and when to wake."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument, Serial, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _inbox()
    _outbox()
    _timer()


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String, primary_key=True),
        sa.Column("message_id", sa.String, primary_key=True),
        sa.Column("claimed_at", UtcDateTime, nullable=False),
    )
    if op.get_context().dialect.name == "postgresql":
        op.create_index("inbox_age", "inbox", ["claimed_at"], postgresql_using="brin")


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", Serial, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("headers", JsonDocument, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("published_at", UtcDateTime, nullable=True),
        sqlite_autoincrement=True,
    )
    waiting = sa.text("published_at IS NULL")
    op.create_index("outbox_waiting", "outbox", ["id"], sqlite_where=waiting, postgresql_where=waiting)


def _timer() -> None:
    op.create_table(
        "timer",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("fire_at", UtcDateTime, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("payload", JsonDocument, nullable=False),
    )
    op.create_index("timer_waiting", "timer", ["kind", "fire_at"])
