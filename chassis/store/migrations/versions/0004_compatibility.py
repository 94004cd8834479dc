"""Which versions of the code a store still serves: an older one goes on working with it until a migration says
otherwise.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compatibility",
        sa.Column("chain", sa.String, primary_key=True),
        sa.Column("serves_from", sa.String, nullable=False),
    )
