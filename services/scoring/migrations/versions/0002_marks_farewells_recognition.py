"""Test marks, what was last said of people who were absorbed, and the account and
user id that facts were recognized with.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fragment", sa.Column("is_marked", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("person", sa.Column("is_marked", sa.Boolean, nullable=False, server_default=sa.false()))
    is_marked = sa.text("is_marked")
    op.create_index("fragment_marked", "fragment", ["person_id"], sqlite_where=is_marked, postgresql_where=is_marked)
    op.add_column("fact", sa.Column("account_id", sa.String, nullable=True))
    op.add_column("fact", sa.Column("user_id", sa.String, nullable=True))
    op.create_table(
        "farewell",
        sa.Column("person_id", sa.String, primary_key=True),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("said_fit_e4", sa.BigInteger, nullable=True),
        sa.Column("said_engagement_e4", sa.BigInteger, nullable=True),
        sa.Column("said_cell", sa.String, nullable=True),
        sa.Column("said_at", UtcDateTime, nullable=True),
    )
