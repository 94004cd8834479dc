"""What stops the demo."""

from __future__ import annotations


class Trouble(Exception):
    """Why the demo cannot go on, and what to do about it, in one sentence or two."""
