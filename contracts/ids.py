"""Identifiers derived from their cause, so that a replay yields the same ones.

An id is `<prefix>_<26 characters>`: a ULID-shaped word of 48 bits of time (milliseconds) and 80 bits of SHA-256 over
the cause, in Crockford's base 32 (https://www.crockford.com/base32.html), so ids of one prefix sort by time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WORD_LETTERS = 26
_MOMENT_LETTERS = 10  # of a word, the time
_PLACE_LETTERS = 3
_WORD_BITS = 5 * _WORD_LETTERS
_WORD_MASK = (1 << _WORD_BITS) - 1
_LANE_BYTES = 32  # of a word, while its letters are moved apart
_ABREAST = 32
_LETTER_OF = bytes(ord(_ALPHABET[byte & 31]) for byte in range(256))
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


def derive_ids(prefix: str, at: datetime, causes: Sequence[str]) -> list[str]:
    """`derive_id` of each of `causes`, for less than half."""
    moment, head = int(at.timestamp() * 1000).to_bytes(6, "big"), prefix + _SEPARATOR
    return [
        f"{prefix}_{word}"
        for word in _encode_all([moment + hashlib.sha256((head + cause).encode()).digest()[:10] for cause in causes])
    ]


def derive_ids_at(prefix: str, moments: Sequence[datetime], causes: Sequence[str], *last: str) -> list[str]:
    """`derive_id` of each of `causes` (and `last`) at its own moment, for less than half."""
    head, tail = prefix + _SEPARATOR, "".join(_SEPARATOR + one for one in last)
    try:
        numbers = [
            int(at.timestamp() * 1000).to_bytes(6, "big") + hashlib.sha256((head + cause + tail).encode()).digest()[:10]
            for at, cause in zip(moments, causes, strict=True)
        ]
    except OverflowError:  # before 1970
        return [derive_id(prefix, at, cause, *last) for at, cause in zip(moments, causes, strict=True)]
    return [f"{prefix}_{word}" for word in _encode_all(numbers)]


def placed(derived_id: str, position: int) -> str:
    """A derived id that sorts, among those of the same millisecond, by its position (below 32,768): fifteen bits of the
    hash give way.
    """
    start = derived_id.index("_") + 1 + _MOMENT_LETTERS
    return f"{derived_id[:start]}{_encode(position)[-_PLACE_LETTERS:]}{derived_id[start + _PLACE_LETTERS :]}"


def hash_ids(prefix: str, shared: str, last: Sequence[str]) -> list[str]:
    """`hash_id` of `shared` and each of `last`, for less than half."""
    head = _SEPARATOR.join((prefix, shared, ""))
    return [
        f"{prefix}_{word}"
        for word in _encode_all([hashlib.sha256((head + one).encode()).digest()[:16] for one in last])
    ]


def with_prefix(prefix: str, other_id: str) -> str:
    """The sibling of `other_id` under another prefix: `with_prefix("per", "frg_X") == "per_X"`."""
    return f"{prefix}_{other_id.partition('_')[2]}"


def is_id(prefix: str, text: str) -> bool:
    """Whether a text has the form of an id with this prefix."""
    found, _, word = text.partition("_")
    return found == prefix and len(word) == _WORD_LETTERS and _LETTERS.issuperset(word)


def lane_of(key: str, lanes: int) -> int:
    """The lane (0 .. lanes-1) that everything about `key` travels in."""
    if lanes == 1:
        return 0
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % lanes


def _masks(lane: int) -> tuple[int, int]:
    """(lower halves, upper halves) of what stands in lanes of so many bits,
    each of which holds five eighths of that.
    """
    half = (1 << (lane * 5 // 16)) - 1
    lower = sum(half << start for start in range(0, 256, lane))
    return lower, lower << (lane * 5 // 16)


_LOW_16 = (1 << 80) - 1  # the last sixteen letters' bits
(_LOW_8, _HIGH_8), (_LOW_4, _HIGH_4), (_LOW_2, _HIGH_2), (_LOW_1, _HIGH_1) = (
    _masks(lane) for lane in (128, 64, 32, 16)
)


def _encode(number: int) -> str:
    """The last 130 bits as 26 letters. All letters are moved apart to a byte each in five steps, as
    halves of halves: half the time of a loop.
    """
    number &= _WORD_MASK
    number = (number & _LOW_16) | ((number >> 80) << 128)
    number = (number & _LOW_8) | ((number & _HIGH_8) << 24)
    number = (number & _LOW_4) | ((number & _HIGH_4) << 12)
    number = (number & _LOW_2) | ((number & _HIGH_2) << 6)
    number = (number & _LOW_1) | ((number & _HIGH_1) << 3)
    return number.to_bytes(_WORD_LETTERS, "big").translate(_LETTER_OF).decode("ascii")


def _everywhere(mask: int) -> int:
    return int.from_bytes(mask.to_bytes(_LANE_BYTES, "big") * _ABREAST, "big")


_LOW_16S, _HIGH_16S = _everywhere(_LOW_16), _everywhere(((1 << 48) - 1) << 80)
_STEPS = [(_everywhere(low), _everywhere(high), shift) for low, high, shift in (
    (_LOW_8, _HIGH_8, 24), (_LOW_4, _HIGH_4, 12), (_LOW_2, _HIGH_2, 6), (_LOW_1, _HIGH_1, 3)
)]  # fmt: skip
_ROOM = bytes(_LANE_BYTES - 16)


def _encode_all(numbers: Sequence[bytes]) -> list[str]:
    """`_encode` of numbers of 16 bytes: the same steps on one long number, in which each has a lane of
    its own. Thirty take as long as six alone.
    """
    if len(numbers) > _ABREAST:
        return [
            word
            for start in range(0, len(numbers), _ABREAST)
            for word in _encode_all(numbers[start : start + _ABREAST])
        ]
    number = int.from_bytes(_ROOM.join((b"", *numbers)), "big")
    number = (number & _LOW_16S) | ((number & _HIGH_16S) << 48)
    for low, high, shift in _STEPS:
        number = (number & low) | ((number & high) << shift)
    letters = number.to_bytes(_LANE_BYTES * len(numbers), "big").translate(_LETTER_OF).decode("ascii")
    return [letters[end - _WORD_LETTERS : end] for end in range(_LANE_BYTES, len(letters) + 1, _LANE_BYTES)]
