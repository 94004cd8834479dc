"""Facts on fragments, who is who, campaigns, costs, rates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.columns import ExactNumber, JsonDocument, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _touches()
    _decisions()
    _streams()
    _campaigns()


def _people() -> None:
    op.create_table(
        "fragment",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("graph_version", sa.BigInteger, nullable=False),
    )
    op.create_index("fragment_owner", "fragment", ["person_id", "fragment_id"])
    op.create_index("ix_fragment_person_id", "fragment", ["person_id"])
    op.create_table(
        "presence",
        sa.Column("fragment_id", sa.String, primary_key=True),
        sa.Column("has_real", sa.Boolean, nullable=False),
        sa.Column("has_test", sa.Boolean, nullable=False),
        sa.Column("is_marked", sa.Boolean, nullable=False),
        sa.Column("mark_key", sa.String, nullable=False),
        sa.Column("told_test", sa.Boolean, nullable=False),
        sa.Column("told_key", sa.String, nullable=False),
    )
    is_suspect = sa.text("has_test OR is_marked OR told_test")
    op.create_index(
        "presence_suspect", "presence", ["fragment_id"], sqlite_where=is_suspect, postgresql_where=is_suspect
    )


def _touches() -> None:
    op.create_table(
        "tag",
        sa.Column("tag_id", sa.String, primary_key=True),
        sa.Column("source", sa.String, nullable=True),
        sa.Column("medium", sa.String, nullable=True),
        sa.Column("name", sa.String, nullable=True),
        sa.Column("content", sa.String, nullable=True),
        sa.Column("term", sa.String, nullable=True),
        sa.Column("key", sa.String, nullable=True),
        sa.Column("click_ids", sa.String, nullable=False),
        sa.Column("campaign_id", sa.String, nullable=True),
    )
    op.create_table(
        "touch",
        sa.Column("interaction_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("tag_id", sa.String, nullable=False),
        sa.Column("occurred_us", sa.BigInteger, nullable=False),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
    )
    op.create_index(
        "touch_fragment", "touch", ["fragment_id", "occurred_us", "interaction_id", "tag_id", "received_us", "is_test"]
    )


def _decisions() -> None:
    op.create_table(
        "stage_told",
        sa.Column("event_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("previous", sa.String, nullable=True),
        sa.Column("is_correction", sa.Boolean, nullable=False),
        sa.Column("occurred_us", sa.BigInteger, nullable=False),
        sa.Column("told_us", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "stage_told_fragment",
        "stage_told",
        ["fragment_id", "occurred_us", "told_us", "stage", "previous", "is_correction", "person_id"],
    )
    op.create_index("stage_told_last", "stage_told", ["person_id", "told_us"])
    op.create_table(
        "clock_told",
        sa.Column("event_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("clock", sa.String, nullable=False),
        sa.Column("was_breached", sa.Boolean, nullable=False),
        sa.Column("occurred_us", sa.BigInteger, nullable=False),
        sa.Column("told_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "deal_told",
        sa.Column("event_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("opportunity_id", sa.String, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("amount_e4", sa.BigInteger, nullable=True),
        sa.Column("currency", sa.String, nullable=True),
        sa.Column("occurred_us", sa.BigInteger, nullable=False),
        sa.Column("told_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_deal_told_fragment_id", "deal_told", ["fragment_id"])
    op.create_index("ix_deal_told_opportunity_id", "deal_told", ["opportunity_id"])
    op.create_table(
        "referral_told",
        sa.Column("event_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("referral_id", sa.String, nullable=False),
        sa.Column("rep_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=True),
        sa.Column("occurred_us", sa.BigInteger, nullable=False),
        sa.Column("told_us", sa.BigInteger, nullable=False),
    )
    op.create_index("referral_told_referral", "referral_told", ["referral_id", "kind", "occurred_us"])
    op.create_table(
        "treatment_told",
        sa.Column("event_id", sa.String, primary_key=True),
        sa.Column("fragment_id", sa.String, nullable=False),
        sa.Column("treatment_id", sa.String, nullable=False),
        sa.Column("campaign_id", sa.String, nullable=True),
        sa.Column("occurred_us", sa.BigInteger, nullable=False),
        sa.Column("told_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_treatment_told_campaign_id", "treatment_told", ["campaign_id"])


def _streams() -> None:
    op.create_table(
        "heard",
        sa.Column("owner", sa.String, primary_key=True),
        sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("latest_at", UtcDateTime, nullable=False),
    )


def _campaigns() -> None:
    op.create_table(
        "campaign",
        sa.Column("campaign_id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("is_direct", sa.Boolean, nullable=False),
        sa.Column("matches", JsonDocument, nullable=False),
        sa.Column("starts_on", sa.Date, nullable=True),
        sa.Column("ends_on", sa.Date, nullable=True),
        sa.Column("external_id", sa.String, nullable=True, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "cost",
        sa.Column("cost_id", sa.String, primary_key=True),
        sa.Column("campaign_id", sa.String, nullable=False),
        sa.Column("amount_e4", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("incurred_on", sa.Date, nullable=False),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("external_id", sa.String, nullable=True, unique=True),
        sa.Column("recorded_at", UtcDateTime, nullable=False),
        sa.Column("recorded_by", sa.String, nullable=False),
    )
    op.create_index("cost_campaign", "cost", ["campaign_id", "incurred_on"])
    op.create_table(
        "rate",
        sa.Column("currency", sa.String, primary_key=True),
        sa.Column("starts_on", sa.Date, primary_key=True),
        sa.Column("rate", ExactNumber, nullable=False),
        sa.Column("set_at", UtcDateTime, nullable=False),
        sa.Column("set_by", sa.String, nullable=False),
    )
