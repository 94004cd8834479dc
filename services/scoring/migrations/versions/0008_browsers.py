"""The browser that a fact named beside the name it hangs on: what a browser did is found however it is linked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TOLD = "anonymous_id IS NOT NULL AND has_traits"


def upgrade() -> None:
    op.add_column("fact", sa.Column("anonymous_id", sa.String, nullable=True))
    for name, which in (("fact_of_browser", "anonymous_id IS NOT NULL"), ("fact_told_by_browser", _TOLD)):
        where = sa.text(which)
        op.create_index(name, "fact", ["anonymous_id", "occurred_at"], sqlite_where=where, postgresql_where=where)
