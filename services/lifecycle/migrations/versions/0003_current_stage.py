"""`standing` is `current_stage`: in which stage each person is now. What knows the old name finds a view under it.

This is the expanding half of a rename (docs/upgrade.md): nothing is copied, and a process of the version before reads
and writes through the view meanwhile. The version after the next drops it.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INDEXES = {"by_stage": ["stage", "entered_at", "person_id"], "by_entry": ["entered_at", "person_id"]}


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        # who waits for a table that is in use makes all others wait; not in time, it is tried again
        op.execute("SET LOCAL lock_timeout = '3s'")
        op.execute("ALTER TABLE standing RENAME TO current_stage")
        op.execute("ALTER TABLE current_stage RENAME CONSTRAINT standing_pkey TO current_stage_pkey")
        for name in _INDEXES:
            op.execute(f"ALTER INDEX standing_{name} RENAME TO current_stage_{name}")
    else:
        op.rename_table("standing", "current_stage")
        for name, columns in _INDEXES.items():
            op.drop_index(f"standing_{name}", "current_stage")
            op.create_index(f"current_stage_{name}", "current_stage", columns)
    op.execute("CREATE VIEW standing AS SELECT * FROM current_stage")
