"""What robots did, kept apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "withheld",
        sa.Column("interaction_id", sa.String, primary_key=True),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("sign", sa.String, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("capture", sa.LargeBinary, nullable=False),
        sa.Column("released_at", UtcDateTime, nullable=True),
        sa.Column("released_by", sa.String, nullable=True),
        sa.Column("release_reason", sa.String, nullable=True),
        sa.Column("person_id", sa.String, nullable=True),
    )
    op.create_index("withheld_of_source", "withheld", ["source_id", "interaction_id"])
    op.create_index("withheld_age", "withheld", ["received_at"])
