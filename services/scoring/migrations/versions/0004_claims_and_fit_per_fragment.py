"""What each fragment claims and what fit is booked on it; facts as packed bytes; nobody
remembers any more what was said of the absorbed.

Rows of before are completed from their facts when somebody needs them (`is_complete`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fragment", sa.Column("attributes", sa.Text, nullable=True))
    op.add_column("fragment", sa.Column("fit_version", sa.Integer, nullable=True))
    op.add_column("fragment", sa.Column("last_trait_at", UtcDateTime, nullable=True))
    op.add_column("fragment", sa.Column("last_trait_id", sa.String, nullable=True))
    op.add_column("fragment", sa.Column("written", sa.Text, nullable=True))
    op.add_column("fragment", sa.Column("is_complete", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("fact", sa.Column("packed", sa.LargeBinary, nullable=True))
    op.drop_table("farewell")
