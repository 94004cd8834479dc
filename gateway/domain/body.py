"""From the bytes of a request to JSON: inflate with a bound, parse, and make harmless what no store can keep."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

import orjson

from contracts.limits import EVENT_LEVELS, UNPACKED_BYTES, UNPACKED_FACTOR
from gateway.domain.refusal import CaptureRefused, RefusalKind

_SURROGATES = dict.fromkeys(range(55296, 57344), 65533)
_HARMFUL = {0: 0xFFFD, **_SURROGATES}  # no PostgreSQL text holds NUL, no UTF-8 a lone surrogate
_SIXTY_FOUR_BITS = range(-(2**63), 2**64)  # what orjson reads and writes as an integer
_DIGITS_OF_64_BITS = 20
# An integer of more digits orjson reads as a float, without a word. To blank out the digits and look for a run of them
# takes half a microsecond; the pattern is asked only where there is one.
_DIGITS_ALIKE = bytes(48 if 48 <= byte < 58 else byte for byte in range(256))
_LONG_RUN = b"0" * _DIGITS_OF_64_BITS
_LONG_INTEGER = re.compile(rb"[:\[,]\s*-?\d{%d,}\s*[,\]}]" % _DIGITS_OF_64_BITS)


def inflate(raw: bytes, encoding: str, limit: int) -> bytes:
    """Undo Content-Encoding. Never holds more than `limit` + 1 bytes of the
    result, nor many times what came over the wire.
    """
    if encoding in ("", "identity"):
        return within(raw, limit)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise CaptureRefused(
            "Content-Encoding",
            f"{encoding[:40]} is not understood; send gzip, deflate or nothing",
            RefusalKind.UNSUPPORTED,
        )
    most = max(UNPACKED_BYTES, UNPACKED_FACTOR * len(raw))
    reader = zlib.decompressobj(wbits=47)  # 32 + 15: gzip and zlib headers are told apart by themselves
    try:
        inflated = reader.decompress(raw, min(limit, most) + 1)
    except zlib.error as error:
        raise CaptureRefused("body", "is not valid gzip", RefusalKind.MALFORMED) from error
    if most < len(inflated) <= limit:
        raise CaptureRefused("body", f"unpacks to more than {UNPACKED_FACTOR} times its size", RefusalKind.TOO_LARGE)
    within(inflated, limit)
    if not reader.eof:
        raise CaptureRefused("body", "is gzip that was cut off", RefusalKind.MALFORMED)
    return inflated


def within(raw: bytes, limit: int) -> bytes:
    """`raw`, or a refusal when it is longer than `limit` bytes."""
    if len(raw) > limit:
        raise CaptureRefused("body", f"is larger than {limit // 1024} KB", RefusalKind.TOO_LARGE)
    return raw


def parse(raw: bytes, *, is_list_of_one: bool = False) -> dict[str, Any]:
    """The JSON object that `raw` holds, with nothing in it that a store would choke on. `is_list_of_one`: it may be the
    only one of a list, as tools that connect services send it.
    """
    try:
        if _LONG_RUN in raw.translate(_DIGITS_ALIKE) and _LONG_INTEGER.search(raw):
            parsed = _parse_leniently(raw)
        else:
            parsed = orjson.loads(raw)
            if b"\\u0000" in raw:
                parsed = tidy(parsed)
    except orjson.JSONDecodeError as error:
        parsed = _parse_leniently(raw, error)
    except RecursionError as error:
        raise _too_deep() from error
    if is_list_of_one and isinstance(parsed, list) and len(parsed) == 1:
        parsed = parsed[0]
    if not isinstance(parsed, dict):
        remedy = 'several events go to /v1/batch as {"batch": [...]}' if isinstance(parsed, list) else None
        raise CaptureRefused("body", f"must be a JSON object, not {kind_of(parsed)}", remedy=remedy)
    return parsed


def is_empty_map(value: Any) -> bool:
    """Whether it is what PHP writes where a map has nothing in it."""
    return isinstance(value, list) and not value


def check_depth(value: Any) -> None:
    """Refuse what nests deeper than EVENT_LEVELS."""
    level = [value]
    for _ in range(EVENT_LEVELS):
        level = [item for outer in level for item in _items(outer) if isinstance(item, dict | list)]
        if not level:
            return
    raise CaptureRefused("event", f"nests deeper than {EVENT_LEVELS} levels")


def tidy(value: Any) -> Any:
    """`value` without NUL and lone surrogates. Raises RecursionError when absurdly deep."""
    if isinstance(value, str):
        return value.translate(_HARMFUL)
    if isinstance(value, dict):
        return {tidy(key): tidy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return value


def kind_of(value: Any) -> str:
    """What JSON calls it."""
    names = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        type(None): "null",
    }
    return names.get(type(value), "something else")


def _parse_leniently(raw: bytes, strict: orjson.JSONDecodeError | None = None) -> Any:
    """Python's own parser takes what real senders write and orjson does not: lone
    surrogates, NaN, numbers beyond a double; and it keeps the digits of integers beyond 64 bits.
    """
    try:
        text = raw.decode("utf-8-sig", "replace")
        return tidy(json.loads(text, parse_constant=lambda _: None, parse_int=_integer, parse_float=_finite))
    except ValueError as error:
        raise CaptureRefused("body", f"is not JSON: {strict or error}"[:200], RefusalKind.MALFORMED) from error
    except RecursionError as error:
        raise _too_deep() from error


def _integer(digits: str) -> int | str:
    """Beyond 64 bits its digits as text: an id stays the id it is."""
    short = len(digits) <= _DIGITS_OF_64_BITS
    return number if short and (number := int(digits)) in _SIXTY_FOUR_BITS else digits


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if abs(number) != float("inf") else None


def _items(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _too_deep() -> CaptureRefused:
    return CaptureRefused("body", "nests too deep to be read", RefusalKind.MALFORMED)
