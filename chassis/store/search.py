"""Finding rows by a part of their text, by an index on both kinds of store that needs no extension and no privilege.

A table of searched texts hangs beside the table that is found: `(id, place, text)`, a row for what has a text. The
store keeps the index of it: FTS5 by triggers on SQLite, on PostgreSQL GIN over the grams of the text (pg_trgm would
have to be installed, and in the C locale it sees no letter beyond ASCII). Both only narrow down: what holds the needle
is told by the text itself, so both find the same.

Answers come in the order of ids and go on after an id. FTS5 gives rows in the order of their numbers, so
the number is the beginning of the id: `place`. Two ids that begin alike (one of some 30,000 that come
within a millisecond) share a row of the index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Delete,
    Index,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from chassis.store.batch import among
from chassis.store.session import Session
from chassis.store.statements import DialectName
from contracts.limits import SEARCH_CHARACTERS
from contracts.texts import grams, laid_out, needle

INDEX: Final = "_grams"
"""What the store keeps for a search table ends so, or goes on after it."""

_ALPHABET: Final = {letter: value for value, letter in enumerate("0123456789ABCDEFGHJKMNPQRSTVWXYZ")}
_PLACE_LETTERS: Final = 13  # of an id: 2 bits that are nothing, 48 of time, 15 of the cause
_MOST_GRAMS: Final = 16  # of a query: more do not narrow it down further

_FUNCTION: Final = """
CREATE OR REPLACE FUNCTION search_grams(searched text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT substr(searched, at, 3)), '{}') FROM generate_series(1, length(searched) - 2) AS at
$$"""
_GIN: Final = "CREATE INDEX {name}_grams ON {name} USING gin (search_grams(text))"
_FTS5: Final = """
CREATE VIRTUAL TABLE {name}_grams USING fts5(
  text, tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0
)"""
_TRIGGER: Final = """
CREATE TRIGGER {name}_{event} AFTER {event} ON {name} BEGIN
  DELETE FROM {name}_grams WHERE rowid = {row}.place;
  INSERT INTO {name}_grams (rowid, text)
    SELECT place, group_concat(text, '') FROM {name} WHERE place = {row}.place GROUP BY place;
END"""
# in the order of numbers, which FTS5 gives without sorting; of those that share one, in the order
# of the index that names them: (place, id)
_FIND_SQLITE: Final = """
SELECT {name}.id FROM {name}_grams CROSS JOIN {name} INDEXED BY {name}_place ON {name}.place = {name}_grams.rowid
WHERE {name}_grams MATCH :grams AND {name}_grams.rowid >= :place AND {name}.id > :after
  AND instr({name}.text, :needle) > 0
ORDER BY {name}_grams.rowid LIMIT :limit"""
_FIND_POSTGRES: Final = """
SELECT id FROM {name} WHERE search_grams(text) @> CAST(:grams AS text[]) AND id > :after AND strpos(text, :needle) > 0
ORDER BY id LIMIT :limit"""


def search_table(name: str, metadata: MetaData) -> Table:
    """The table of searched texts; `create` makes it, with its index."""
    columns = (
        Column("id", String, primary_key=True),
        Column("place", BigInteger, nullable=False),
        Column("text", Text, nullable=False),
    )
    return Table(name, metadata, *columns, Index(f"{name}_place", "place", "id"))


def create(name: str) -> None:
    """In a migration: the table, and what keeps its index."""
    search_table(name, MetaData()).create(op.get_bind())
    for statement in _statements(name, op.get_context().dialect.name):
        op.execute(statement)


def rows(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows of those that have a text, by id."""
    laid = {key: laid_out(texts[key], SEARCH_CHARACTERS) for key in sorted(texts)}
    return [{"id": key, "place": place_of(key), "text": kept} for key, kept in laid.items() if kept]


def fill(connection: Connection, table: Table, texts: Mapping[str, str]) -> None:
    """In a migration: write what was not searched so far."""
    if found := rows(texts):
        connection.execute(table.insert(), found)


async def keep(session: Session, table: Table, texts: Mapping[str, str]) -> None:
    """From now on these ids are found by these texts; by none, if it is empty.

    Where a text is as it was, nothing is written.
    """
    found = rows(texts)
    gone = texts.keys() - {row["id"] for row in found}
    if gone:
        await session.execute(_forgetting(table), {"ids": sorted(gone)})
    if found:
        await session.execute(_keeping(table, session.dialect), found)


@lru_cache(maxsize=16)
def _forgetting(table: Table) -> Delete:
    return delete(table).where(among(table.c.id, "ids"))


@lru_cache(maxsize=16)
def _keeping(table: Table, dialect: DialectName) -> Any:
    statement: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    changed = table.c.text != statement.excluded.text
    return statement.on_conflict_do_update(index_elements=["id"], set_={"text": statement.excluded.text}, where=changed)


async def find(session: Session, table: Table, query: str, after: str, limit: int) -> list[str]:
    """The ids whose text holds `query`, in their order, after the id `after`."""
    statement, given = finding(session, table, query, after, limit)
    if _is_postgres(session):
        # a plan for any text would read everybody in order: right for common texts, and slow for rare ones
        await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    return list(await session.scalars(text(statement), given)) if given["grams"] else []


def finding(session: Session, table: Table, query: str, after: str, limit: int) -> tuple[str, dict[str, Any]]:
    """The statement that `find` runs, and what it is given."""
    wanted = needle(query)
    found = grams(wanted, _MOST_GRAMS)
    given: dict[str, Any] = {"after": after, "needle": wanted, "limit": limit}
    if _is_postgres(session):
        return _FIND_POSTGRES.format(name=table.name), given | {"grams": found}
    return _FIND_SQLITE.format(name=table.name), given | {"grams": _phrases(found), "place": place_of(after)}


def holds(session: Session, table: Table, query: str) -> ColumnElement[bool]:
    """Whether a row's text holds `query`: for a few rows that were found in another way."""
    position = func.strpos if _is_postgres(session) else func.instr
    wanted = needle(query)
    # the empty needle stands at the beginning of every text, and finds nothing
    return position(table.c.text, wanted) > (0 if wanted else 1)


def place_of(key: str) -> int:
    """The first 63 bits of an id, which sort as ids do. Of what is no id of ours the first nine characters count."""
    word = key.partition("_")[2][:_PLACE_LETTERS]
    place = 0
    if len(word) == _PLACE_LETTERS and word[0] < "8" and all(letter in _ALPHABET for letter in word):
        for letter in word:
            place = place << 5 | _ALPHABET[letter]
        return place
    for letter in key[:9].ljust(9, "\0"):
        place = place << 7 | min(ord(letter), 127)
    return place


def _statements(name: str, dialect: str) -> list[str]:
    if dialect == "postgresql":
        return [_FUNCTION, _GIN.format(name=name)]
    changes = (("insert", "new"), ("update", "new"), ("delete", "old"))
    return [_FTS5.format(name=name), *(_TRIGGER.format(name=name, event=event, row=row) for event, row in changes)]


def _phrases(found: Sequence[str]) -> str:
    return " AND ".join(f'"{gram.replace(chr(34), chr(34) * 2)}"' for gram in found)


def _is_postgres(session: Session) -> bool:
    return session.dialect == "postgresql"
