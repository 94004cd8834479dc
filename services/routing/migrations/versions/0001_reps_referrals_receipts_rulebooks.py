"""Reps and their turns, owners of accounts, keys, referrals and offers; who is who, receipts, rulebooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _reps()
    _referrals()
    _people_and_receipts()
    _rulebooks()


def _reps() -> None:
    op.create_table(
        "rep",
        sa.Column("rep_id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("email", sa.String, nullable=True),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=True),
        sa.Column("teams", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("external_id", sa.String, nullable=True, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "credit",
        sa.Column("team", sa.String, primary_key=True),
        sa.Column("rep_id", sa.String, primary_key=True),
        sa.Column("credit", sa.String, nullable=False),
    )
    op.create_table(
        "account_owner",
        sa.Column("account_id", sa.String, primary_key=True),
        sa.Column("rep_id", sa.String, nullable=True),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("changed_by", sa.String, nullable=False),
    )
    op.create_table(
        "credential",
        sa.Column("rep_id", sa.String, primary_key=True),
        sa.Column("password_hash", sa.String, nullable=False),
        sa.Column("issued_at", UtcDateTime, nullable=False),
        sa.Column("issued_by", sa.String, nullable=False),
    )


def _referrals() -> None:
    op.create_table(
        "referral",
        sa.Column("referral_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("graph_version", sa.BigInteger, nullable=False),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("rep_id", sa.String, nullable=True),
        sa.Column("account_id", sa.String, nullable=True),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("ground", sa.Text, nullable=False),
        sa.Column("move", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("offered_at", UtcDateTime, nullable=True),
        sa.Column("due_at", UtcDateTime, nullable=True),
        sa.Column("stage_due_at", UtcDateTime, nullable=True),
        sa.Column("answered_at", UtcDateTime, nullable=True),
        sa.Column("accepted_rep_id", sa.String, nullable=True),
        sa.Column("is_overdue", sa.Boolean, nullable=False),
        sa.Column("is_settled", sa.Boolean, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("takes_room", sa.Boolean, nullable=False),
        sa.Column("closed_at", UtcDateTime, nullable=True),
        sa.Column("closed_because", sa.String, nullable=True),
        sa.Column("merged_into", sa.String, nullable=True),
    )
    op.create_index("referral_fragment", "referral", ["fragment_id"])
    op.create_index("referral_person", "referral", ["person_id"])
    op.create_index("referral_timeline", "referral", ["created_at", "referral_id"])
    op.create_index("referral_state", "referral", ["state", "created_at", "referral_id"])
    op.create_index("referral_rep", "referral", ["rep_id", "created_at", "referral_id"])
    takes_room = sa.text("takes_room")
    op.create_index("referral_room", "referral", ["rep_id"], sqlite_where=takes_room, postgresql_where=takes_room)
    op.create_table(
        "offer",
        sa.Column("referral_id", sa.String, primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rep_id", sa.String, nullable=False),
        sa.Column("offered_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=True),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=True),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.Column("reason", sa.String, nullable=True),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("by", sa.String, nullable=True),
    )


def _people_and_receipts() -> None:
    op.create_table(
        "fragment",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("graph_version", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_fragment_person_id", "fragment", ["person_id"])
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
