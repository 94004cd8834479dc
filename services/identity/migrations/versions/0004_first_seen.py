"""When what a fragment was first seen by happened; of those seen before, when it was received stands for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fragment", sa.Column("seen_at", UtcDateTime, nullable=True))
