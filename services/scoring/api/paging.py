"""Cursors: opaque to the caller, (moment, id) of the last item to us."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from chassis.errors import BadInput
from services.scoring.domain.decay import microseconds, moment
from services.scoring.store.reading import Place


def to_cursor(at: datetime, row_id: str) -> str:
    """The cursor of a page that ends with this item."""
    return base64.urlsafe_b64encode(f"{microseconds(at)} {row_id}".encode()).decode().rstrip("=")


def from_cursor(cursor: str | None) -> Place | None:
    """Where the page before ended. Raises BadInput."""
    if cursor is None:
        return None
    try:
        since_epoch, _, row_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(" ")
        return moment(int(since_epoch)), row_id.replace("\0", "")
    except (ValueError, OverflowError, binascii.Error):
        raise BadInput("This is not a cursor of ours", field="query.cursor", remedy="Use next_cursor of the page before") from None
