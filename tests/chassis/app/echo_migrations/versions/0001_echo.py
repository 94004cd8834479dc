"""Echoes, numbers without a bound, and a child that needs a parent at the commit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "echo", sa.Column("echo_id", sa.Integer, primary_key=True), sa.Column("text", sa.String, nullable=False)
    )
    op.create_table("numbered", sa.Column("number", sa.BigInteger), sa.Column("name", sa.String))
    op.create_table("parent", sa.Column("parent_id", sa.Integer, primary_key=True))
    parent = sa.ForeignKey("parent.parent_id", deferrable=True, initially="DEFERRED")
    op.create_table(
        "child", sa.Column("child_id", sa.Integer, primary_key=True), sa.Column("parent_id", sa.Integer, parent)
    )
