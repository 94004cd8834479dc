"""What identity keeps: fragments, links, what was refused or remarked on, consent, accounts, and what robots did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, MetaData, Text, UniqueConstraint, and_
from sqlmodel import Field, SQLModel

from chassis.store.batch import core_table
from chassis.store.columns import JsonDocument, UtcDateTime
from chassis.store.search import search_table
from contracts.values import JsonObject, Strength


class Table(SQLModel):
    """What all of identity's tables hang on."""

    metadata = MetaData()


class FragmentRow(Table, table=True):
    """One identifier ever seen, or a capture that carried none (then kind and value are null)."""

    __tablename__ = "fragment"
    __table_args__ = (UniqueConstraint("kind", "value", name="fragment_identifier"),)

    fragment_id: str = Field(primary_key=True)
    kind: str | None
    value: str | None
    cluster_id: str
    person_id: str = Field(index=True)
    graph_version: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    source_id: str
    is_test: bool
    account_id: str | None = Field(index=True)
    account_claimed_at: datetime | None = Field(sa_type=UtcDateTime)
    marked_by: str | None  # who said that this is a test
    marked_at: datetime | None = Field(sa_type=UtcDateTime)
    seen_at: datetime | None = Field(sa_type=UtcDateTime)  # when what they were first seen by happened
    core_id: str | None  # the oldest of those that verified links join; null for one that none does
    # the account as it was named: it may have turned out to be another, which `account_id` is
    named_account_id: str | None
    account_named_by: str | None
    account_strength: str | None
    account_interaction_id: str | None
    vouched_at: datetime | None = Field(sa_type=UtcDateTime)  # when a server first went by this name


class LinkRow(Table, table=True):
    """The fact that two fragments belong together; a cut is recorded on it."""

    __tablename__ = "link"

    link_id: str = Field(primary_key=True)
    left_id: str = Field(foreign_key="fragment.fragment_id")
    right_id: str = Field(foreign_key="fragment.fragment_id", index=True)
    strength: str
    evidence_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    reason: str | None
    verified_by: str | None
    verified_at: datetime | None = Field(sa_type=UtcDateTime)
    cut_at: datetime | None = Field(sa_type=UtcDateTime)
    cut_by: str | None
    cut_reason: str | None
    source_id: str | None  # who sent the evidence; null of before it was kept


class CandidateRow(Table, table=True):
    """Two people who may be one, by the fragments that were first claimed together, and what a human decided."""

    __tablename__ = "candidate"
    __table_args__ = (
        Index("candidate_of_source", "source_id", "status"),
        Index("candidate_waiting", "status", "candidate_id"),
    )

    candidate_id: str = Field(primary_key=True)
    left_id: str = Field(foreign_key="fragment.fragment_id", index=True)
    right_id: str = Field(foreign_key="fragment.fragment_id", index=True)
    reason: str
    strength: str
    source_id: str | None
    first_at: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)
    times: int
    claims: list[JsonObject] = Field(sa_type=JsonDocument)
    status: str
    decided_by: str | None
    decided_at: datetime | None = Field(sa_type=UtcDateTime)
    decision_reason: str | None
    link_id: str | None = Field(index=True)


class RefusalRow(Table, table=True):
    """A link that was not made, one row per pair, with how often it was seen."""

    __tablename__ = "refusal"

    refusal_id: str = Field(primary_key=True)
    left_id: str = Field(index=True)
    right_id: str = Field(index=True)
    reason: str
    strength: str
    evidence_id: str  # the last capture that showed it
    first_at: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)
    times: int


class RemarkRow(Table, table=True):
    """What captures of a fragment gave as an identifier that could not be one. The value stays in the interaction."""

    __tablename__ = "remark"

    fragment_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    interaction_id: str  # the last one
    first_at: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)
    times: int


class ConsentRow(Table, table=True):
    """What decides of what is said on a fragment about a channel itself, as releases before 0.3.0 keep it: written for
    them, and read because they write it.
    """

    __tablename__ = "consent"

    fragment_id: str = Field(primary_key=True, foreign_key="fragment.fragment_id")
    channel: str = Field(primary_key=True)
    consent: str
    interaction_id: str
    source_id: str
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    wording: str | None
    strength: str


class LatestConsentRow(Table, table=True):
    """The latest statement of each kind on a fragment about a channel; `origin_id` is the fragment it was said on."""

    __tablename__ = "latest_consent"

    fragment_id: str = Field(primary_key=True, foreign_key="fragment.fragment_id")
    channel: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    origin_id: str = Field(primary_key=True)
    consent: str
    interaction_id: str
    source_id: str
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    wording: str | None
    strength: str
    reason: str | None
    evidence: JsonObject = Field(sa_type=JsonDocument)
    is_told: bool


class ConsentStatementRow(Table, table=True):
    """What was ever stated on a fragment, as proof; never rewritten."""

    __tablename__ = "consent_statement"

    fragment_id: str = Field(primary_key=True, foreign_key="fragment.fragment_id")
    interaction_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    consent: str
    source_id: str
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    wording: str | None
    strength: str
    reason: str | None
    evidence: JsonObject = Field(sa_type=JsonDocument)


class AccountRow(Table, table=True):
    """One name of a company, and what was said with it; of a survivor, `name` and `traits` are those of the whole."""

    __tablename__ = "account"

    account_id: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    group_id: str | None = Field(unique=True)
    domain: str | None = Field(unique=True)
    name_key: str | None = Field(unique=True)
    name: str | None
    traits: JsonObject = Field(sa_type=JsonDocument)
    survivor_id: str | None = Field(index=True)
    facts: str | None = Field(sa_type=Text)  # as a profile is kept; NULL: `name` and `traits` are all that is known
    version: int = Field(sa_column_kwargs={"server_default": "0"})
    parted: str | None = Field(sa_type=Text)  # ids, by blanks, of those that a human said this is not


class WithheldRow(Table, table=True):
    """A capture that a robot made, and who released it. `capture` is the event's headers and body, deflated."""

    __tablename__ = "withheld"
    __table_args__ = (Index("withheld_of_source", "source_id", "interaction_id"),)

    interaction_id: str = Field(primary_key=True)
    source_id: str
    reason: str
    sign: str
    received_at: datetime = Field(sa_type=UtcDateTime)
    capture: bytes = Field(sa_type=LargeBinary)
    released_at: datetime | None = Field(sa_type=UtcDateTime)
    released_by: str | None
    release_reason: str | None
    person_id: str | None  # whose it was when it was released


FRAGMENT = core_table(FragmentRow)
LINK = core_table(LinkRow)
REFUSAL = core_table(RefusalRow)
CANDIDATE = core_table(CandidateRow)
REMARK = core_table(RemarkRow)
ACCOUNT = core_table(AccountRow)
# addresses, user ids and numbers; devices are found by their whole id
PERSON_SEARCH = search_table("person_search", Table.metadata)
ACCOUNT_SEARCH = search_table("account_search", Table.metadata)
CONSENT = core_table(ConsentRow)
WITHHELD = core_table(WithheldRow)
Index("withheld_age", WITHHELD.c.received_at)
LATEST_CONSENT = core_table(LatestConsentRow)
CONSENT_STATEMENT = core_table(ConsentStatementRow)

_automatic = LINK.c.strength != Strength.MANUAL.value
# machines link a pair once; humans may merge, cut and merge again
Index("link_pair", LINK.c.left_id, LINK.c.right_id, unique=True, sqlite_where=_automatic, postgresql_where=_automatic)
Index("link_left", LINK.c.left_id)
# few links are ever cut, and every batch asks for those of its people
_cut = and_(_automatic, LINK.c.cut_at.is_not(None))
Index("link_cut", LINK.c.left_id, sqlite_where=_cut, postgresql_where=_cut)
