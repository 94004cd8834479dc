"""Fragments, the links between them, what was refused or remarked, and accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _fragments()
    _links()
    _doubts()
    op.create_table(
        "account",
        sa.Column("account_id", sa.String, primary_key=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("group_id", sa.String, nullable=True, unique=True),
        sa.Column("domain", sa.String, nullable=True, unique=True),
        sa.Column("name_key", sa.String, nullable=True, unique=True),
        sa.Column("name", sa.String, nullable=True),
        sa.Column("traits", JsonDocument, nullable=False),
        sa.Column("survivor_id", sa.String, nullable=True),
    )
    op.create_index("ix_account_survivor_id", "account", ["survivor_id"])


def _fragments() -> None:
    op.create_table(
        "fragment",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=True),
        sa.Column("value", sa.String, nullable=True),
        sa.Column("cluster_id", sa.String, nullable=False),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("graph_version", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("account_id", sa.String, nullable=True),
        sa.Column("account_claimed_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("kind", "value", name="fragment_identifier"),
    )
    op.create_index("ix_fragment_person_id", "fragment", ["person_id"])
    op.create_index("ix_fragment_account_id", "fragment", ["account_id"])


def _links() -> None:
    op.create_table(
        "link",
        sa.Column("link_id", sa.String, primary_key=True),
        sa.Column("left_id", sa.String, sa.ForeignKey("fragment.fragment_id"), nullable=False),
        sa.Column("right_id", sa.String, sa.ForeignKey("fragment.fragment_id"), nullable=False),
        sa.Column("strength", sa.String, nullable=False),
        sa.Column("evidence_id", sa.String, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("reason", sa.String, nullable=True),
        sa.Column("verified_by", sa.String, nullable=True),
        sa.Column("verified_at", UtcDateTime, nullable=True),
        sa.Column("cut_at", UtcDateTime, nullable=True),
        sa.Column("cut_by", sa.String, nullable=True),
        sa.Column("cut_reason", sa.String, nullable=True),
    )
    automatic = sa.text("strength != 'manual'")
    cut = sa.text("strength != 'manual' AND cut_at IS NOT NULL")
    op.create_index("ix_link_right_id", "link", ["right_id"])
    op.create_index("link_left", "link", ["left_id"])
    op.create_index(
        "link_pair", "link", ["left_id", "right_id"], unique=True, sqlite_where=automatic, postgresql_where=automatic
    )
    op.create_index("link_cut", "link", ["left_id"], sqlite_where=cut, postgresql_where=cut)


def _doubts() -> None:
    op.create_table(
        "refusal",
        sa.Column("refusal_id", sa.String, primary_key=True),
        sa.Column("left_id", sa.String, nullable=False),
        sa.Column("right_id", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("strength", sa.String, nullable=False),
        sa.Column("evidence_id", sa.String, nullable=False),
        sa.Column("first_at", UtcDateTime, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
    )
    op.create_index("ix_refusal_left_id", "refusal", ["left_id"])
    op.create_index("ix_refusal_right_id", "refusal", ["right_id"])
    op.create_table(
        "remark",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("reason", sa.String, primary_key=True),
        sa.Column("interaction_id", sa.String, nullable=False),
        sa.Column("first_at", UtcDateTime, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
    )
