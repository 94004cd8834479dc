"""When something happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import Flag
from gateway.domain.moment import FUTURE_TOLERANCE, NOTICEABLE_SKEW, SANE_SKEW, occurred, read_moment
from tests.unit.gateway.recordings import NOW

moments = st.integers(10 * 365 * 86400, 230 * 365 * 86400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(
    "written",
    ["2026-11-22T02:50:00Z", "2026-11-22T02:50:00.000+00:00", "2026-11-22T03:50:00+01:00", "2026-11-22T02:50",
        "20261122T025000Z",
     "2026-11-22 02:50:00.000000000Z", 1795315800, 1795315800.0, 1795315800000, "1795315800", "1795315800000"],
)  # fmt: skip
def test_a_moment_can_be_written_in_many_ways(written: Any) -> None:
    assert read_moment(written) == NOW


@pytest.mark.parametrize(
    "written",
    [
        "yesterday",
        "2026-13-01",
        "0001-01-01",
        "9999-12-31T23:59:59-14:00",
        True,
        [],
        {},
        1e300,
        -1e300,
        "",
        "1960-01-01",
    ],
)
def test_what_is_no_moment_is_none(written: Any) -> None:
    assert read_moment(written) is None


def test_an_unreadable_time_is_ours_and_says_so() -> None:
    assert occurred("soon", NOW.isoformat(), NOW) == (NOW, [Flag.TIME_UNREADABLE])


@pytest.mark.parametrize("wrong_by", [timedelta(hours=-3), timedelta(minutes=7), timedelta(hours=23)])
def test_a_wrong_clock_is_corrected_by_what_it_says_on_sending(wrong_by: timedelta) -> None:
    really = NOW - timedelta(minutes=10)
    moment, flags = occurred((really + wrong_by).isoformat(), (NOW + wrong_by).isoformat(), NOW)
    assert (moment, flags) == (really, [Flag.CLOCK_CORRECTED])


def test_the_way_over_the_network_is_not_a_wrong_clock() -> None:
    claimed = NOW - timedelta(minutes=1)
    assert occurred(claimed.isoformat(), (NOW - NOTICEABLE_SKEW).isoformat(), NOW) == (claimed, [])


def test_an_old_recording_sent_again_keeps_its_time() -> None:
    claimed = NOW - timedelta(days=900)
    assert occurred(claimed.isoformat(), (claimed + timedelta(seconds=1)).isoformat(), NOW) == (claimed, [])


def test_the_future_is_now() -> None:
    assert occurred((NOW + timedelta(days=3)).isoformat(), None, NOW) == (NOW, [Flag.FUTURE_CLAMPED])
    nearly = NOW + FUTURE_TOLERANCE
    assert occurred(nearly.isoformat(), None, NOW) == (nearly, [])


@given(moments, moments)
def test_nothing_ever_happens_after_we_heard_of_it(claimed: datetime, sent: datetime) -> None:
    moment, flags = occurred(claimed.isoformat(), sent.isoformat(), NOW)
    assert moment - NOW <= FUTURE_TOLERANCE
    assert (Flag.CLOCK_CORRECTED in flags) == (NOTICEABLE_SKEW < abs(NOW - sent) <= SANE_SKEW)
