"""Column types that mean the same on SQLite and on PostgreSQL, and JSON as text; services use them for their tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, Integer, Numeric, String, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field

_ZERO = timedelta(0)
_WITH_FRACTION = len('"2026-03-02T12:00:00.000000+00:00"')


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment; what comes back is in UTC. A naive datetime is refused (ValueError): it names no moment.

    TIMESTAMP WITH TIME ZONE on PostgreSQL; on SQLite text of one length, `2026-03-02T12:00:00.000000+00:00`, which
    sorts by time (and is written and read several times faster than SQLAlchemy's own form).
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else String(32))

    def bind_processor(self, dialect: Dialect) -> Any:
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} is naive; give an aware datetime")
        return _to_text(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return _from_text(value) if dialect.name == "sqlite" else value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    # orjson: a third of what isoformat costs, and each row has several
    if value is None:
        return None
    if value.tzinfo is not UTC and (offset := value.utcoffset()) != _ZERO:
        # what was read from JSON is in UTC, and by another name
        if offset is None:
            raise ValueError(f"{value!r} is naive; give an aware datetime")
        value = value.astimezone(UTC)
    text = orjson.dumps(value).decode()
    return text[1:-1] if len(text) == _WITH_FRACTION else f"{text[1:20]}.000000+00:00"


def _from_text(value: str | None) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


class ExactNumber(TypeDecorator[Decimal]):
    """A decimal that comes back as it went in.

    NUMERIC on PostgreSQL; text on SQLite, whose numbers are floats: do not sort or sum by it there.
    """

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Numeric() if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


JsonDocument = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""JSON: text on SQLite, JSONB on PostgreSQL.

Python's None is SQL NULL. Holds what orjson can write (no Decimal: say it as a string).
"""

Serial = BigInteger().with_variant(Integer, "sqlite")
"""A number the store gives, growing by insertion: for a primary key with `autoincrement=True`."""


def dump_json(document: Any) -> str:
    """JSON text of `document`; raises TypeError for what JSON cannot hold."""
    return orjson.dumps(document).decode()


def load_json(text: str | bytes | float) -> Any:
    """The document that `text` holds.

    A bare number is one already where SQLite kept it: its JSON columns take what looks like a number for one.
    """
    return text if isinstance(text, int | float) else orjson.loads(text)


def moment(*, is_nullable: bool = False) -> Any:
    """The field of a SQLModel table that holds a moment."""
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=is_nullable))


def flag() -> Any:
    """The field of a SQLModel table that is false unless it is said."""
    return Field(default=None, sa_column=Column(Boolean, nullable=False, server_default=false()))
