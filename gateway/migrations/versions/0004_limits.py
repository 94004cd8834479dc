"""How many events a source may send a minute, and the pages that may use its key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # nullable, so that a gateway of before may write beside this one
    op.add_column("source", sa.Column("origins", JsonDocument, nullable=True))
    op.add_column("source", sa.Column("events_a_minute", sa.Integer, nullable=True))
