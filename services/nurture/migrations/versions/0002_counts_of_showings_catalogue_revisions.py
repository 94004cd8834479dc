"""What was shown is a count per fragment and treatment; receipts refer to a revision of the catalogue."""

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
        "shown",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("treatment_id", sa.String, primary_key=True),
        sa.Column("is_test", sa.Boolean, primary_key=True),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
    )
    op.execute(
        "INSERT INTO shown (fragment_id, treatment_id, is_test, times, last_at) SELECT fragment_id, treatment_id,"
        " is_test, count(*), max(at) FROM showing GROUP BY fragment_id, treatment_id, is_test"
    )
    op.drop_index("showing_by_fragment", "showing")
    op.drop_table("showing")
    op.create_table(
        "catalogue",
        sa.Column("catalogue_id", sa.String, primary_key=True),
        sa.Column("labels", sa.Text, nullable=False),
    )
