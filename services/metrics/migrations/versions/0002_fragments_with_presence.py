"""One row for a fragment: whose it is, what is known of it as such, and when its person was
first seen, which nobody tells any more.

Indexes on time: a report on a period reads what was told in it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WITH_PRESENCE = """
UPDATE fragment SET (has_real, has_test, is_marked, mark_key, told_test, told_key) =
  (SELECT has_real, has_test, is_marked, mark_key, told_test, told_key FROM presence
   WHERE presence.fragment_id = fragment.fragment_id)
WHERE fragment_id IN (SELECT fragment_id FROM presence)
"""
_WITH_FIRST = """
UPDATE fragment SET (first_us, first_told_us) =
  (SELECT s.occurred_us, s.told_us FROM stage_told AS s
   WHERE s.fragment_id = fragment.fragment_id AND s.previous IS NULL AND NOT s.is_correction
   ORDER BY s.told_us, s.occurred_us LIMIT 1)
WHERE EXISTS (SELECT 1 FROM stage_told AS s
              WHERE s.fragment_id = fragment.fragment_id AND s.previous IS NULL AND NOT s.is_correction)
"""
_BY_TIME = {
    "stage_told": "fragment_id",
    "deal_told": "opportunity_id",
    "clock_told": None,
    "referral_told": None,
    "treatment_told": None,
}


def upgrade() -> None:
    _widen_fragments()
    op.execute(_WITH_PRESENCE)
    op.execute(_WITH_FIRST)
    op.drop_index("presence_suspect", "presence")
    op.drop_table("presence")
    _index()


def _widen_fragments() -> None:
    for name in ("has_real", "has_test", "is_marked", "told_test"):
        op.add_column("fragment", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    for name in ("mark_key", "told_key"):
        op.add_column("fragment", sa.Column(name, sa.String, nullable=False, server_default=""))
    for name in ("first_us", "first_told_us"):
        op.add_column("fragment", sa.Column(name, sa.BigInteger, nullable=True))


def _index() -> None:
    is_suspect = sa.text("has_test OR is_marked OR told_test")
    op.drop_index("ix_fragment_person_id", "fragment")  # fragment_owner begins with it
    op.create_index("fragment_suspect", "fragment", ["person_id"], sqlite_where=is_suspect, postgresql_where=is_suspect)
    op.create_index("fragment_first", "fragment", ["first_us"])
    op.create_index("fragment_first_told", "fragment", ["first_told_us"])
    for table, beside in _BY_TIME.items():
        others = [] if beside is None else [beside]
        op.create_index(f"{table}_occurred", table, ["occurred_us", *others])
        op.create_index(f"{table}_received", table, ["told_us", *others])
    op.create_index("touch_occurred", "touch", ["occurred_us"])
    op.create_index("touch_received", "touch", ["received_us"])
    op.create_index("stage_told_stage", "stage_told", ["stage"])
