"""Identifiers derived from their cause, so that a replay yields the same ones.

An id is `<prefix>_<26 characters>`: a ULID-shaped word of 48 bits of time (milliseconds) and 80 bits of SHA-256 over
the cause, in Crockford's base 32 (https://www.crockford.com/base32.html), so ids of one prefix sort by time.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]  # ten bits at a time: half the steps
_WORD_PAIRS = 13
_LETTERS = frozenset(_ALPHABET)
_SEPARATOR = "\x1f"  # cannot occur in a sane identifier, so ("a", "bc") and ("ab", "c") differ


def derive_id(prefix: str, at: datetime, *cause: str) -> str:
    """The id that `cause` brings about at `at` (aware); equal causes give equal ids."""
    milliseconds = int(at.timestamp() * 1000)
    digest = hashlib.sha256(_SEPARATOR.join((prefix, *cause)).encode()).digest()[:10]
    return f"{prefix}_{_encode((milliseconds << 80) | int.from_bytes(digest))}"


def hash_id(prefix: str, *cause: str) -> str:
    """An id that depends on its cause alone, not on time: 128 bits of SHA-256."""
    digest = hashlib.sha256(_SEPARATOR.join((prefix, *cause)).encode()).digest()[:16]
    return f"{prefix}_{_encode(int.from_bytes(digest))}"


def with_prefix(prefix: str, other_id: str) -> str:
    """The sibling of `other_id` under another prefix: `with_prefix("per", "frg_X") == "per_X"`."""
    return f"{prefix}_{other_id.partition('_')[2]}"


def is_id(prefix: str, text: str) -> bool:
    """Whether a text has the form of an id with this prefix."""
    found, _, word = text.partition("_")
    return found == prefix and len(word) == 2 * _WORD_PAIRS and _LETTERS.issuperset(word)


def lane_of(key: str, lanes: int) -> int:
    """The lane (0 .. lanes-1) that everything about `key` travels in."""
    if lanes == 1:
        return 0
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % lanes


def _encode(number: int) -> str:
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(10 * (_WORD_PAIRS - 1), -1, -10)])
