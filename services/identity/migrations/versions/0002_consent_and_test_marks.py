"""Consent per fragment and channel, and who was marked as a test by whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fragment", sa.Column("marked_by", sa.String, nullable=True))
    op.add_column("fragment", sa.Column("marked_at", UtcDateTime, nullable=True))
    op.create_table(
        "consent",
        sa.Column("fragment_id", sa.String, sa.ForeignKey("fragment.fragment_id"), primary_key=True),
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("consent", sa.String, nullable=False),
        sa.Column("interaction_id", sa.String, nullable=False),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("wording", sa.String, nullable=True),
        sa.Column("strength", sa.String, nullable=False),
    )
