"""Pages and lookups as all services answer them.

Cursors are opaque to the caller, (moment, id) or id of the last item to us; all write them alike, so that the gateway
can merge their pages.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.web.cursors import not_a_cursor, read_cursor, write_cursor
from chassis.web.fields import Moment
from people_kernel.store.people import Place

CURSOR = "Vtq4QDE3NzIzNTIwMDAwMDAwMDAAaW50XzAxSjhaMA"
ID_CURSOR = "GLg5LnBlcl8wMUo4WjA"
PersonId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        description="A person; an id that a merge absorbed answers with the survivor",
        examples=["per_01J8Z0"],
    ),
]
AsOf = Annotated[
    Moment | None,
    Query(description="What was the case at that moment, by when things happened", examples=["2026-03-01T08:00:00Z"]),
]
Cursor = Annotated[
    str | None, Query(max_length=1_000, description="`next_cursor` of the page before", examples=[CURSOR])
]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page at most", examples=[50])]

NextCursor = Annotated[
    str | None, Field(description="Ask with it as `cursor` for the next page; null on the last", examples=[CURSOR])
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_cursor(at: datetime, row_id: str) -> str:
    """The cursor of a page that ends with this item."""
    return write_cursor(str((at - _EPOCH) // _MICROSECOND), row_id)


def from_cursor(cursor: str | None) -> Place | None:
    """Where the page before ended. Raises BadInput."""
    if cursor is None:
        return None
    since_epoch, row_id = read_cursor(cursor, 2)
    try:
        return _EPOCH + int(since_epoch) * _MICROSECOND, row_id
    except (ValueError, OverflowError):
        raise not_a_cursor() from None


def to_id_cursor(row_id: str) -> str:
    """The cursor of a page in the order of ids that ends with this one."""
    return write_cursor(row_id)


def from_id_cursor(cursor: str | None) -> str | None:
    """The id that the page before ended with. Raises BadInput."""
    return None if cursor is None else read_cursor(cursor, 1)[0]


Current = Annotated[
    dict[str, str],
    Field(description="Asked id -> the person who answers to it", examples=[{"per_01J8Z9": "per_01J8Z0"}]),
]


class LookupRequest(BaseModel):
    """Whom to look up."""

    model_config = ConfigDict(extra="forbid")

    person_ids: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        min_length=1,
        max_length=200,
        description="Up to 200 people; an absorbed id finds the survivor",
        examples=[["per_01J8Z0"]],
    )


class LookupAsOfRequest(LookupRequest):
    """Whom to look up, and at which moment."""

    as_of: Moment | None = Field(
        default=None,
        description="What was the case at that moment, by when things happened; null: now",
        examples=["2026-03-01T08:00:00Z"],
    )


class AmongRequest(BaseModel):
    """Whom a list is about, for a caller who does not see everybody: the gateway names those they see."""

    model_config = ConfigDict(extra="forbid")

    person_ids: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        min_length=1,
        max_length=1_000,
        description="Up to 1,000 people; nobody else is listed",
        examples=[["per_01J8Z0"]],
    )
