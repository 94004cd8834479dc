"""Whoever has not moved is where everybody begins, without a move: what is left to
keep of them is when they were first seen.

First moves that were written before stay: they are the history of those people, and say the same.
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
    op.add_column("standing", sa.Column("seen_at", UtcDateTime, nullable=True))
