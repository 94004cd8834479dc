"""SQLAlchemy Core says what is to be done; the drivers are given text and values.

A statement is compiled once per shape and kind of store. One that is built once (a constant, or from an
`lru_cache`) is known by itself; another is known by its shape, which costs some ten times more to find out. Values
go through the bind and result processors of their column types, as they would in SQLAlchemy, whose own execution
costs fifty times what SQLite does (docs/decisions/0022).
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import Float, Numeric, TypeDecorator, TypeEngine
from sqlalchemy.util import LRUCache

from chassis.store.columns import dump_json, load_json

DialectName = Literal["sqlite", "postgresql"]
Values = Mapping[str, Any]
Process = Callable[[Any], Any] | None
Processes = Sequence[tuple[int, Callable[[Any], Any]]]
"""What happens to which value, by its place."""

_MOST_SHAPES: Final = 1_000
_MISSING: Final = object()
# what PostgreSQL's driver gives for these two: the only types whose processors ask
_NUMERIC_OID, _FLOAT_OID = 1700, 701


class Bound(NamedTuple):
    """What a driver is given."""

    sql: str
    values: Sequence[Any]


class Row(tuple[Any, ...]):
    """One row: a named tuple whose fields have the names of the columns.

    SQLAlchemy's own looks for a name by failing to find an attribute first, which costs eight times as
    much, and a handler reads dozens a message.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def _asdict(self) -> dict[str, Any]: ...


class Rows(list[Any]):
    """What a statement answered, read to the end: `Row`s."""

    def first(self) -> Row | None:
        """The first row; None when there is none."""
        first: Row | None = self[0] if self else None
        return first

    def one(self) -> Row:
        """The one row. Raises ValueError when there are none or more."""
        if len(self) != 1:
            raise ValueError(f"one row was expected, not {len(self)}")
        one: Row = self[0]
        return one


class Shape:
    """A compiled statement, whatever its values."""

    def __init__(self, compiled: SQLCompiler) -> None:
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise ValueError("defaults made in Python are not applied here; give the values")
        self.compiled = compiled
        self.sql = compiled.string
        self.names: Sequence[str] = compiled.positiontup or ()
        self.processors: Mapping[str, Any] = compiled._bind_processors
        self.required = frozenset(name for bind, name in compiled.bind_names.items() if bind.required)
        self.is_expanding = bool(compiled.post_compile_params or compiled.literal_execute_params)
        self._make: Callable[[Iterable[Any]], Row] | None = None
        self._results: Processes = ()

    def rows(self, raw: Sequence[Any], keys: Iterable[str]) -> Rows:
        """The driver's rows as ours; `keys` are the names of their columns."""
        if not raw:
            return Rows()
        make = self._make or self._describe(list(keys))
        return Rows(map(make, [_processed(list(row), self._results) for row in raw] if self._results else raw))

    def _describe(self, keys: Sequence[str]) -> Callable[[Iterable[Any]], Row]:
        columns = self.compiled._result_columns
        if self.compiled._loose_column_name_matching or len(columns) != len(keys):
            types = {column.keyname: column.type for column in columns}
            found = [_result_processor(types.get(key), self.compiled.dialect) for key in keys]
        else:
            keys = [column.keyname for column in columns]
            found = [_result_processor(column.type, self.compiled.dialect) for column in columns]
        self._results = _at_places(found)
        self._make = row_class(tuple(keys))
        return self._make


class Prepared:
    """A statement with the values that stand in it; others are given by name."""

    __slots__ = ("_constants", "_processes", "_slots", "_whole", "shape")

    def __init__(self, shape: Shape, constants: Values, names: Collection[str] = ()) -> None:
        self.shape = shape
        self._constants = constants
        places = [(name, shape.processors.get(name)) for name in shape.names]
        # whoever names these gives everything
        is_whole = not shape.is_expanding and len(places) > 1 and all(name in names for name in shape.names)
        self._whole = itemgetter(*shape.names) if is_whole else None
        self._processes = _at_places(process for _, process in places)
        self._slots = () if shape.is_expanding else tuple(self._slot(name, process) for name, process in places)

    def bind(self, given: Values) -> Bound:
        """Text and values for one execution. Raises KeyError when a value is missing."""
        if self.shape.is_expanding:
            return self._expanded(given)
        values = []
        for name, process, constant in self._slots:
            if name in given:
                values.append(given[name] if process is None else process(given[name]))
            elif constant is _MISSING:
                raise KeyError(f"no value is given for {name}")
            else:
                values.append(constant)
        return Bound(self.shape.sql, values)

    def bind_many(self, rows: Sequence[Values]) -> tuple[str, list[Sequence[Any]]]:
        """Text and one list of values a row; the rows have the same names."""
        if self._whole is None:
            return self.shape.sql, [self.bind(row).values for row in rows]
        return self.shape.sql, [_processed(list(self._whole(row)), self._processes) for row in rows]

    def _slot(self, name: str, process: Process) -> tuple[str, Process, Any]:
        if name in self.shape.required:
            return name, process, _MISSING
        constant = self._constants[name]
        return name, process, constant if process is None else process(constant)

    def _expanded(self, given: Values) -> Bound:
        # `IN` of a list: the text depends on how many there are
        if missing := self.shape.required - given.keys():
            raise KeyError(f"no value is given for {', '.join(sorted(missing))}")
        state = self.shape.compiled._process_parameters_for_postcompile({**self._constants, **given})
        processors = {**self.shape.processors, **state.processors}
        values = [
            state.parameters[name] if name not in processors else processors[name](state.parameters[name])
            for name in state.positiontup or ()
        ]
        return Bound(state.statement, values)


class Compiler:
    """The statements of one kind of store."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._shapes: LRUCache[Any, Shape] = LRUCache(_MOST_SHAPES)
        self._prepared: WeakKeyDictionary[Executable, dict[tuple[str, ...], Prepared]] = WeakKeyDictionary()

    @property
    def texts(self) -> list[str]:
        """All that was compiled so far."""
        return [shape.sql for shape in self._shapes.values()]

    def prepare(self, statement: Executable, names: Iterable[str] = (), *, is_many: bool = False) -> Prepared:
        """`statement` to be run with values of these names."""
        known = self._prepared.get(statement)
        if known is None:
            known = self._prepared[statement] = {}
        # what is inserted or set follows from the names; everything else stands in the statement
        key = tuple(names) if statement.is_dml else ()
        found = known.get(key)
        if found is None:
            found = known[key] = self._prepare(statement, key, is_many)
        return found

    def _prepare(self, statement: Any, names: tuple[str, ...], is_many: bool) -> Prepared:
        cache_key = statement._generate_cache_key()
        shape_key = None if cache_key is None else (cache_key.key, names, is_many)
        shape = None if shape_key is None else self._shapes.get(shape_key)
        if shape is None:
            compiled = self.dialect.statement_compiler(
                self.dialect, statement, cache_key=cache_key, column_keys=list(names), for_executemany=is_many
            )
            shape = Shape(compiled)
            if shape_key is not None:
                self._shapes[shape_key] = shape
        extracted, collected = (None, None) if cache_key is None else (cache_key.bindparams, cache_key.params)
        constants = shape.compiled.construct_params(
            extracted_parameters=extracted, escape_names=False, _check=False, _collected_params=collected
        )
        return Prepared(shape, constants, names)


def _at_places(found: Iterable[Process]) -> Processes:
    return [(place, process) for place, process in enumerate(found) if process is not None]


def _processed(values: list[Any], processes: Processes) -> list[Any]:
    """`values`, changed in place."""
    for place, process in processes:
        values[place] = process(values[place])
    return values


@lru_cache(maxsize=1_024)
def row_class(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Row]:
    """What makes rows whose fields have these names."""
    made: Any = type("Row", (Row, namedtuple("Row", names, rename=True)), {"__slots__": ()})
    make: Callable[[Iterable[Any]], Row] = made._make
    return make


def _result_processor(kind: TypeEngine[Any] | None, dialect: Dialect) -> Process:
    if kind is None:
        return None
    plain = kind.dialect_impl(dialect)
    while isinstance(plain, TypeDecorator):
        plain = plain.impl_instance
    oid = None
    if dialect.name == "postgresql" and isinstance(plain, Numeric | Float):
        oid = _NUMERIC_OID if plain.asdecimal else _FLOAT_OID
    process: Process = kind._cached_result_processor(dialect, oid)
    return process


def _sqlite_dialect() -> Dialect:
    return SQLiteDialect_pysqlite(
        dbapi=SQLiteDialect_pysqlite.import_dbapi(), json_serializer=dump_json, json_deserializer=load_json
    )


def _postgres_dialect() -> Dialect:
    dialect = PGDialect_asyncpg(
        dbapi=PGDialect_asyncpg.import_dbapi(),  # type: ignore[no-untyped-call]
        json_serializer=dump_json,
        json_deserializer=load_json,
    )
    dialect._backslash_escapes = False  # as every server since 9.1 has it
    return dialect


COMPILERS: Final[Mapping[DialectName, Compiler]] = {
    "sqlite": Compiler(_sqlite_dialect()),
    "postgresql": Compiler(_postgres_dialect()),
}
