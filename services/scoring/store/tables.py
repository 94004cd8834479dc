"""What scoring keeps. Facts are written once; fragments, people and fit receipts are views of them, kept because they are asked for often.

JSON is kept as text: it is written and read whole, and JSONB could not hold a NUL that somebody typed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Text, text
from sqlmodel import Field, SQLModel

from chassis.store.columns import UtcDateTime


def _moment(*, is_nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=is_nullable))


class Table(SQLModel):
    """All of scoring's tables hang on this metadata."""

    metadata = MetaData()


class FragmentRow(Table, table=True):
    """One first-seen identity: whose it is, and the exact sums of engagement on it, `{half-life in microseconds: hexadecimal}`."""

    __tablename__ = "fragment"

    fragment_id: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    graph_version: int = Field(sa_type=BigInteger)
    sums: str = Field(sa_type=Text)
    latest_at: datetime | None = _moment(is_nullable=True)
    is_test: bool


class FactRow(Table, table=True):
    """One interaction as it was recognized; `body` is its JSON."""

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
    is_test: bool
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


class RulebookRow(Table, table=True):
    """One version of the scoring rulebook; its text never changes."""

    __tablename__ = "rulebook"
    __table_args__ = (
        # one version decides at a time, whoever activates what at once
        Index("rulebook_active", "state", unique=True, sqlite_where=text("state = 'active'"), postgresql_where=text("state = 'active'")),
    )

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: str = Field(sa_column=Column(String, nullable=False, unique=True))
    state: str
    document: str = Field(sa_type=Text)
    created_at: datetime = _moment()
    created_by: str
    activated_at: datetime | None = _moment(is_nullable=True)
    activated_by: str | None
