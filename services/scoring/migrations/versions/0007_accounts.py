"""What is known of companies, which people belong to them, and how an account was named."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", sa.String, primary_key=True),
        sa.Column("current_id", sa.String, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("facts", sa.Text, nullable=True),
    )
    op.create_index("ix_account_current_id", "account", ["current_id"])
    op.add_column("person", sa.Column("account_id", sa.String, nullable=True))
    op.add_column("person", sa.Column("shared", sa.Text, nullable=True))
    op.create_index("ix_person_account_id", "person", ["account_id"])
    op.add_column("fact", sa.Column("account_named_by", sa.String, nullable=True))
