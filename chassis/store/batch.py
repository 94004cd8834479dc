"""Many rows in one statement, the same on both stores: insert, insert or skip, upsert; and rows found by many keys.

On PostgreSQL the rows travel as one array per column and are unnested (measured: nearly twice the
speed of executemany); on SQLite they go one by one, which costs nothing there. Statements are built
once per shape, so that they compile once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Insert,
    Select,
    String,
    Table,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy import column as named
from sqlalchemy import inspect as inspect_model
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

from chassis.store.columns import dump_json
from chassis.store.session import Session
from chassis.store.statements import DialectName, Row, row_class

_FEW = 4  # rows that are sooner asked what became of them than looked for first
_LAST_NUMBER = text("SELECT last_insert_rowid()")

Rows = Sequence[Mapping[str, Any]]
Target = Table | type[SQLModel]


class _Shape(NamedTuple):
    """All that a statement depends on beside the values."""

    table: Table
    dialect: DialectName
    names: tuple[str, ...]
    keys: tuple[str, ...] = ()  # empty: a conflict is an error
    update: tuple[str, ...] = ()  # empty, with keys: a conflict is skipped
    returning: tuple[str, ...] = ()


async def insert_all(session: Session, target: Target, rows: Rows) -> None:
    """Insert `rows` in the order given; all have the same columns. A conflict raises Violated."""
    if rows:
        await _execute(session, _Shape(core_table(target), session.dialect, tuple(rows[0])), rows)


async def insert_numbered(session: Session, target: Target, rows: Rows, number: str) -> list[int]:
    """Insert `rows` in the order given; answers the numbers that the store gave them in the column `number`, growing in
    the same order.
    """
    if not rows:
        return []
    table = core_table(target)
    if session.dialect == "postgresql":
        found = await _execute(session, _Shape(table, session.dialect, tuple(rows[0]), (), (), (number,)), rows)
        return sorted(row[0] for row in found)
    await insert_all(session, table, rows)
    last: int = await session.scalar(_LAST_NUMBER)
    return list(range(last - len(rows) + 1, last + 1))  # nobody else inserts meanwhile


async def insert_or_skip(
    session: Session, target: Target, rows: Rows, *, keys: Sequence[str] = (), returning: Sequence[str] = ()
) -> Sequence[Row]:
    """Insert those of `rows` whose `keys` (default: the primary key) are not there yet; answer the `returning` columns
    (default: the keys) of these.

    Claims by this, and not by looking first, are safe between concurrent writers. Keys are unique within the batch
    (else ValueError). The answer has no particular order.
    """
    if not rows:
        return []
    table = core_table(target)
    chosen = tuple(keys) or _primary_key(table)
    if session.dialect == "sqlite" and len(rows) > _FEW and len(chosen) == 1 and not returning:
        return await _insert_missing(session, table, table.c[chosen[0]], rows)
    shape = _Shape(table, session.dialect, tuple(rows[0]), chosen, (), tuple(returning) or chosen)
    return await _execute(session, shape, _in_key_order(rows, chosen))


async def _insert_missing(session: Session, table: Table, key: Column[Any], rows: Rows) -> Sequence[Row]:
    # nobody else writes meanwhile, so to look first is safe here; to ask each row what became of it costs twice as much
    ordered = _in_key_order(rows, (key.name,))
    known = set(await session.scalars(rows_by(key, key), {"keys": [row[key.name] for row in ordered]}))
    missing = [row for row in ordered if row[key.name] not in known]
    await insert_all(session, table, missing)
    make = row_class((key.name,))
    return [make((row[key.name],)) for row in missing]


async def upsert(
    session: Session, target: Target, rows: Rows, *, keys: Sequence[str] = (), update: Sequence[str] | None = None
) -> None:
    """Insert `rows`; where one with the same `keys` (default: the primary key) is there, overwrite its `update` columns
    (default: all others given).

    Keys are unique within the batch (else ValueError).
    """
    if not rows:
        return
    table = core_table(target)
    chosen = tuple(keys) or _primary_key(table)
    names = tuple(rows[0])
    changed = tuple(name for name in names if name not in chosen) if update is None else tuple(update)
    await _execute(session, _Shape(table, session.dialect, names, chosen, changed), _in_key_order(rows, chosen))


async def _execute(session: Session, shape: _Shape, rows: Rows) -> Sequence[Row]:
    statement = _statement(shape)
    if shape.dialect == "postgresql":
        return await session.execute(statement, {f"p_{name}": [row[name] for row in rows] for name in shape.names})
    return await session.execute(statement, rows)


@lru_cache(maxsize=512)
def _statement(shape: _Shape) -> Insert:
    _refuse_defaults(shape)
    statement: postgresql.Insert | sqlite.Insert
    if shape.dialect == "postgresql":
        statement = postgresql.insert(shape.table).from_select(shape.names, _unnested(shape), include_defaults=False)
    else:
        statement = sqlite.insert(shape.table)
    if shape.keys and shape.update:
        changed: dict[str, ColumnElement[Any]] = {name: statement.excluded[name] for name in shape.update}
        statement = statement.on_conflict_do_update(index_elements=shape.keys, set_=changed)
    elif shape.keys:
        statement = statement.on_conflict_do_nothing(index_elements=shape.keys)
    if shape.returning:
        return statement.returning(*(shape.table.c[name] for name in shape.returning))
    return statement


def _unnested(shape: _Shape) -> Select[Any]:
    columns: list[Column[Any]] = [shape.table.c[name] for name in shape.names]
    # one dimension: a JSON list is a value here, not a row of an inner array
    arrays = [bindparam(f"p_{column.name}", type_=ARRAY(column.type, dimensions=1)) for column in columns]
    source = (
        func.unnest(*arrays)
        .table_valued(*(named(column.name, column.type) for column in columns))
        .render_derived(name="batch")
    )
    return select(*(source.c[column.name] for column in columns))


def _refuse_defaults(shape: _Shape) -> None:
    # executemany would fill in SQLAlchemy's own defaults and unnest would not: the two stores would disagree
    left_out = [
        column.name for column in shape.table.c if column.default is not None and column.name not in shape.names
    ]
    if left_out:
        raise ValueError(
            f"{shape.table.name}: rows must give {', '.join(left_out)}; defaults made in Python are not applied to"
            " batches"
        )


def _in_key_order(rows: Rows, keys: tuple[str, ...]) -> Rows:
    # writers that take row locks in one order do not deadlock
    by_key = {tuple(row[name] for name in keys): row for row in rows}
    if len(by_key) != len(rows):
        raise ValueError(f"{len(rows) - len(by_key)} rows of the batch share their {', '.join(keys)} with another")
    return [by_key[key] for key in sorted(by_key)]


def _primary_key(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key)


def core_table(target: Target) -> Table:
    """The table of a model; statements are of tables, not of models."""
    if isinstance(target, Table):
        return target
    table = inspect_model(target).local_table
    if not isinstance(table, Table):
        raise TypeError(f"{target!r} is not mapped to a table")
    return table


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether `column` is one of the values that are given under `name` when the statement is run: any collection of
    strings or integers.
    """
    return _Among(column, bindparam(name, type_=_List(column.type), required=True))


def one_of(column: Column[Any], values: Collection[str] | Collection[int]) -> ColumnElement[bool]:
    """The same with the values at hand, in a statement that is put together for one occasion."""
    return _Among(column, bindparam(None, values, type_=_List(column.type)))


@lru_cache(maxsize=512)
def rows_by(key: Column[Any], *columns: Column[Any]) -> Select[Any]:
    """The rows of a table whose `key` is one of "keys" (all columns unless some are named): how a batch loads what it
    is about. Built once.

    rows = await session.execute(rows_by(PERSON.c.person_id), {"keys": person_ids})
    """
    return select(*(columns or key.table.c)).where(among(key, "keys"))


class _List(TypeDecorator[Any]):
    """Values of one type: an array on PostgreSQL, JSON on SQLite."""

    impl = String
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item, dimensions=1) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return list(value) if dialect.name == "postgresql" else dump_json(list(value))


class _Among(FunctionElement[bool]):
    """A column and a list."""

    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """As it is: SQLAlchemy would write `(...) = 1` for SQLite, which then uses no index and reads the whole
        table.
        """
        return self


@compiles(_Among, "sqlite")
def _on_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({values})))"  # noqa: S608 - of compiled parts


@compiles(_Among, "postgresql")
def _on_postgres(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} = ANY ({values}))"
