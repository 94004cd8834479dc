"""Consent as three maxima per fragment and channel, and the history of statements; `consent` stays for old code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "latest_consent",
        sa.Column("fragment_id", sa.String, sa.ForeignKey("fragment.fragment_id"), primary_key=True),
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("origin_id", sa.String, primary_key=True),
        *_told(),
        sa.Column("is_told", sa.Boolean, nullable=False),
    )
    op.create_table(
        "consent_statement",
        sa.Column("fragment_id", sa.String, sa.ForeignKey("fragment.fragment_id"), primary_key=True),
        sa.Column("interaction_id", sa.String, primary_key=True),
        sa.Column("channel", sa.String, primary_key=True),
        *(column for column in _told() if column.name != "interaction_id"),
    )


def _told() -> list[sa.Column[object]]:
    return [
        sa.Column("consent", sa.String, nullable=False),
        sa.Column("interaction_id", sa.String, nullable=False),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("wording", sa.String, nullable=True),
        sa.Column("strength", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=True),
        sa.Column("evidence", JsonDocument, nullable=False),
    ]
