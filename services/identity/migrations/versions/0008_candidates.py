"""Who servers go by which names, who sent what links, and pairs of people that wait for a human."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fragment", sa.Column("vouched_at", UtcDateTime, nullable=True))
    # whom verified links join, servers went by; of names that stood alone it was not kept, and their next word says it
    op.execute(
        "UPDATE fragment SET vouched_at = created_at"
        " WHERE core_id IS NOT NULL AND kind IN ('user_id', 'email', 'phone')"
    )
    op.add_column("link", sa.Column("source_id", sa.String, nullable=True))
    op.create_table(
        "candidate",
        sa.Column("candidate_id", sa.String, primary_key=True),
        sa.Column("left_id", sa.String, sa.ForeignKey("fragment.fragment_id"), nullable=False),
        sa.Column("right_id", sa.String, sa.ForeignKey("fragment.fragment_id"), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("strength", sa.String, nullable=False),
        sa.Column("source_id", sa.String, nullable=True),
        sa.Column("first_at", UtcDateTime, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("claims", JsonDocument, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("decided_by", sa.String, nullable=True),
        sa.Column("decided_at", UtcDateTime, nullable=True),
        sa.Column("decision_reason", sa.String, nullable=True),
        sa.Column("link_id", sa.String, nullable=True),
    )
    op.create_index("candidate_of_source", "candidate", ["source_id", "status"])
    op.create_index("candidate_waiting", "candidate", ["status", "candidate_id"])
    for name in ("left_id", "right_id", "link_id"):
        op.create_index(f"ix_candidate_{name}", "candidate", [name])
