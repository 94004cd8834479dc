"""What lifecycle keeps.

Moves, verdicts and receipts are written once; the table `current_stage` (where each person is now) is a view of moves,
kept because it is asked for often.

JSON is kept as text: it is written and read whole.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Column, Index, MetaData, Text, text
from sqlmodel import Field, SQLModel

from chassis.store.batch import core_table
from chassis.store.columns import ExactNumber, moment
from people_kernel.store.people import card_table, fragment_table, receipt_table
from people_kernel.store.rulebooks import rulebook_table


class Table(SQLModel):
    """All of lifecycle's tables hang on this metadata."""

    metadata = MetaData()


class MoveRow(Table, table=True):
    """Somebody entered a stage. `covers` is what was in view: `{home fragment: number of its last move}`."""

    __tablename__ = "move"
    __table_args__ = (Index("move_number", "fragment_id", "seq", unique=True),)

    move_id: str = Field(primary_key=True)
    fragment_id: str
    seq: int = Field(sa_type=BigInteger)
    covers: str = Field(sa_type=Text)
    stage: str
    previous: str | None
    at: datetime = moment()
    occurred_at: datetime = moment()
    rule: str
    rulebook: str
    receipt_id: str
    by: str | None
    reason: str | None


class CurrentStageRow(Table, table=True):
    """Where a person id is, as it was last said."""

    __tablename__ = "current_stage"
    __table_args__ = (
        Index("current_stage_by_stage", "stage", "entered_at", "person_id"),
        Index("current_stage_by_entry", "entered_at", "person_id"),
    )

    person_id: str = Field(primary_key=True)
    is_present: bool
    stage: str | None
    move_id: str | None
    move_home: str | None
    since: datetime | None = moment(is_nullable=True)
    entered_at: datetime | None = moment(is_nullable=True)
    latest_at: datetime | None = moment(is_nullable=True)
    homes: str = Field(sa_type=Text)
    points_e4: int = Field(sa_type=BigInteger)
    points_of: str | None
    is_test: bool
    seen_at: datetime | None = moment(is_nullable=True)


class StoredClock(Table, table=True):
    """A clock that runs, or ran."""

    __tablename__ = "clock"
    __table_args__ = (
        Index(
            "clock_running",
            "fragment_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    clock_id: str = Field(primary_key=True)
    fragment_id: str
    name: str
    stage: str
    stops: str = Field(sa_type=Text)
    started_at: datetime = moment()
    due_at: datetime = moment()
    remind_at: datetime | None = moment(is_nullable=True)
    is_reminded: bool
    breached_at: datetime | None = moment(is_nullable=True)
    ended_at: datetime | None = moment(is_nullable=True)
    is_test: bool


class VerdictRow(Table, table=True):
    """What a human decided. `move_id` is where the person stood after it; `bant` is JSON."""

    __tablename__ = "verdict"
    __table_args__ = (Index("verdict_by_move", "move_id", "at"),)

    verdict_id: str = Field(primary_key=True)
    fragment_id: str
    move_id: str
    verb: str
    by: str
    at: datetime = moment()
    occurred_at: datetime = moment()
    reason: str | None
    note: str | None = Field(sa_type=Text)
    to_stage: str | None
    wake_at: datetime | None = moment(is_nullable=True)
    bant: str = Field(sa_type=Text)


class OpportunityRow(Table, table=True):
    """A deal. Belongs to whoever owns the fragment."""

    __tablename__ = "opportunity"
    __table_args__ = (
        Index("opportunity_of_fragment", "fragment_id"),
        Index("opportunity_by_creation", "created_at", "opportunity_id"),
    )

    opportunity_id: str = Field(primary_key=True)
    fragment_id: str
    name: str
    status: str
    opened_at: datetime = moment()
    created_at: datetime = moment()
    created_by: str
    amount: Decimal | None = Field(default=None, sa_column=Column(ExactNumber, nullable=True))
    currency: str | None
    step: str | None
    external_id: str | None = Field(unique=True)
    closed_at: datetime | None = moment(is_nullable=True)
    reason: str | None
    note: str | None = Field(sa_type=Text)
    is_test: bool


MOVE, CURRENT_STAGE, CLOCK = core_table(MoveRow), core_table(CurrentStageRow), core_table(StoredClock)
VERDICT, OPPORTUNITY = core_table(VerdictRow), core_table(OpportunityRow)
FRAGMENT, CARD = fragment_table(Table.metadata), card_table(Table.metadata)
RECEIPT, RULEBOOK = receipt_table(Table.metadata), rulebook_table(Table.metadata)
