"""The chassis's own tables, in every service's store beside the service's: what was heard, what is to be said, and when to wake."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table

from chassis.store.columns import JsonDocument, Serial, UtcDateTime

METADATA = MetaData()

INBOX = Table(
    "inbox",
    METADATA,
    Column("consumer", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("claimed_at", UtcDateTime, nullable=False),
)
"""Which message was applied by which consumer; claimed in the transaction of its effects."""

# a few pages however many rows: PostgreSQL finds the old claims by it (SQLite by rowid)
Index("inbox_age", INBOX.c.claimed_at, postgresql_using="brin").ddl_if(dialect="postgresql")

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("event_id", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("headers", JsonDocument, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime, nullable=True),
    sqlite_autoincrement=True,  # an id that was purged must not be given again, or a row would be published out of order
)
"""What is to be said, in the order of `id`; `published_at` is null until the broker has it."""

# holds only what waits, so that the relay's question costs the same however much has been said before
Index("outbox_waiting", OUTBOX.c.id, sqlite_where=OUTBOX.c.published_at.is_(None), postgresql_where=OUTBOX.c.published_at.is_(None))

TIMER = Table(
    "timer",
    METADATA,
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("fire_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("payload", JsonDocument, nullable=False),
)
"""One clock per (kind, key). `due_at` is what was asked for; `fire_at` is later when a handler failed and the timer waits for another try."""

Index("timer_waiting", TIMER.c.kind, TIMER.c.fire_at)
