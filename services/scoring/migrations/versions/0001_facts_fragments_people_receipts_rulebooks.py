"""Facts, fragments, people, receipts, rulebooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _fragments_and_facts()
    _people()
    _receipts()
    _rulebooks()


def _fragments_and_facts() -> None:
    op.create_table(
        "fragment",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("graph_version", sa.BigInteger, nullable=False),
        sa.Column("sums", sa.Text, nullable=False),
        sa.Column("latest_at", UtcDateTime, nullable=True),
        sa.Column("is_test", sa.Boolean, nullable=False),
    )
    op.create_index("ix_fragment_person_id", "fragment", ["person_id"])
    op.create_table(
        "fact",
        sa.Column("interaction_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("heard_at", UtcDateTime, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=True),
        sa.Column("has_traits", sa.Boolean, nullable=False),
        sa.Column("strength", sa.String, nullable=False),
        sa.Column("rulebook_version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("fact_timeline", "fact", ["fragment_id", "occurred_at", "interaction_id"])
    has_traits = sa.text("has_traits")
    op.create_index("fact_with_traits", "fact", ["fragment_id"], sqlite_where=has_traits, postgresql_where=has_traits)


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("person_id", sa.String, primary_key=True),
        sa.Column("graph_version", sa.BigInteger, nullable=False),
        sa.Column("evaluated_at", UtcDateTime, nullable=False),
        sa.Column("latest_at", UtcDateTime, nullable=True),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("held", sa.Text, nullable=False),
        sa.Column("fit_version", sa.Integer, nullable=True),
        sa.Column("last_trait_at", UtcDateTime, nullable=True),
        sa.Column("last_trait_id", sa.String, nullable=True),
        sa.Column("sums", sa.Text, nullable=False),
        sa.Column("said_fit_e4", sa.BigInteger, nullable=True),
        sa.Column("said_engagement_e4", sa.BigInteger, nullable=True),
        sa.Column("said_cell", sa.String, nullable=True),
        sa.Column("said_at", UtcDateTime, nullable=True),
        sa.Column("fades_at", UtcDateTime, nullable=True),
        sa.Column("search", sa.Text, nullable=False),
    )


def _receipts() -> None:
    op.create_table(
        "receipt",
        sa.Column("receipt_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("measure", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("rulebook", sa.String, nullable=False),
        sa.Column("points_e4", sa.BigInteger, nullable=False),
        sa.Column("half_life", sa.BigInteger, nullable=True),
        sa.Column("cause_id", sa.String, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
    )
    op.create_index("receipt_timeline", "receipt", ["fragment_id", "at", "receipt_id"])


def _rulebooks() -> None:
    op.create_table(
        "rulebook",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String, nullable=False, unique=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("activated_at", UtcDateTime, nullable=True),
        sa.Column("activated_by", sa.String, nullable=True),
    )
    is_active = sa.text("state = 'active'")
    op.create_index(
        "rulebook_active", "rulebook", ["state"], unique=True, sqlite_where=is_active, postgresql_where=is_active
    )
