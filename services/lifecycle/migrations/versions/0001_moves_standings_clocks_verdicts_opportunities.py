"""Fragments, cards, moves, standings, clocks, verdicts, opportunities, receipts, rulebooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import ExactNumber, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _moves()
    _clocks()
    _humans()
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


def _moves() -> None:
    op.create_table(
        "move",
        sa.Column("move_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("covers", sa.Text, nullable=False),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("previous", sa.String, nullable=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("rulebook", sa.String, nullable=False),
        sa.Column("receipt_id", sa.String, nullable=False),
        sa.Column("by", sa.String, nullable=True),
        sa.Column("reason", sa.String, nullable=True),
    )
    op.create_index("move_number", "move", ["fragment_id", "seq"], unique=True)
    op.create_table(
        "standing",
        sa.Column("person_id", sa.String, primary_key=True),
        sa.Column("is_present", sa.Boolean, nullable=False),
        sa.Column("stage", sa.String, nullable=True),
        sa.Column("move_id", sa.String, nullable=True),
        sa.Column("move_home", sa.String, nullable=True),
        sa.Column("since", UtcDateTime, nullable=True),
        sa.Column("entered_at", UtcDateTime, nullable=True),
        sa.Column("latest_at", UtcDateTime, nullable=True),
        sa.Column("homes", sa.Text, nullable=False),
        sa.Column("points_e4", sa.BigInteger, nullable=False),
        sa.Column("points_of", sa.String, nullable=True),
        sa.Column("is_test", sa.Boolean, nullable=False),
    )
    op.create_index("standing_by_stage", "standing", ["stage", "entered_at", "person_id"])
    op.create_index("standing_by_entry", "standing", ["entered_at", "person_id"])


def _clocks() -> None:
    op.create_table(
        "clock",
        sa.Column("clock_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("stops", sa.Text, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("remind_at", UtcDateTime, nullable=True),
        sa.Column("is_reminded", sa.Boolean, nullable=False),
        sa.Column("breached_at", UtcDateTime, nullable=True),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.Column("is_test", sa.Boolean, nullable=False),
    )
    runs = sa.text("ended_at IS NULL")
    op.create_index("clock_running", "clock", ["fragment_id"], sqlite_where=runs, postgresql_where=runs)


def _humans() -> None:
    op.create_table(
        "verdict",
        sa.Column("verdict_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("move_id", sa.String, nullable=False),
        sa.Column("verb", sa.String, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("reason", sa.String, nullable=True),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("to_stage", sa.String, nullable=True),
        sa.Column("wake_at", UtcDateTime, nullable=True),
        sa.Column("bant", sa.Text, nullable=False),
    )
    op.create_index("verdict_by_move", "verdict", ["move_id", "at"])
    op.create_table(
        "opportunity",
        sa.Column("opportunity_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("amount", ExactNumber, nullable=True),
        sa.Column("currency", sa.String, nullable=True),
        sa.Column("step", sa.String, nullable=True),
        sa.Column("external_id", sa.String, nullable=True, unique=True),
        sa.Column("closed_at", UtcDateTime, nullable=True),
        sa.Column("reason", sa.String, nullable=True),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("is_test", sa.Boolean, nullable=False),
    )
    op.create_index("opportunity_of_fragment", "opportunity", ["fragment_id"])
    op.create_index("opportunity_by_creation", "opportunity", ["created_at", "opportunity_id"])


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
