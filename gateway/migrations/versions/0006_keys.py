"""The life of keys: expiry, rotation, last use; and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument, Serial, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # nullable, so that a gateway of before may write beside this one
    for table in ("source", "api_key"):
        for name in ("expires_at", "last_used_at", "rotated_at", "previous_until"):
            op.add_column(table, sa.Column(name, UtcDateTime, nullable=True))
        op.add_column(table, sa.Column("previous_hash", sa.String, nullable=True))
    op.add_column("ticket", sa.Column("caller", JsonDocument, nullable=True))
    op.create_table(
        "audit",
        sa.Column("audit_id", Serial, primary_key=True, autoincrement=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("principal", sa.String, nullable=False),
        sa.Column("roles", JsonDocument, nullable=False),
        sa.Column("key_id", sa.String, nullable=True),
        sa.Column("operation", sa.String, nullable=False),
        sa.Column("method", sa.String, nullable=False),
        sa.Column("objects", JsonDocument, nullable=False),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("request_id", sa.String, nullable=True),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_principal", "audit", ["principal", "audit_id"])
    op.create_index("ix_audit_operation", "audit", ["operation", "audit_id"])
    op.create_table(
        "audit_object",
        sa.Column("object_id", sa.String, primary_key=True),
        sa.Column("audit_id", sa.BigInteger, primary_key=True),
    )
    op.create_index("ix_audit_object_audit_id", "audit_object", ["audit_id"])
