"""What scoring keeps. Facts are written once; fragments, people and fit receipts are views of them, kept because they are asked for often.

JSON is kept as text: it is written and read whole, and JSONB could not hold a NUL that somebody typed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, String, Text, false, text
from sqlmodel import Field, SQLModel

from chassis.store.columns import UtcDateTime
from deciding.store.rulebooks import rulebook_table


def _moment(*, is_nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=is_nullable))


def _flag() -> Any:
    return Field(default=None, sa_column=Column(Boolean, nullable=False, server_default=false()))


class Table(SQLModel):
    """All of scoring's tables hang on this metadata."""

    metadata = MetaData()


class FragmentRow(Table, table=True):
    """One first-seen identity: whose it is, and the exact sums of engagement on it, `{half-life in microseconds: hexadecimal}`."""

    __tablename__ = "fragment"
    __table_args__ = (Index("fragment_marked", "person_id", sqlite_where=text("is_marked"), postgresql_where=text("is_marked")),)

    fragment_id: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    graph_version: int = Field(sa_type=BigInteger)
    sums: str = Field(sa_type=Text)
    latest_at: datetime | None = _moment(is_nullable=True)
    is_test: bool
    is_marked: bool = _flag()


class FactRow(Table, table=True):
    """One interaction as it was recognized; `body` is its JSON. Account and user id are identity's word."""

    __tablename__ = "fact"
    __table_args__ = (
        Index("fact_timeline", "fragment_id", "occurred_at", "interaction_id"),
        Index("fact_with_traits", "fragment_id", sqlite_where=text("has_traits"), postgresql_where=text("has_traits")),
    )

    interaction_id: str = Field(primary_key=True)
    fragment_id: str
    occurred_at: datetime = _moment()
    heard_at: datetime = _moment()
    kind: str
    name: str | None
    has_traits: bool
    strength: str
    rulebook_version: int
    body: str = Field(sa_type=Text)
    account_id: str | None
    user_id: str | None


class ReceiptRow(Table, table=True):
    """Why a measure changed. Belongs to whoever owns the fragment."""

    __tablename__ = "receipt"
    __table_args__ = (Index("receipt_timeline", "fragment_id", "at", "receipt_id"),)

    receipt_id: str = Field(primary_key=True)
    fragment_id: str
    at: datetime = _moment()
    measure: str
    rule: str
    rulebook: str
    points_e4: int = Field(sa_type=BigInteger)
    half_life: int | None = Field(sa_type=BigInteger)
    cause_id: str
    inputs: str = Field(sa_type=Text)
    sentence: str = Field(sa_type=Text)


class PersonRow(Table, table=True):
    """A person folded: profile, rules that hold, sums of all fragments, and the scores that were last said."""

    __tablename__ = "person"

    person_id: str = Field(primary_key=True)
    graph_version: int = Field(sa_type=BigInteger)
    evaluated_at: datetime = _moment()
    latest_at: datetime | None = _moment(is_nullable=True)
    is_test: bool  # all facts are from test sources
    is_marked: bool = _flag()
    attributes: str = Field(sa_type=Text)
    held: str = Field(sa_type=Text)
    fit_version: int | None
    last_trait_at: datetime | None = _moment(is_nullable=True)
    last_trait_id: str | None
    sums: str = Field(sa_type=Text)
    said_fit_e4: int | None = Field(sa_type=BigInteger)
    said_engagement_e4: int | None = Field(sa_type=BigInteger)
    said_cell: str | None = Field(sa_type=String)
    said_at: datetime | None = _moment(is_nullable=True)
    fades_at: datetime | None = _moment(is_nullable=True)
    search: str = Field(sa_type=Text)


class FarewellRow(Table, table=True):
    """What was last said under the id of a person who was absorbed, until somebody goes by the id again."""

    __tablename__ = "farewell"

    person_id: str = Field(primary_key=True)
    attributes: str = Field(sa_type=Text)
    is_test: bool
    said_fit_e4: int | None = Field(sa_type=BigInteger)
    said_engagement_e4: int | None = Field(sa_type=BigInteger)
    said_cell: str | None = Field(sa_type=String)
    said_at: datetime | None = _moment(is_nullable=True)


RULEBOOK = rulebook_table(Table.metadata)
"""The versions of the scoring rulebook."""
