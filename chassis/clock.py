"""The wall clock. All other code is handed a moment, or asks here; what is measured in seconds goes by
`time.monotonic`.
"""

from __future__ import annotations

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """Now, aware UTC."""
    return datetime.now(UTC)
