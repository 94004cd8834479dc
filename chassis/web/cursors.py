"""Where a page of a list ended, as one opaque word that the caller sends back.

All lists write it alike. It carries a check sum: a word that was cut, altered or never ours is refused, since taken
for a place it would begin the list again, or end it too early.
"""

from __future__ import annotations

import base64
import binascii
from zlib import crc32

from chassis.errors import BadInput

_SEPARATOR = "\0"  # occurs in no text that a store keeps
_CHECK_BYTES = 4


def write_cursor(*parts: str) -> str:
    """The cursor that says `parts`: what the last item of the page is ordered by, its id at the end."""
    said = _SEPARATOR.join(parts).encode()
    return base64.urlsafe_b64encode(crc32(said).to_bytes(_CHECK_BYTES, "big") + said).decode().rstrip("=")


def read_cursor(cursor: str, count: int) -> tuple[str, ...]:
    """The `count` parts that `write_cursor` was given. Raises BadInput."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        check, said = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        parts = tuple(said.decode().split(_SEPARATOR))
    except (ValueError, binascii.Error):
        raise not_a_cursor() from None
    if crc32(said).to_bytes(_CHECK_BYTES, "big") != check or len(parts) != count:
        raise not_a_cursor()
    return parts


def not_a_cursor() -> BadInput:
    """What a caller is told whose cursor cannot be read."""
    return BadInput(
        "This is not a cursor of this list",
        field="query.cursor",
        remedy="Send next_cursor of the page before, or leave it out",
    )
