"""What nurture keeps. Facts hang on fragments; cards and people are views of what was said under a person id."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Text
from sqlalchemy import Table as CoreTable
from sqlmodel import SQLModel

from chassis.store.columns import UtcDateTime
from people_kernel.store.people import card_table, fragment_table, receipt_table
from people_kernel.store.rulebooks import rulebook_table


class Table(SQLModel):
    """All of nurture's tables hang on this metadata."""

    metadata = MetaData()


FRAGMENT = fragment_table(Table.metadata)
CARD = card_table(Table.metadata)
RECEIPT = receipt_table(Table.metadata)
RULEBOOK = rulebook_table(Table.metadata)

PERSON = CoreTable(
    "person",
    Table.metadata,
    Column("person_id", String, primary_key=True),
    Column("stage", String, nullable=False),
    Column("stage_at", UtcDateTime, nullable=True),
    Column("told_at", UtcDateTime, nullable=True),
    Column("buying_stage", String, nullable=True),
    Column("buying_rule", String, nullable=True),
    Column("buying_rulebook", String, nullable=True),
    Column("buying_sentence", Text, nullable=True),
    Column("is_test", Boolean, nullable=False),
)
"""The two stages under each person id; `told_at` is when the latest lifecycle stage was decided."""

CONSENT = CoreTable(
    "consent",
    Table.metadata,
    Column("fragment_id", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("consent", String, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("interaction_id", String, nullable=False),
    Column("source_id", String, nullable=False),
    Column("wording", Text, nullable=True),
)
"""The latest statement per fragment and channel, as releases before 0.3.0 keep it: read, and written for them."""

LATEST_CONSENT = CoreTable(
    "latest_consent",
    Table.metadata,
    Column("fragment_id", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("origin_id", String, primary_key=True),
    Column("consent", String, nullable=False),
    Column("strength", String, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("interaction_id", String, nullable=False),
    Column("source_id", String, nullable=False),
    Column("wording", Text, nullable=True),
)
"""The latest statement of each kind per fragment and channel; `origin_id` is the fragment it was said on."""

TREATMENT = CoreTable(
    "treatment",
    Table.metadata,
    Column("treatment_id", String, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("external_id", String, nullable=True, unique=True),
    Column("is_starter", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""The catalogue; `revision` is the newest."""

REVISION = CoreTable(
    "revision",
    Table.metadata,
    Column("treatment_id", String, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("revised_at", UtcDateTime, nullable=False),
    Column("revised_by", String, nullable=False),
)
"""What a treatment was at each revision; never rewritten."""

SELECTION = CoreTable(
    "selection",
    Table.metadata,
    Column("selection_id", String, primary_key=True),
    Column("fragment_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("trigger", String, nullable=False),
    Column("treatment_id", String, nullable=True),
    Column("revision", Integer, nullable=True),
    Column("stage", String, nullable=False),
    Column("buying_stage", String, nullable=False),
    Column("circumstances", String, nullable=False),
    Column("is_test", Boolean, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("answer", Text, nullable=True),
    Index("selection_timeline", "fragment_id", "at", "selection_id"),
)
"""What was chosen for whom; `answer` is what the one who asked was told. No treatment: nothing fitted."""


def _counts(name: str) -> CoreTable:
    return CoreTable(
        name,
        Table.metadata,
        Column("fragment_id", String, primary_key=True),
        Column("treatment_id", String, primary_key=True),
        Column("is_test", Boolean, primary_key=True),
        Column("times", Integer, nullable=False),
        Column("last_at", UtcDateTime, nullable=False),
    )


SHOWN = _counts("shown")
"""How often a treatment was handed out to be shown, and when last. Suggestions are not: nobody saw them yet."""

SHOWN_IN_BROWSER = _counts("shown_in_browser")
"""The same of what a page asked for with a public key, on the browser's own fragment: no answer to a public key may
depend on what was chosen for whoever the browser is linked to.
"""

CATALOGUE = CoreTable(
    "catalogue",
    Table.metadata,
    Column("catalogue_id", String, primary_key=True),
    Column("labels", Text, nullable=False),
)
"""Revisions of the catalogue as a whole that something was chosen from: `[trt_x@3, ...]` in the order of the ids."""
