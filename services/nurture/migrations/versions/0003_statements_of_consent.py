"""Consent as three maxima per fragment and channel; `consent` stays for old code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "latest_consent",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("origin_id", sa.String, primary_key=True),
        sa.Column("consent", sa.String, nullable=False),
        sa.Column("strength", sa.String, nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("interaction_id", sa.String, nullable=False),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("wording", sa.Text, nullable=True),
    )
