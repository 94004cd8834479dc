"""Which account was named with a fragment, how and by whom; what is known of a company with where it comes from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("named_account_id", "account_named_by", "account_strength", "account_interaction_id"):
        op.add_column("fragment", sa.Column(name, sa.String, nullable=True))
    op.add_column("account", sa.Column("facts", sa.Text, nullable=True))
    op.add_column("account", sa.Column("version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("account", sa.Column("parted", sa.Text, nullable=True))
