"""Whoever takes a back-up and brings it back, as a user of the bus: streams as a whole, and nothing that is said."""

from __future__ import annotations

from typing import Final

BACKUP: Final = "backup"
BACKUP_INBOX: Final = f"_INBOX_{BACKUP}"

PUBLISHES: Final = (
    "$JS.API.INFO",
    # where each stream ends, and whether somebody reads it
    *(f"$JS.API.STREAM.{call}" for call in ("NAMES", "INFO.*", "MSG.GET.*")),
    *(f"$JS.API.CONSUMER.{call}.*" for call in ("NAMES", "LIST")),
    # the way out, with its flow control
    "$JS.API.STREAM.SNAPSHOT.*",
    "$JS.SNAPSHOT.ACK.>",
    # the way back; what came after the cut is taken away again
    "$JS.API.STREAM.RESTORE.*",
    "$JS.SNAPSHOT.RESTORE.*.*",
    "$JS.API.STREAM.MSG.DELETE.*",
    # a stream that is laid and empty, or that is to be replaced, goes before another takes its place
    "$JS.API.STREAM.DELETE.*",
)
HEARS: Final = (f"{BACKUP_INBOX}.>",)
