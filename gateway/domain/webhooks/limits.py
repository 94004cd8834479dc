"""The sizes of webhooks, beside those of `contracts/limits.py`, and why they are what they are."""

from __future__ import annotations

from typing import Final

WEBHOOKS: Final = 50
"""Of one installation. Each costs some questions to NATS a second while events come."""

WEBHOOK_WINDOW: Final = 100
"""Events of one webhook that are taken from the streams and not settled yet, 300 bytes each. What comes after them
waits in the streams, whose facts stay for ever, so that a receiver that is away for weeks fills no disk.
"""

WEBHOOK_LOG: Final = 1_000
WEBHOOK_LOG_DAYS: Final = 30
"""Settled deliveries kept of each webhook, the newest, up to 1 KB each, and for how long."""

WEBHOOK_REPLAY: Final = 10_000
"""Events of each stream that one replay sends again at most."""
