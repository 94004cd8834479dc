"""Which version this is. One number for the whole suite: its parts are released together."""

from __future__ import annotations

import os
from typing import Final

VERSION: Final = "0.2.0"


def revision() -> str:
    """The commit an image was built from; empty where nobody said."""
    return os.environ.get("RAPPORT_REVISION", "")
