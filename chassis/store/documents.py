"""How JSON columns are written and read."""

from __future__ import annotations

from typing import Any

import orjson


def dump_json(document: Any) -> str:
    """JSON text of `document`; raises TypeError for what JSON cannot hold."""
    return orjson.dumps(document).decode()


def load_json(text: str | bytes) -> Any:
    """The document that `text` holds."""
    return orjson.loads(text)
