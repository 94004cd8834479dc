"""What people are searched by has a table of its own with an index; who was known so far
is found as before, and without accents.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store import search

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROWS = 1_000  # at once
_PERSON = sa.table("person", sa.column("person_id"), sa.column("search"))


def upgrade() -> None:
    search.create("person_search")
    if not op.get_context().as_sql:  # SQL that is written for an empty store has nobody to copy
        _fill()
    op.drop_column("person", "search")


def _fill() -> None:
    connection, table, after = op.get_bind(), search.search_table("person_search", sa.MetaData()), ""
    people = sa.select(_PERSON).where(_PERSON.c.search != "").order_by(_PERSON.c.person_id).limit(_ROWS)
    while found := connection.execute(people.where(_PERSON.c.person_id > after)).all():
        search.fill(connection, table, {row.person_id: row.search for row in found})
        after = found[-1].person_id
