"""The chassis's own tables, in every service's store beside the service's: what was heard, what is to be said, and when
to wake.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, text

from chassis.store.columns import JsonDocument, Serial, UtcDateTime

METADATA = MetaData()

INBOX = Table(
    "inbox",
    METADATA,
    Column("stream", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("claimed_at", BigInteger, nullable=True),
    sqlite_with_rowid=False,  # one tree instead of two, and the id is written once
)
"""Messages that were applied and may come again further up in `stream`; claimed in the transaction of their effects.

`lane` is the number in the message's subject. `claimed_at` (seconds since 1970) stands only where the row goes by age:
the others, nearly all, go by `sequence` and cost no index.
"""

Index(
    "inbox_age",
    INBOX.c.claimed_at,
    sqlite_where=INBOX.c.claimed_at.is_not(None),
    postgresql_where=INBOX.c.claimed_at.is_not(None),
)

INBOX_FLOOR = Table(
    "inbox_floor",
    METADATA,
    Column("stream", String, primary_key=True),
    Column("lane", Integer, primary_key=True),
    Column("lanes", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("stored_at", UtcDateTime, nullable=False),
)
"""All of `stream` that this service hears under the lane number `lane`, up to `sequence`, was applied or set aside.

`stored_at`: no message up to there was stored later; one that was belongs to a stream that was made anew or set back.
`lanes` is how many lanes the service runs with: who runs with another number may not write.
"""

INBOX_BEFORE = Table(
    "inbox_before",
    METADATA,
    Column("consumer", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("claimed_at", UtcDateTime, nullable=False),
)
"""The inbox as it was before floors, by durable and without a stream.

Asked as long as it has rows; nothing is added.
"""

# a few pages however many rows: PostgreSQL finds the old claims by it (SQLite by rowid)
Index("inbox_before_age", INBOX_BEFORE.c.claimed_at, postgresql_using="brin").ddl_if(dialect="postgresql")

DEAD_LETTER = Table(
    "dead_letter",
    METADATA,
    Column("origin", String, primary_key=True),
    Column("message_id", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("died_at", UtcDateTime, nullable=False),
    Column("replayed_at", UtcDateTime, nullable=True),
)
"""What this service gave up, one row a message; `origin` says where the message first
stood (`chassis.bus.dead_letters`). Kept for ever: a replay may come after years.
`replayed_at` is null until a replay was applied.
"""

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("event_id", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("headers", JsonDocument, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,  # an id that is gone must not be given again, or a row would be published out of order
)
"""What is to be said, in the order of `id`; a row goes when the broker has it."""

OUTBOX_REFUSED = Table(
    "outbox_refused",
    METADATA,
    Column("number", Serial, primary_key=True, autoincrement=False),
    Column("event_id", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("headers", JsonDocument, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("refused_at", UtcDateTime, nullable=False),
    Column("reason", String, nullable=False),
)
"""What the broker will not have, set aside; `number` is the id it had in the outbox."""

TIMER = Table(
    "timer",
    METADATA,
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("fire_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("payload", JsonDocument, nullable=False),
    Column("reason", String, nullable=True),
)
"""One clock per (kind, key).

`due_at` is what was asked for; `fire_at` is later when a handler failed and the timer waits for another try: `attempts`
says how often it did, `reason` why the last time.
"""

Index("timer_waiting", TIMER.c.kind, TIMER.c.fire_at)

FAILING_ATTEMPTS = 3
"""From so many failures on (at least 3 s) a timer counts as set aside. The index holds no others."""

_is_failing = text(f"attempts >= {FAILING_ATTEMPTS}")
Index("timer_failing", TIMER.c.kind, sqlite_where=_is_failing, postgresql_where=_is_failing)

COMPATIBILITY = Table(
    "compatibility",
    METADATA,
    Column("chain", String, primary_key=True),
    Column("serves_from", String, nullable=False),
)
"""Which versions of the code the store still serves: those that know revision `serves_from` of a chain, named by its
version table. No row: any older one.
"""
