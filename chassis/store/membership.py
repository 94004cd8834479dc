"""`column IN values` by one statement however many values there are: `= ANY (array)`
on PostgreSQL, a list as JSON on SQLite.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, Boolean, Column, ColumnElement, Select, String, bindparam, select
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from chassis.store.documents import dump_json


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether `column` is one of the values that are given under `name` when the statement is
    run: any collection of strings or integers.
    """
    return _Among(column, bindparam(name, type_=_List(column.type), required=True))


def one_of(column: Column[Any], values: Collection[str] | Collection[int]) -> ColumnElement[bool]:
    """The same with the values at hand, in a statement that is put together for one occasion."""
    return _Among(column, bindparam(None, values, type_=_List(column.type)))


@lru_cache(maxsize=512)
def rows_by(key: Column[Any], *columns: Column[Any]) -> Select[Any]:
    """The rows of a table whose `key` is one of "keys" (all columns unless some are named): how a
    batch loads what it is about. Built once.

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
        """As it is: SQLAlchemy would write `(...) = 1` for SQLite, which then
        uses no index and reads the whole table.
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
