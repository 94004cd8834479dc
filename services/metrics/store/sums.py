"""Whole numbers in SQL: both stores divide them without a remainder, and sums must not run over 64 bits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, literal_column, type_coerce

_PART = 1_000_000


def halved(number: ColumnElement[Any], by: int = 2) -> ColumnElement[Any]:
    """number / by, cut off."""
    return number.op("/", precedence=8)(literal_column(str(by)))


def part_sums(column: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The sum of a column in two parts, `high` and `low`: one alone could run over."""
    high, low = (column.op(sign)(literal_column(str(_PART))) for sign in ("/", "%"))
    return type_coerce(func.sum(high), BigInteger).label("high"), type_coerce(func.sum(low), BigInteger).label("low")


def whole(row: Any) -> int:
    """The sum that `part_sums` gave."""
    return int(row.high or 0) * _PART + int(row.low or 0)
