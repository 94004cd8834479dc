"""Moments as machines write them where they do not write plain ISO 8601: dates with the English names of months, as
mail, HTTP, JavaScript, Java and C have them, times of Ruby and Go, and counts of seconds or of parts of seconds.

Dates that one country reads so and another otherwise (03/04/2026) are not read: no time is better than a wrong one.
Sources: https://www.rfc-editor.org/rfc/rfc5322#section-3.3, https://tc39.es/ecma262/#sec-todatestring,
https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 (RFC 850 and asctime).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_NAMES: Final = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS: Final = {name: number for number, name in enumerate(_NAMES.split(), 1)}
_OFFSETS: Final = {"utc": 0, "gmt": 0, "ut": 0, "z": 0, "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6}
_OF_ZONES: Final = {**_OFFSETS, "mst": -7, "pdt": -7, "pst": -8, "cet": 1, "cest": 2, "bst": 1}
_CLOCK: Final = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<part>\d+))?)?"
_ZONE: Final = r"(?:\s*(?P<zone>[A-Za-z]{1,5}(?=$|[\s+\-(]))?\s*(?P<offset>[+-]\d\d:?\d\d)?)"
_DAY_FIRST: Final = re.compile(
    rf"(?:[A-Za-z]{{3,9}},?\s+)?(?P<day>\d{{1,2}})[ -](?P<month>[A-Za-z]{{3}})[a-z]*[ -](?P<year>\d{{4}}|\d\d),?\s+"
    rf"{_CLOCK}{_ZONE}(?:\s*\(.*\))?"
)
_MONTH_FIRST: Final = re.compile(
    rf"(?:[A-Za-z]{{3,9}},?\s+)?(?P<month>[A-Za-z]{{3}})[a-z]*\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}}),?\s+"
    rf"{_CLOCK}{_ZONE}(?:\s*\(.*\))?"
)
_YEAR_LAST: Final = re.compile(
    rf"(?:[A-Za-z]{{3,9}},?\s+)?(?P<month>[A-Za-z]{{3}})[a-z]*\s+(?P<day>\d{{1,2}})\s+"
    rf"{_CLOCK}{_ZONE}\s+(?P<year>\d{{4}})"
)
_YEAR_FIRST: Final = re.compile(
    rf"(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[ Tt]{_CLOCK}{_ZONE}(?:\s+[A-Z]{{3,4}})?(?:\s+m=\S*)?"
)
_COUNT: Final = re.compile(r"(?P<whole>-?\d{9,19})(?P<part>\.\d+)?")
_DOT_NET: Final = re.compile(r"\\?/Date\((?P<count>-?\d{9,19})(?:[+-]\d{4})?\)\\?/")
_COMPACT: Final = 14  # digits of 20260301100000
_LONGEST: Final = 100
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# from which size on a count since 1970 is one of milliseconds, microseconds, nanoseconds; as seconds the first is the
# year 5138, as milliseconds 1973, and so on
_UNITS: Final = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3), (0, 1))


def of_text(text: str) -> datetime | None:
    """The moment (UTC where no zone is named), or None; the year may be any."""
    if len(text) > _LONGEST:
        return None
    try:
        return _of_count(text) or _of_words(text)
    except (ValueError, OverflowError):  # a day that no month has
        return None


def of_number(number: float) -> datetime | None:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size."""
    try:
        size = abs(number)
        unit = next(unit for least, unit in _UNITS if size >= least)
        if unit == 1:
            return _EPOCH + timedelta(seconds=number)
        return _EPOCH + timedelta(microseconds=number * 1_000_000 // unit)
    except (OverflowError, ValueError, StopIteration):  # StopIteration: not a number
        return None


def _of_count(text: str) -> datetime | None:
    if (dated := _DOT_NET.fullmatch(text)) is not None:
        return of_number(int(dated["count"]))
    if (count := _COUNT.fullmatch(text)) is None:
        return None
    if len(text) == _COMPACT and text.isdigit() and text.startswith(("19", "20")):
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return of_number(float(text) if count["part"] else int(text))


def _of_words(text: str) -> datetime | None:
    for pattern in (_YEAR_FIRST, _DAY_FIRST, _MONTH_FIRST, _YEAR_LAST):
        if (found := pattern.fullmatch(text)) is not None:
            return _put_together(found)
    return None


def _put_together(found: re.Match[str]) -> datetime | None:
    named, offset = (found["zone"] or "").lower(), found["offset"]
    month = int(found["month"]) if found["month"].isdigit() else _MONTHS.get(found["month"].lower())
    if month is None or (named and named not in _OF_ZONES):
        return None
    year = int(found["year"])
    if year < 100:
        year += 1900 if year >= 70 else 2000
    hours = _OF_ZONES.get(named, 0)
    zone = timezone(_offset(offset) if offset else timedelta(hours=hours))
    second = min(int(found["second"] or 0), 59)  # 60 where a second was put in
    at = datetime(year, month, int(found["day"]), int(found["hour"]), int(found["minute"]), second, tzinfo=zone)
    return at.astimezone(UTC).replace(microsecond=int((found["part"] or "")[:6].ljust(6, "0")))


def _offset(written: str) -> timedelta:
    sign = -1 if written[0] == "-" else 1
    return sign * timedelta(hours=int(written[1:3]), minutes=int(written[-2:]))
