"""Secrets that signatures of form services are checked with; the app ids by which Snowplow's trackers name a source."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import JsonDocument

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # nullable, so that a gateway of before may write beside this one
    op.add_column("form", sa.Column("secret_sealed", sa.String, nullable=True))
    op.add_column("form", sa.Column("verify_hash", sa.String, nullable=True))
    op.add_column("source", sa.Column("app_ids", JsonDocument, nullable=True))
