"""Leads by rep and by account in the order of people: what somebody may see is found from what their reps have."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("referral_rep_person", "referral", ["rep_id", "person_id"])
    op.create_index("referral_account_person", "referral", ["account_id", "person_id"])
    op.create_index("ix_account_owner_rep_id", "account_owner", ["rep_id"])
