"""The inbox by stream, with a floor a lane and the letters a service gave up; what was
known before stays, to be asked as well.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _put_by()
    _inbox()
    _floor()
    _dead_letter()


def _put_by() -> None:
    # the old rows do not say which stream they are of: they are not copied, and go as they would have
    op.rename_table("inbox", "inbox_before")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER INDEX inbox_pkey RENAME TO inbox_before_pkey")
        op.execute("ALTER INDEX inbox_age RENAME TO inbox_before_age")


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("stream", sa.String, primary_key=True),
        sa.Column("message_id", sa.String, primary_key=True),
        sa.Column("lane", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("claimed_at", sa.BigInteger, nullable=True),
        sqlite_with_rowid=False,
    )
    aged = sa.text("claimed_at IS NOT NULL")
    op.create_index("inbox_age", "inbox", ["claimed_at"], sqlite_where=aged, postgresql_where=aged)


def _floor() -> None:
    op.create_table(
        "inbox_floor",
        sa.Column("stream", sa.String, primary_key=True),
        sa.Column("lane", sa.Integer, primary_key=True),
        sa.Column("lanes", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("stored_at", UtcDateTime, nullable=False),
    )


def _dead_letter() -> None:
    op.create_table(
        "dead_letter",
        sa.Column("origin", sa.String, primary_key=True),
        sa.Column("message_id", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("died_at", UtcDateTime, nullable=False),
        sa.Column("replayed_at", UtcDateTime, nullable=True),
    )
