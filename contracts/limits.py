"""Every size there is, in one place, each with its reason. `docs/limits.md` says what happens beyond it.

Two rules hold for all of them: what is too much is refused at the door with a clear word, or the oldest of its kind is folded into a summary;
it never fails further in. And what strangers claim never takes the room of what was verified.
"""

from __future__ import annotations

from typing import Final

KB: Final = 1024
MB: Final = 1024 * KB

# --- at the door ---------------------------------------------------------------------------------------------------------------------------
EVENT_BYTES: Final = 32 * KB
"""One captured event as JSON, after the batch's `context` was merged into it. What SDKs of the field allow as well."""

BATCH_BYTES: Final = 500 * KB
"""One request of several events, unpacked. What SDKs of the field allow as well."""

BATCH_EVENTS: Final = 2_500
"""200 bytes an event in a full batch; more than that is not a batch of events."""

COMPLETED_FACTOR: Final = 8
"""The events of a batch, each completed with the batch's `context`, take at most so many times the bytes of its body (or one event's, if that
is more). An SDK's context of 700 bytes over events of 250 makes about 4."""

UNPACKED_FACTOR: Final = 100
"""A compressed body unpacks to at most so many times its size, or to UNPACKED_BYTES. A queue of alike events makes 10 to 40."""

UNPACKED_BYTES: Final = 64 * KB
"""What any compressed body may unpack to, however well it was compressed."""

WAITING_BYTES: Final = 64 * MB
"""Captures in memory that wait to be stored; beyond it the door answers 503. At 10 MB a second the last one waits six seconds."""

# --- on the bus ----------------------------------------------------------------------------------------------------------------------------
MESSAGE_BYTES: Final = 1 * MB
"""What nats-server takes as one message by default, headers included."""

SAID_BYTES: Final = 512 * KB
"""The largest event that a service says: half of MESSAGE_BYTES, so that headers, a dead letter's reasons and a smaller server still fit."""

EVENT_RECEIPTS: Final = 20
"""Receipts in one event; what is beyond is summed up in one more. A rule a line: nobody reads on after twenty."""

SENTENCE_CHARACTERS: Final = 500
"""A receipt's sentence."""

INPUT_BYTES: Final = 2 * KB
"""The inputs that a receipt quotes, as JSON."""

# --- a person ------------------------------------------------------------------------------------------------------------------------------
VALUE_BYTES: Final = 1 * KB
"""A value in a profile, as JSON. A longer one stays in the fact it came with."""

NAME_CHARACTERS: Final = 128
"""An attribute's name."""

OTHER_ATTRIBUTES: Final = 100
"""Attributes beyond those whose names the product knows (which always have room); the weakest, then the oldest, give way first."""

FRAGMENTS: Final = 2_000
"""First-seen identities that make up one person: merges and splits list them all, 31 bytes each."""
