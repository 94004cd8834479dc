"""Sources, forms, keys and rejects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument, Serial, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source",
        sa.Column("source_id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("write_key_hash", sa.String, nullable=False, unique=True),
        sa.Column("write_key_hint", sa.String, nullable=False),
        sa.Column("prefixes", JsonDocument, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "form",
        sa.Column("form_id", sa.String, primary_key=True),
        sa.Column("source_id", sa.String, sa.ForeignKey("source.source_id"), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("preset", sa.String, nullable=True),
        sa.Column("mapping", JsonDocument, nullable=False),
        sa.Column("honeypot", sa.String, nullable=True),
        sa.Column("return_urls", JsonDocument, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_form_source_id", "form", ["source_id"])
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.String, primary_key=True),
        sa.Column("key_hash", sa.String, nullable=False, unique=True),
        sa.Column("hint", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("roles", JsonDocument, nullable=False),
        sa.Column("rep_id", sa.String, nullable=True),
        sa.Column("teams", JsonDocument, nullable=False),
        sa.Column("is_revoked", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "reject",
        sa.Column("reject_id", Serial, primary_key=True, autoincrement=True),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("excerpt", sa.String, nullable=False),
    )
    op.create_index("ix_reject_source_id", "reject", ["source_id"])
