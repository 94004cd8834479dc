"""A main module with something to warm."""

from __future__ import annotations

times: list[str] = []


def warm() -> None:
    """Says that it was called."""
    times.append("warmed")
