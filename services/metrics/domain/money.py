"""Amounts in one currency: exact inside, rounded once, when they are told."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal

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
class Purse:
    """A sum in the reporting currency, and beside it what could not be converted, by currency."""

    total: Decimal = Decimal(0)
    left_out: dict[str, Decimal] = field(default_factory=dict)

    def put(self, rates: Rates, amount: Decimal, currency: str, on: date) -> None:
        converted = rates.converted(amount, currency, on)
        if converted is None:
            self.left_out[currency] = _EXACT.add(self.left_out.get(currency, Decimal(0)), amount)
        else:
            self.total = _EXACT.add(self.total, converted)

    def pour(self, other: Purse) -> None:
        """Takes in all of another purse."""
        self.total = _EXACT.add(self.total, other.total)
        for currency, amount in other.left_out.items():
            self.left_out[currency] = _EXACT.add(self.left_out.get(currency, Decimal(0)), amount)
