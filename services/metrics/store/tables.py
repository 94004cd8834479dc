"""What metrics keeps: facts on fragments, written once; who is who; and what people told it: campaigns, costs, rates.

Times of facts are microseconds since 1970 (`_us`), so that both stores subtract and sort them exactly. What
reports read of touches and moves stands in indexes in the order of fragments, and fragments in the order of
people: so that grouping by person sorts nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, MetaData, String, Text, false, text
from sqlmodel import Field, SQLModel

from chassis.store.batch import core_table
from chassis.store.columns import ExactNumber, JsonDocument, UtcDateTime
from people_kernel.store.people import fragment_table


class Table(SQLModel):
    """All of metrics' tables hang on this metadata."""

    metadata = MetaData()


def _us() -> Any:
    return Field(sa_type=BigInteger)


class TagRow(Table, table=True):
    """A combination of UTM values and click ids, folded, and the campaign it belongs to at present."""

    __tablename__ = "tag"

    tag_id: str = Field(primary_key=True)
    source: str | None
    medium: str | None
    name: str | None
    content: str | None
    term: str | None
    key: str | None
    click_ids: str
    campaign_id: str | None


class TouchRow(Table, table=True):
    """Somebody came by a link with a tag."""

    __tablename__ = "touch"
    __table_args__ = (
        Index("touch_occurred", "occurred_us"),
        Index("touch_received", "received_us"),
        Index("touch_fragment", "fragment_id", "occurred_us", "interaction_id", "tag_id", "received_us", "is_test"),
    )

    interaction_id: str = Field(primary_key=True)
    fragment_id: str
    tag_id: str
    occurred_us: int = _us()
    received_us: int = _us()
    is_test: bool


class StageFactRow(Table, table=True):
    """A stage was entered, or came out differently. `person_id` is who it was said of then."""

    __tablename__ = "stage_told"
    __table_args__ = (
        Index("stage_told_last", "person_id", "told_us"),
        Index("stage_told_occurred", "occurred_us", "fragment_id"),
        Index("stage_told_received", "told_us", "fragment_id"),
        Index("stage_told_stage", "stage"),
        Index(
            "stage_told_fragment",
            "fragment_id",
            "occurred_us",
            "told_us",
            "stage",
            "previous",
            "is_correction",
            "person_id",
        ),
    )

    event_id: str = Field(primary_key=True)
    fragment_id: str
    person_id: str
    stage: str
    previous: str | None
    is_correction: bool
    occurred_us: int = _us()
    told_us: int = _us()


class ClockFactRow(Table, table=True):
    """A clock was started, kept or breached."""

    __tablename__ = "clock_told"
    __table_args__ = (Index("clock_told_occurred", "occurred_us"), Index("clock_told_received", "told_us"))

    event_id: str = Field(primary_key=True)
    fragment_id: str
    kind: str
    clock: str
    was_breached: bool
    occurred_us: int = _us()
    told_us: int = _us()


class DealFactRow(Table, table=True):
    """An opportunity was opened (step 0), advanced (1), won (2) or lost (3)."""

    __tablename__ = "deal_told"
    __table_args__ = (
        Index("deal_told_occurred", "occurred_us", "opportunity_id"),
        Index("deal_told_received", "told_us", "opportunity_id"),
    )

    event_id: str = Field(primary_key=True)
    fragment_id: str = Field(index=True)
    opportunity_id: str = Field(index=True)
    step: int
    amount_e4: int | None = Field(sa_type=BigInteger)
    currency: str | None
    occurred_us: int = _us()
    told_us: int = _us()


class ReferralFactRow(Table, table=True):
    """A referral was offered, accepted, returned, or expired."""

    __tablename__ = "referral_told"
    __table_args__ = (
        Index("referral_told_referral", "referral_id", "kind", "occurred_us"),
        Index("referral_told_occurred", "occurred_us"),
        Index("referral_told_received", "told_us"),
    )

    event_id: str = Field(primary_key=True)
    fragment_id: str
    referral_id: str
    rep_id: str
    kind: str
    reason: str | None
    occurred_us: int = _us()
    told_us: int = _us()


class TreatmentFactRow(Table, table=True):
    """A treatment was chosen for somebody."""

    __tablename__ = "treatment_told"
    __table_args__ = (Index("treatment_told_occurred", "occurred_us"), Index("treatment_told_received", "told_us"))

    event_id: str = Field(primary_key=True)
    fragment_id: str
    treatment_id: str
    campaign_id: str | None = Field(index=True)
    occurred_us: int = _us()
    told_us: int = _us()


class HeardRow(Table, table=True):
    """How far a stream was heard: the time of its latest event, by owner; the latest slot counts."""

    __tablename__ = "heard"

    owner: str = Field(primary_key=True)
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    latest_at: datetime = Field(sa_type=UtcDateTime)


class CampaignRow(Table, table=True):
    """A campaign (`domain.campaigns.Campaign`)."""

    __tablename__ = "campaign"

    campaign_id: str = Field(primary_key=True)
    name: str
    channel: str
    purpose: str
    is_direct: bool
    matches: list[Any] = Field(sa_type=JsonDocument)
    starts_on: date | None = Field(sa_type=Date)
    ends_on: date | None = Field(sa_type=Date)
    external_id: str | None = Field(unique=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: str
    updated_at: datetime = Field(sa_type=UtcDateTime)


class CostRow(Table, table=True):
    """Money that was spent; a correction is another cost."""

    __tablename__ = "cost"
    __table_args__ = (Index("cost_campaign", "campaign_id", "incurred_on"),)

    cost_id: str = Field(primary_key=True)
    campaign_id: str
    amount_e4: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=String)
    incurred_on: date = Field(sa_type=Date)
    note: str | None = Field(sa_type=Text)
    external_id: str | None = Field(unique=True)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str


class RateRow(Table, table=True):
    """What a unit of a currency is worth in the reporting currency from that day on."""

    __tablename__ = "rate"

    currency: str = Field(primary_key=True)
    starts_on: date = Field(primary_key=True, sa_type=Date)
    rate: Decimal = Field(sa_type=ExactNumber)
    set_at: datetime = Field(sa_type=UtcDateTime)
    set_by: str


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=false())


def _key(name: str) -> Column[str]:
    return Column(name, String, nullable=False, server_default="")


FRAGMENT = fragment_table(
    Table.metadata,
    _flag("has_real"),
    _flag("has_test"),
    _flag("is_marked"),
    _key("mark_key"),
    _flag("told_test"),
    _key("told_key"),
    Column("first_us", BigInteger, nullable=True),
    Column("first_told_us", BigInteger, nullable=True),
)
"""Whose a fragment is, and what is known of it as such (`domain.workspace.Presence`): one
row, which is all that a stranger costs.

Few are suspected of being tests, and only those are looked through.
"""
_SUSPECT = text("has_test OR is_marked OR told_test")
Index("fragment_owner", FRAGMENT.c.person_id, FRAGMENT.c.fragment_id)
Index("fragment_suspect", FRAGMENT.c.person_id, sqlite_where=_SUSPECT, postgresql_where=_SUSPECT)
Index("fragment_first", FRAGMENT.c.first_us)
Index("fragment_first_told", FRAGMENT.c.first_told_us)
TAG, TOUCH = core_table(TagRow), core_table(TouchRow)
STAGE, CLOCK, DEAL = core_table(StageFactRow), core_table(ClockFactRow), core_table(DealFactRow)
REFERRAL, TREATMENT, HEARD = core_table(ReferralFactRow), core_table(TreatmentFactRow), core_table(HeardRow)
CAMPAIGN, COST, RATE = core_table(CampaignRow), core_table(CostRow), core_table(RateRow)
