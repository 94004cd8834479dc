"""What was learnt at a visit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("visit") as visit:
        visit.add_column(sa.Column("facts", JsonDocument, nullable=False, server_default="{}"))
    with op.batch_alter_table("visit") as visit:
        visit.alter_column("facts", server_default=None, existing_type=JsonDocument)
