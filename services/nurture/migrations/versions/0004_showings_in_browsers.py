"""What pages were handed out for one browser is counted apart from what was chosen for the person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shown_in_browser",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("treatment_id", sa.String, primary_key=True),
        sa.Column("is_test", sa.Boolean, primary_key=True),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
    )
