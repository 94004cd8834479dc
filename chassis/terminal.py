"""What others wrote, as a terminal may show it.

A header, an id or a capture may hold what moves the cursor, names a window or turns the way of writing around: an
operator would read what somebody wants to be read. Such signs are shown by their numbers.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import orjson

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control characters, those without a shape (the marks of bidirectional text among them), halves of pairs, and the
separators of lines and paragraphs.
"""
_PLAIN: Final = re.compile(r"[ -~]*")
_NOT_ASCII: Final = re.compile(r"[^ -~]")
_SHORT, _LONG = 0x100, 0x10000


def printable(text: str, kept: str = "") -> str:
    """`text` with every sign that a terminal obeys written by its number, but for those in `kept`."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(
        sign if sign in kept or unicodedata.category(sign) not in _HIDDEN else _number(ord(sign)) for sign in text
    )


def plain_json(value: Any) -> str:
    """`value` as JSON on one line, of signs of ASCII alone; another sign is written by its number, which JSON reads as
    the sign.
    """
    return _NOT_ASCII.sub(_escaped, orjson.dumps(value).decode())


def _number(code: int) -> str:
    if code < _SHORT:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _LONG else f"\\U{code:08x}"


def _escaped(found: re.Match[str]) -> str:
    halves = found[0].encode("utf-16-be")  # JSON writes what is beyond 16 bits as a pair
    return "".join(f"\\u{halves[at] << 8 | halves[at + 1]:04x}" for at in range(0, len(halves), 2))
