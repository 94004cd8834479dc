"""Amounts, ratios, times and periods."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.settings import SettingsRefused
from services.metrics.domain.measures import (
    ConvertedSum,
    Rates,
    from_e4,
    micros,
    moment_of,
    money_text,
    period_of,
    ratio_text,
    to_e4,
)
from services.metrics.domain.referral_reports import median_seconds
from services.metrics.domain.reports import seconds
from services.metrics.settings import MetricsSettings
from tests.support.service import PUBLIC_KEY

BERLIN = ZoneInfo("Europe/Berlin")
AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=4)


@given(AMOUNTS)
def test_an_amount_goes_into_the_store_and_out_again_without_loss(amount: Decimal) -> None:
    assert from_e4(to_e4(amount)) == amount
    assert Decimal(money_text(amount)) == amount


@given(
    st.lists(
        st.tuples(AMOUNTS, st.sampled_from(["EUR", "USD", "CHF"]), st.dates(date(2026, 1, 1), date(2026, 12, 31))),
        max_size=8,
    )
)
def test_a_sum_holds_exactly_what_could_be_converted_and_names_the_rest(
    amounts: list[tuple[Decimal, str, date]],
) -> None:
    rates = Rates("EUR", [("USD", date(2026, 6, 1), Decimal("0.9")), ("USD", date(2026, 3, 1), Decimal("0.8"))])
    known_sum, other = ConvertedSum(), ConvertedSum()
    for number, (amount, currency, on) in enumerate(amounts):
        (known_sum if number % 2 else other).add(rates, amount, currency, on)
    known_sum.add_all(other)
    rate = {
        "EUR": lambda on: Decimal(1),
        "USD": lambda on: Decimal("0.9") if on >= date(2026, 6, 1) else Decimal("0.8"),
    }
    known = [
        (amount, currency, on)
        for amount, currency, on in amounts
        if currency == "EUR" or (currency == "USD" and on >= date(2026, 3, 1))
    ]
    assert known_sum.total == sum((amount * rate[currency](on) for amount, currency, on in known), Decimal(0))
    left = [(amount, currency) for amount, currency, on in amounts if (amount, currency, on) not in known]
    assert sum(known_sum.left_out.values(), Decimal(0)) == sum((amount for amount, _ in left), Decimal(0))
    assert set(known_sum.left_out) == {currency for _, currency in left}


def test_amounts_show_two_decimals_or_four() -> None:
    assert [money_text(Decimal(text)) for text in ("7", "7.5", "7.123", "-0.0001", "1E+3", "0.00005")] == [
        "7.00",
        "7.50",
        "7.1230",
        "-0.0001",
        "1000.00",
        "0.00",
    ]


def test_a_ratio_has_four_decimals_and_none_without_a_whole() -> None:
    assert (ratio_text(2, 3), ratio_text(0, 3), ratio_text(5, 0), ratio_text(Decimal("-0.5"), 2)) == (
        "0.6667",
        "0.0000",
        None,
        "-0.2500",
    )


def test_times_are_seconds_rounded_half_up_to_milliseconds() -> None:
    assert (seconds(1_234_567), seconds(1_000_499), seconds(1_000_500), seconds(10_000_000, 3), seconds(0)) == (
        1.235,
        1.0,
        1.001,
        3.333,
        0.0,
    )
    assert (median_seconds([]), median_seconds([3_000_000]), median_seconds([5_000_000, 1_000_000])) == (None, 3.0, 3.0)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_a_moment_comes_back_whatever_its_time_zone(moment: datetime) -> None:
    assert moment_of(micros(moment)) == moment.astimezone(UTC)


def test_days_begin_at_midnight_of_the_reporting_zone_and_belong_to_the_period_they_begin_in() -> None:
    march = period_of(date(2026, 3, 1), date(2026, 4, 1), BERLIN)
    assert (march.first_day, march.end_day) == (date(2026, 3, 1), date(2026, 4, 1))
    assert (moment_of(march.start_us or 0), moment_of(march.end_us or 0)) == (
        datetime(2026, 2, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 31, 22, tzinfo=UTC),
    )
    noon = period_of(datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC), BERLIN)
    assert (noon.first_day, noon.end_day) == (date(2026, 3, 2), date(2026, 3, 3))
    assert period_of(None, None, BERLIN).first_day is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc"},
        {"currency": "euro"},
        {"stages": ("known", "mql")},
        {"stages_aside": ("lost", "mql")},
    ],
    ids=lambda value: str(value),
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsRefused):
        MetricsSettings(database_url="sqlite://", token_public_key=PUBLIC_KEY, **wrong)
