"""What cannot go on is set aside: refused events beside the outbox, reasons beside timers.
Outbox rows go as soon as the broker has them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument, Serial, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _forget_published()
    op.create_table(
        "outbox_refused",
        sa.Column("number", Serial, primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("headers", JsonDocument, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("refused_at", UtcDateTime, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
    )
    op.add_column("timer", sa.Column("reason", sa.String, nullable=True))
    is_failing = sa.text("attempts >= 3")
    op.create_index("timer_failing", "timer", ["kind"], sqlite_where=is_failing, postgresql_where=is_failing)


def _forget_published() -> None:
    # what the broker has is not needed any more; what waits stays as it is, under its number
    op.execute("DELETE FROM outbox WHERE published_at IS NOT NULL")
    op.drop_index("outbox_waiting", "outbox")
    op.drop_column("outbox", "published_at")
