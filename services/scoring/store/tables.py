"""What scoring keeps.

Facts and receipts are written once; fragments and people are views of them, kept because they are asked for often.

JSON is kept as text: it is written and read whole, and JSONB could not hold a NUL that somebody typed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, MetaData, String, Text, text
from sqlmodel import Field, SQLModel

from chassis.store.batch import core_table
from chassis.store.columns import flag, moment
from chassis.store.search import search_table
from people_kernel.store.rulebooks import rulebook_table


class Table(SQLModel):
    """All of scoring's tables hang on this metadata."""

    metadata = MetaData()


class FragmentRow(Table, table=True):
    """One first-seen identity: whose it is, the exact sums of engagement on it, what its facts claim, and the points of
    fit booked on it.

    `sums` are `{half-life in microseconds: hexadecimal}`, `x@n` for n zeros behind x. Rows of before these columns are
    not `is_complete`.
    """

    __tablename__ = "fragment"
    __table_args__ = (
        Index("fragment_marked", "person_id", sqlite_where=text("is_marked"), postgresql_where=text("is_marked")),
    )

    fragment_id: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    graph_version: int = Field(sa_type=BigInteger)
    sums: str = Field(sa_type=Text)
    latest_at: datetime | None = moment(is_nullable=True)
    is_test: bool
    is_marked: bool = flag()
    attributes: str | None = Field(sa_type=Text)  # as of `person`; NULL: it claims nothing
    fit_version: int | None
    last_trait_at: datetime | None = moment(is_nullable=True)
    last_trait_id: str | None
    written: str | None = Field(sa_type=Text)  # rule -> e4 points; NULL: nothing
    counted: str | None = Field(sa_type=Text)  # [[moment, key], ...] of what counted under a cap; NULL: nothing
    is_complete: bool = flag()


_NAMED, _TOLD = text("anonymous_id IS NOT NULL"), text("anonymous_id IS NOT NULL AND has_traits")


class FactRow(Table, table=True):
    """One interaction as it was recognized: `packed` (`rows.packed`), or before that was, `body` (JSON).

    Account and user id are identity's word.
    """

    __tablename__ = "fact"
    __table_args__ = (
        Index("fact_timeline", "fragment_id", "occurred_at", "interaction_id"),
        Index("fact_of_browser", "anonymous_id", "occurred_at", sqlite_where=_NAMED, postgresql_where=_NAMED),
        Index("fact_told_by_browser", "anonymous_id", "occurred_at", sqlite_where=_TOLD, postgresql_where=_TOLD),
        Index("fact_with_traits", "fragment_id", sqlite_where=text("has_traits"), postgresql_where=text("has_traits")),
    )

    interaction_id: str = Field(primary_key=True)
    fragment_id: str
    occurred_at: datetime = moment()
    heard_at: datetime = moment()
    kind: str
    name: str | None
    has_traits: bool
    strength: str
    rulebook_version: int
    body: str = Field(sa_type=Text)
    account_id: str | None
    user_id: str | None
    packed: bytes | None = Field(sa_type=LargeBinary)
    anonymous_id: str | None  # of the browser, where it hangs on a stronger name
    claims: str | None = Field(sa_type=Text)  # what it says of the person, as identity read it; NULL: read `packed`
    account_named_by: str | None


class ReceiptRow(Table, table=True):
    """Why a measure changed. Belongs to whoever owns the fragment."""

    __tablename__ = "receipt"
    __table_args__ = (
        Index("receipt_timeline", "fragment_id", "at", "receipt_id"),
        Index(
            "receipt_that_counts",
            "fragment_id",
            "at",
            "receipt_id",
            sqlite_where=text("points_e4 <> 0"),
            postgresql_where=text("points_e4 <> 0"),
        ),
    )

    receipt_id: str = Field(primary_key=True)
    fragment_id: str
    at: datetime = moment()
    measure: str
    rule: str
    rulebook: str
    points_e4: int = Field(sa_type=BigInteger)
    half_life: int | None = Field(sa_type=BigInteger)
    cause_id: str
    inputs: str = Field(sa_type=Text)
    sentence: str = Field(sa_type=Text)


class PersonRow(Table, table=True):
    """A person: the profiles and sums of all fragments together, rules that hold, and the scores that were last
    said.
    """

    __tablename__ = "person"

    person_id: str = Field(primary_key=True)
    graph_version: int = Field(sa_type=BigInteger)
    evaluated_at: datetime = moment()
    latest_at: datetime | None = moment(is_nullable=True)
    is_test: bool  # all facts are from test sources
    is_marked: bool = flag()
    attributes: str = Field(sa_type=Text)
    held: str = Field(sa_type=Text)
    fit_version: int | None
    last_trait_at: datetime | None = moment(is_nullable=True)
    last_trait_id: str | None
    sums: str = Field(sa_type=Text)
    said_fit_e4: int | None = Field(sa_type=BigInteger)
    said_engagement_e4: int | None = Field(sa_type=BigInteger)
    said_cell: str | None = Field(sa_type=String)
    said_at: datetime | None = moment(is_nullable=True)
    fades_at: datetime | None = moment(is_nullable=True)
    account_id: str | None = Field(index=True)  # to which they belong, as it was named
    shared: str | None = Field(sa_type=Text)  # with that company, as `attributes`; NULL: nothing


class AccountNameRow(Table, table=True):
    """One id that a company was known by, and the one it answers with; what all its people share is with that."""

    __tablename__ = "account"

    account_id: str = Field(primary_key=True)
    current_id: str = Field(index=True)
    version: int = Field(sa_type=BigInteger)
    facts: str | None = Field(sa_type=Text)  # as `person.attributes`; NULL: none


ACCOUNT, FACT, FRAGMENT, PERSON, RECEIPT = (
    core_table(model) for model in (AccountNameRow, FactRow, FragmentRow, PersonRow, ReceiptRow)
)

PERSON_SEARCH = search_table("person_search", Table.metadata)
"""Of people of whom something is known: names, company and address, as they are searched."""

RULEBOOK = rulebook_table(Table.metadata)
"""The versions of the scoring rulebook."""
