"""How many referrals take room of each rep is kept, in place of counting them all whenever somebody is asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rep_load", sa.Column("rep_id", sa.String, primary_key=True), sa.Column("number", sa.Integer, nullable=False)
    )
    op.execute(
        "INSERT INTO rep_load (rep_id, number) SELECT rep.rep_id,"
        " (SELECT count(*) FROM referral WHERE referral.rep_id = rep.rep_id AND referral.takes_room) FROM rep"
    )
    op.drop_index("referral_room", "referral")
