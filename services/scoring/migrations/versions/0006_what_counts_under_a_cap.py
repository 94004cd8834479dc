"""What counted lately under a cap is kept with the fragment; receipts that count are found past those of repeats."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNTS = sa.text("points_e4 <> 0")


def upgrade() -> None:
    op.add_column("fragment", sa.Column("counted", sa.Text, nullable=True))
    op.create_index(
        "receipt_that_counts",
        "receipt",
        ["fragment_id", "at", "receipt_id"],
        sqlite_where=_COUNTS,
        postgresql_where=_COUNTS,
    )
