"""What a fact claims is kept with it, as identity read it. Facts of before are read again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fact", sa.Column("claims", sa.Text, nullable=True))
