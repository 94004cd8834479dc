"""Posts in which nobody was found, kept to be read again; a form's webhook secret; a source's mapping of properties."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # nullable, so that a gateway of before may write beside this one
    op.add_column("reject", sa.Column("kind", sa.String, nullable=True))
    op.add_column("reject", sa.Column("form_id", sa.String, nullable=True))
    op.add_column("reject", sa.Column("post", sa.String, nullable=True))
    op.add_column("reject", sa.Column("replayed_at", UtcDateTime, nullable=True))
    op.add_column("form", sa.Column("secret_hash", sa.String, nullable=True))
    op.add_column("source", sa.Column("mapping", JsonDocument, nullable=True))
