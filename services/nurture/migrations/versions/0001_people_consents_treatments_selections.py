"""Fragments, cards, people, consents, treatments with their revisions, selections, receipts, rulebooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _consents()
    _treatments()
    _selections()
    _receipts()
    _rulebooks()


def _people() -> None:
    op.create_table(
        "fragment",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("graph_version", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_fragment_person_id", "fragment", ["person_id"])
    op.create_table(
        "card",
        sa.Column("person_id", sa.String, primary_key=True),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("scores", sa.Text, nullable=True),
        sa.Column("highlights", sa.Text, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
    )
    op.create_table(
        "person",
        sa.Column("person_id", sa.String, primary_key=True),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("stage_at", UtcDateTime, nullable=True),
        sa.Column("told_at", UtcDateTime, nullable=True),
        sa.Column("buying_stage", sa.String, nullable=True),
        sa.Column("buying_rule", sa.String, nullable=True),
        sa.Column("buying_rulebook", sa.String, nullable=True),
        sa.Column("buying_sentence", sa.Text, nullable=True),
        sa.Column("is_test", sa.Boolean, nullable=False),
    )


def _consents() -> None:
    op.create_table(
        "consent",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("consent", sa.String, nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("interaction_id", sa.String, nullable=False),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("wording", sa.Text, nullable=True),
    )


def _treatments() -> None:
    op.create_table(
        "treatment",
        sa.Column("treatment_id", sa.String, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("external_id", sa.String, nullable=True, unique=True),
        sa.Column("is_starter", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "revision",
        sa.Column("treatment_id", sa.String, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("revised_at", UtcDateTime, nullable=False),
        sa.Column("revised_by", sa.String, nullable=False),
    )


def _selections() -> None:
    op.create_table(
        "selection",
        sa.Column("selection_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("trigger", sa.String, nullable=False),
        sa.Column("treatment_id", sa.String, nullable=True),
        sa.Column("revision", sa.Integer, nullable=True),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("buying_stage", sa.String, nullable=False),
        sa.Column("circumstances", sa.String, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=True),
    )
    op.create_index("selection_timeline", "selection", ["fragment_id", "at", "selection_id"])
    op.create_table(
        "showing",
        sa.Column("selection_id", sa.String, primary_key=True),
        sa.Column("treatment_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
    )
    op.create_index("showing_by_fragment", "showing", ["fragment_id", "treatment_id"])


def _receipts() -> None:
    op.create_table(
        "receipt",
        sa.Column("receipt_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
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
