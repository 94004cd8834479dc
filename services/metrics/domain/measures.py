"""What metrics measures with: moments, amounts of money and the order of the stages; and what a report is asked
(`ReportQuery`).

Moments are whole microseconds since 1970, so that both stores can subtract and sort them exactly. Amounts are exact
inside, and rounded once, when they are told.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(us: int) -> datetime:
    """The aware moment, in UTC; the first or the last that there is, where it lies beyond."""
    return _EPOCH + min(max(us, _FIRST), _LAST) * _MICROSECOND


def midnight(day: date, zone: ZoneInfo) -> int:
    """When `day` begins in `zone`, in microseconds."""
    return micros(datetime.combine(day, time(), zone))


def day_of(us: int, zone: ZoneInfo) -> date:
    """The day in `zone` that the moment lies in."""
    try:
        return moment_of(us).astimezone(zone).date()
    except OverflowError:  # the first or last day that there is, seen from the other side of the world
        return moment_of(us).date()


def first_day_from(us: int, zone: ZoneInfo) -> date:
    """The first day in `zone` that begins at this moment or later."""
    day = day_of(us, zone)
    return day if day == date.max or midnight(day, zone) >= us else day + _DAY


UNIT = 10_000  # amounts have at most four decimals: stores hold whole ten-thousandths
_EXACT = Context(prec=80)
_CENT, _FINE = Decimal("0.01"), Decimal("0.0001")


def to_e4(amount: Decimal) -> int:
    """Ten-thousandths of an amount with at most four decimals."""
    return int(_EXACT.multiply(amount, Decimal(UNIT)))


def from_e4(amount_e4: int) -> Decimal:
    """The amount again."""
    return _EXACT.divide(Decimal(amount_e4), Decimal(UNIT))


def in_cents(amount_e4: int) -> Decimal:
    """The amount as it is shown: with two decimals, or four."""
    return Decimal(money_text(from_e4(amount_e4)))


def money_text(amount: Decimal) -> str:
    """Two decimals; four where two would not be all of it."""
    fine = _EXACT.quantize(amount, _FINE)
    coarse = _EXACT.quantize(amount, _CENT)
    return f"{coarse if coarse == fine else fine:f}"


def ratio_text(part: Decimal | int, whole: Decimal | int) -> str | None:
    """part / whole with four decimals; None when there is no whole."""
    if whole == 0:
        return None
    return f"{_EXACT.quantize(_EXACT.divide(Decimal(part), Decimal(whole)), _FINE):f}"


class Rates:
    """What a unit of each currency is worth in the reporting currency, from which day on."""

    def __init__(self, currency: str, told: Iterable[tuple[str, date, Decimal]]) -> None:
        self.currency = currency
        self._days: dict[str, list[date]] = {}
        self._rates: dict[str, list[Decimal]] = {}
        for code, on, rate in sorted(told):
            self._days.setdefault(code, []).append(on)
            self._rates.setdefault(code, []).append(rate)

    def converted(self, amount: Decimal, currency: str, on: date) -> Decimal | None:
        """The amount in the reporting currency by the latest rate on or before `on`; None without one."""
        if currency == self.currency:
            return amount
        place = bisect_right(self._days.get(currency, []), on)
        return _EXACT.multiply(amount, self._rates[currency][place - 1]) if place else None


@dataclass(slots=True)
class ConvertedSum:
    """A sum in the reporting currency, and beside it what could not be converted, by currency."""

    total: Decimal = Decimal(0)
    left_out: dict[str, Decimal] = field(default_factory=dict)

    def add(self, rates: Rates, amount: Decimal, currency: str, on: date) -> None:
        converted = rates.converted(amount, currency, on)
        if converted is None:
            self.left_out[currency] = _EXACT.add(self.left_out.get(currency, Decimal(0)), amount)
        else:
            self.total = _EXACT.add(self.total, converted)

    def add_all(self, other: ConvertedSum) -> None:
        """Takes in all of another sum."""
        self.total = _EXACT.add(self.total, other.total)
        for currency, amount in other.left_out.items():
            self.left_out[currency] = _EXACT.add(self.left_out.get(currency, Decimal(0)), amount)


LINE = ("anonymous", "known", "engaged", "mql", "sal", "sql", "opportunity", "customer")
ASIDE = ("recycled", "lost", "disqualified")

MILESTONES = {"leads": "known", "mqls": "mql", "sals": "sal", "sqls": "sql", "customers": "customer"}
"""What the campaign report counts -> the stage that makes one."""


@dataclass(frozen=True, slots=True)
class StageOrder:
    """`line` leads from the first visit to the sale; `aside` are the stages that people leave it for."""

    line: tuple[str, ...] = LINE
    aside: tuple[str, ...] = ASIDE

    def arranged(self, seen: Iterable[str]) -> tuple[str, ...]:
        """The stages in the order of reports: the line, those aside, and what else was `seen`."""
        return (*self.line, *self.aside, *self.unlisted(seen))

    def unlisted(self, seen: Iterable[str]) -> tuple[str, ...]:
        """Those of `seen` that it does not name."""
        return tuple(sorted(set(seen) - {*self.line, *self.aside}))

    def rank(self, stage: str) -> int:
        """The place on the line, from 0. Raises ValueError for a stage that is not on it."""
        return self.line.index(stage)


class By(StrEnum):
    """Which time decides: when it happened, or when it was told."""

    OCCURRED = "occurred"
    RECEIVED = "received"


class Attribution(StrEnum):
    """Which touch is credited with a person."""

    FIRST_TOUCH = "first_touch"
    LAST_TOUCH = "last_touch"


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """One reporting currency, time zone and order of stages per installation."""

    currency: str = "EUR"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    stage_order: StageOrder = field(default_factory=StageOrder)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start_us` up to, but not with, `end_us`; None: without end on that side.

    Days belong to it when they begin in it.
    """

    start_us: int | None = None
    end_us: int | None = None
    first_day: date | None = None
    end_day: date | None = None


def period_of(start: date | datetime | None, end: date | datetime | None, zone: ZoneInfo) -> Period:
    """The period between two bounds; a bare date is the midnight it begins with in `zone`."""
    start_us, end_us = _bound(start, zone), _bound(end, zone)
    return Period(
        start_us,
        end_us,
        None if start_us is None else first_day_from(start_us, zone),
        None if end_us is None else first_day_from(end_us, zone),
    )


def _bound(given: date | datetime | None, zone: ZoneInfo) -> int | None:
    if given is None:
        return None
    return micros(given) if isinstance(given, datetime) else midnight(given, zone)


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """One question. `campaign_id` and `channel` choose people by the campaign that `attribution` credits with them."""

    period: Period = field(default_factory=Period)
    by: By = By.OCCURRED
    attribution: Attribution = Attribution.FIRST_TOUCH
    campaign_id: str | None = None
    channel: str | None = None

    @property
    def is_filtered(self) -> bool:
        return self.campaign_id is not None or self.channel is not None
