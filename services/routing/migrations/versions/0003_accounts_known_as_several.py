"""Accounts that were known as several: whose owner counts is found by any of their ids."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_alias",
        sa.Column("account_id", sa.String, primary_key=True),
        sa.Column("current_id", sa.String, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("age", sa.Integer, nullable=False),
    )
    op.create_index("ix_account_alias_current_id", "account_alias", ["current_id"])
