"""Pages of rows with the newest first."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_
from sqlalchemy.sql.elements import ColumnElement

Place = tuple[datetime, str]
"""(moment, id) of the last item of a page."""


def earlier(at: ColumnElement[datetime], row_id: ColumnElement[str], place: Place) -> ColumnElement[bool]:
    """The rows that come after `place` where the newest stand first."""
    return or_(at < place[0], and_(at == place[0], row_id < place[1]))
