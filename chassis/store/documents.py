"""How JSON columns are written and read."""

from __future__ import annotations

from typing import Any

import orjson


def dump_json(document: Any) -> str:
    """JSON text of `document`; raises TypeError for what JSON cannot hold."""
    return orjson.dumps(document).decode()


def load_json(text: str | bytes | float) -> Any:
    """The document that `text` holds.

    A bare number is one already where SQLite kept it: its JSON columns take what looks like a number for one.
    """
    return text if isinstance(text, int | float) else orjson.loads(text)
