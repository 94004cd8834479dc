"""Moments as machines write them, and what is no moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import Flag
from gateway.domain.moment import occurred, read_moment
from tests.unit.gateway.recordings import NOW

AT = datetime(2026, 3, 9, 14, 5, 6, tzinfo=UTC)
moments = st.integers(1_000_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
zones = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-09T14:05:06Z", "2026-03-09t14:05:06z", "2026-03-09 14:05:06 UTC", "2026-03-09 15:05:06 +0100",
        "2026-03-09 15:05:06 +01:00", "2026-03-09T15:05:06+01", "2026-03-09T15:05:06+0100", "2026/03/09 14:05:06",
        "2026-03-09 14:05:06 +0000 UTC", "20260309T140506Z", "20260309140506", "Mon, 09 Mar 2026 14:05:06 GMT",
        "Mon, 9 Mar 2026 15:05:06 +0100", "9 Mar 2026 14:05:06 UT", "Monday, 09-Mar-26 14:05:06 GMT",
        "Mon Mar  9 14:05:06 2026", "Mon Mar 09 14:05:06 UTC 2026", "Mon Mar 09 2026 15:05:06 GMT+0100",
        "Mon Mar 09 2026 16:05:06 GMT+0200 (Central European Summer Time)", "Mar 9, 2026 14:05:06 UTC",
        "Mon Mar 09 15:05:06 CET 2026", "/Date(1773065106000)/", "/Date(1773065106000+0100)/",
        1773065106, 1773065106.0, 1773065106000, 1773065106000000, 1773065106000000000, "1773065106", "1773065106000",
        "1773065106000000", "1773065106000000000", "1773065106.000", " 2026-03-09T14:05:06Z ",
    ],
)  # fmt: skip
def test_the_usual_ways_to_write_a_moment_are_read(written: Any) -> None:
    assert read_moment(written) == AT


@pytest.mark.parametrize(
    ("written", "microseconds"),
    [
        ("2026-03-09T14:05:06.5Z", 500_000), ("2026-03-09T14:05:06,25Z", 250_000),
        ("2026-03-09T14:05:06.123456789Z", 123_456), ("2026-03-09 14:05:06.7 UTC", 700_000),
        ("2026-03-09 14:05:06.123456789 +0000 UTC m=+0.01", 123_456), (1773065106123, 123_000),
        ("1773065106.25", 250_000), (1773065106123456789, 123_456),
    ],
)  # fmt: skip
def test_parts_of_a_second_are_read_whatever_their_length(written: Any, microseconds: int) -> None:
    assert read_moment(written) == AT.replace(microsecond=microseconds)


@pytest.mark.parametrize(
    "written",
    [
        "yesterday", "03/04/2026", "3.4.2026", "2026-02-30", "Fri, 32 Jan 2026 10:00:00 GMT",
        "20261399999999",
        "Mon Mar 09 2026 15:05:06 XYZ", "9" * 50, "1" * 10_000,
        "Mon, 09 Mar 2026", "14:05", "2026", "", " ", True, None,
        {}, [], 1e300, float("nan"), float("inf"), -1, "-99999999999", "2026-03-09T14:05:06+99:99",
    ],
)  # fmt: skip
def test_what_is_no_moment_or_two_is_none(written: Any) -> None:
    assert read_moment(written) is None


@pytest.mark.parametrize("written", ["03/04/2026", "soon", {"at": 1}, "Mon Mar 09 2026 15:05:06 XYZ"])
def test_what_cannot_be_read_is_now_and_flagged(written: Any) -> None:
    assert occurred(written, None, NOW) == (NOW, [Flag.TIME_UNREADABLE])


@given(moments, zones)
def test_mail_and_browsers_in_any_zone_mean_the_same_moment(at: datetime, zone: timezone) -> None:
    there = at.astimezone(zone)
    assert read_moment(format_datetime(there)) == at
    assert read_moment(there.strftime("%a %b %d %Y %H:%M:%S GMT%z (Somewhere Summer Time)")) == at
    assert read_moment(there.strftime("%Y-%m-%d %H:%M:%S %z")) == at
    assert read_moment(there.isoformat()) == at


@given(moments)
def test_counts_of_any_unit_mean_the_same_moment(at: datetime) -> None:
    seconds = int(at.timestamp())
    for count in (seconds, seconds * 10**3, seconds * 10**6, seconds * 10**9):
        assert read_moment(count) == at
        assert read_moment(str(count)) == at


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9 :,+\-./()]{5,60}", fullmatch=True))
def test_any_text_is_a_moment_of_the_calendar_or_none(text: str) -> None:
    moment = read_moment(text)
    assert moment is None or (moment.tzinfo is not None and 1970 <= moment.year <= 9000)
