"""What routing keeps: reps and their turns, who owns which account, referrals with their offers, keys to NATS,
receipts, rulebooks, who is who.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, MetaData, Text
from sqlmodel import Field, SQLModel

from chassis.store.batch import core_table
from chassis.store.columns import moment
from people_kernel.store.people import fragment_table, receipt_table
from people_kernel.store.rulebooks import rulebook_table


class Table(SQLModel):
    """All of routing's tables hang on this metadata."""

    metadata = MetaData()


class RepRow(Table, table=True):
    """Somebody who can be asked. `teams` is a JSON list."""

    __tablename__ = "rep"

    rep_id: str = Field(primary_key=True)
    name: str
    email: str | None
    weight: int
    capacity: int | None
    teams: str = Field(sa_type=Text)
    is_active: bool
    external_id: str | None = Field(unique=True)
    created_at: datetime = moment()
    changed_at: datetime = moment()


class LoadRow(Table, table=True):
    """How many referrals take room of a rep now; changed with the referral, in its transaction.

    Whoever wants to ask somebody locks the rows of all who could be asked, so that of two at once one waits for the
    other.
    """

    __tablename__ = "rep_load"

    rep_id: str = Field(primary_key=True)
    number: int


class CreditRow(Table, table=True):
    """What a rep is owed in a team's rotation, in turns: an exact fraction, as `3/7`."""

    __tablename__ = "credit"

    team: str = Field(primary_key=True)
    rep_id: str = Field(primary_key=True)
    credit: str


class AccountOwnerRow(Table, table=True):
    """Whose an account is; `rep_id` is empty after it was taken away."""

    __tablename__ = "account_owner"

    account_id: str = Field(primary_key=True)
    rep_id: str | None = Field(index=True)
    changed_at: datetime = moment()
    changed_by: str


class AccountAliasRow(Table, table=True):
    """One of several ids of an account that was known as several, and the one it answers with; `age` 0 is the oldest,
    whose owner counts.
    """

    __tablename__ = "account_alias"

    account_id: str = Field(primary_key=True)
    current_id: str = Field(index=True)
    version: int = Field(sa_type=BigInteger)
    age: int


class CredentialRow(Table, table=True):
    """The hash of a rep's password on NATS: 256 random bits, so one pass of SHA-256 is enough."""

    __tablename__ = "credential"

    rep_id: str = Field(primary_key=True)
    password_hash: str
    issued_at: datetime = moment()
    issued_by: str


class StoredReferral(Table, table=True):
    """A referral as it stands.

    `card`, `ground`, `move` and `asked` are JSON; `takes_room` is what counts for its rep's capacity.
    """

    __tablename__ = "referral"
    __table_args__ = (
        Index("referral_fragment", "fragment_id"),
        Index("referral_person", "person_id"),
        Index("referral_timeline", "created_at", "referral_id"),
        Index("referral_state", "state", "created_at", "referral_id"),
        Index("referral_rep", "rep_id", "created_at", "referral_id"),
        Index("referral_rep_person", "rep_id", "person_id"),
        Index("referral_account_person", "account_id", "person_id"),
    )

    referral_id: str = Field(primary_key=True)
    fragment_id: str
    person_id: str
    graph_version: int = Field(sa_type=BigInteger)
    stage: str
    state: str
    rep_id: str | None
    account_id: str | None
    attempt: int
    asked: str = Field(sa_type=Text)
    card: str = Field(sa_type=Text)
    ground: str = Field(sa_type=Text)
    move: str = Field(sa_type=Text)
    created_at: datetime = moment()
    offered_at: datetime | None = moment(is_nullable=True)
    due_at: datetime | None = moment(is_nullable=True)
    stage_due_at: datetime | None = moment(is_nullable=True)
    answered_at: datetime | None = moment(is_nullable=True)
    accepted_rep_id: str | None
    is_overdue: bool
    is_settled: bool
    is_test: bool
    takes_room: bool
    closed_at: datetime | None = moment(is_nullable=True)
    closed_because: str | None
    merged_into: str | None


class OfferRow(Table, table=True):
    """One rep asked, and what became of it."""

    __tablename__ = "offer"

    referral_id: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    rep_id: str
    offered_at: datetime = moment()
    due_at: datetime | None = moment(is_nullable=True)
    outcome: str
    seen_at: datetime | None = moment(is_nullable=True)
    ended_at: datetime | None = moment(is_nullable=True)
    reason: str | None
    note: str | None = Field(sa_type=Text)
    by: str | None


FRAGMENT = fragment_table(Table.metadata)
"""Who is who."""
RECEIPT = receipt_table(Table.metadata)
"""Why routing decided as it did."""
RULEBOOK = rulebook_table(Table.metadata)
"""The versions of the routing rulebook."""


REP, CREDIT, ACCOUNT_OWNER, ACCOUNT_ALIAS, CREDENTIAL = (
    core_table(RepRow),
    core_table(CreditRow),
    core_table(AccountOwnerRow),
    core_table(AccountAliasRow),
    core_table(CredentialRow),
)
REFERRAL, OFFER, LOAD = core_table(StoredReferral), core_table(OfferRow), core_table(LoadRow)
