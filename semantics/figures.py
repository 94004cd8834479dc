"""What people type where a figure or one of a few words is meant: head counts, budgets, time spans, authority.

A figure that cannot be read is not guessed: None.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"\d[\d.,'\u00a0\u202f ]*\d|\d")
_SCALES = {
    "k": 1_000,
    "tsd": 1_000,
    "thousand": 1_000,
    "m": 1_000_000,
    "mio": 1_000_000,
    "mn": 1_000_000,
    "million": 1_000_000,
    "millionen": 1_000_000,
}
_SCALE = re.compile(r"^\s*(k|tsd|thousand|mio|mn|millionen|million|m)\b")
_CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR"}
_CURRENCY_CODE = re.compile(r"\b(eur|usd|gbp|chf|jpy|sek|nok|dkk|pln|czk|cad|aud|inr|brl|mxn|cny|krw)\b")
_LARGEST = Decimal(10) ** 15  # more is a phone number or a joke

_AT_ONCE = re.compile(
    r"\b(asap|immediate|immediately|now|urgent|at once|sofort|dringend|umgehend|right"
    r" away|today|immédiat|urgente|ahora|subito)\b|すぐ|立即|즉시"
)
_QUARTER = re.compile(r"\b(this|current|dieses|ce) (quarter|quartal|trimestre)\b")
_SPAN = re.compile(
    r"(\d+)\s*(?:[-–]|to|bis)?\s*(\d+)?\s*(day|tag|week|woche|semaine|month|monat|mois|mes|quarter|quartal|year|jahr|an|año)"
)
_MONTHS_PER = {
    "day": 1 / 30,
    "tag": 1 / 30,
    "week": 7 / 30,
    "woche": 7 / 30,
    "semaine": 7 / 30,
    "quarter": 3,
    "quartal": 3,
    "year": 12,
    "jahr": 12,
    "an": 12,
    "año": 12,
}
_DECIDES = re.compile(
    r"\b(yes|true|decide[rs]?|decision|decision[ -]?maker|final|sign|owner|budget"
    r" holder|ja|entscheider|oui|décideur|sí|si)\b|決裁|决策"
)
_INFLUENCES = re.compile(
    r"\b(influence[rs]?|recommend(s|er)?|evaluator|evaluate[s]?|advisor|champion|empfehle|beeinflusse\w*)\b"
)
_NOT = re.compile(r"\b(no|not|none|false|nein|kein|keine|non|student)\b")


@dataclass(frozen=True, slots=True)
class Budget:
    """An amount and, when it was told, its ISO 4217 currency."""

    amount: Decimal
    currency: str | None


def head_count(value: object) -> int | None:
    """Employees: 250, "51-200" (the lower end: what is certain), "1,000+", "10k"."""
    number = _first_number(value)
    return None if number is None or number > 10_000_000 else int(number)


def money(value: object) -> Budget | None:
    """A budget: 50000, "50.000 €", "USD 25k-50k" (the lower end)."""
    number = _first_number(value)
    if number is None:
        return None
    text = str(value)
    code = _CURRENCY_CODE.search(text.casefold())
    sign = next((iso for mark, iso in _CURRENCIES.items() if mark in text), None)
    return Budget(number, code.group(1).upper() if code else sign)


def months(value: object) -> int | None:
    """How far off: 3, "3 months", "1-2 quarters" (the nearer end), "ASAP" (0), "this quarter" (3)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if 0 <= value <= 1200 else None
    if not isinstance(value, str):
        return None
    text = unicodedata.normalize("NFKC", value[:200]).casefold()
    span = _SPAN.search(text)
    if span is not None and len(span.group(1)) <= 4:
        return int(int(span.group(1)) * _MONTHS_PER.get(span.group(3), 1))
    if _AT_ONCE.search(text):
        return 0
    return 3 if _QUARTER.search(text) else None


def authority(value: Any) -> Any:
    """decides, influences or none; other words are kept."""
    if isinstance(value, bool):
        return "decides" if value else "none"
    if not isinstance(value, str):
        return value
    text = value.casefold().replace("_", " ")
    for meaning, pattern in (("influences", _INFLUENCES), ("none", _NOT), ("decides", _DECIDES)):
        if pattern.search(text):
            return meaning
    return value


def _first_number(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return number if number.is_finite() and 0 <= number <= _LARGEST else None
    if not isinstance(value, str):
        return None
    text = unicodedata.normalize("NFKC", value[:200]).casefold()
    found = _NUMBER.search(text)
    if found is None:
        return None
    number = _plain(found.group()) * _scale_after(text[found.end() :])
    return number if number <= _LARGEST else None


def _scale_after(rest: str) -> int:
    """The scale that follows a number, or that follows the second end of its range: "10-20k" means thousands."""
    scale = _SCALE.match(rest) or re.match(
        r"^\s*[-–]\s*\d+[\d.,]*\s*(k|tsd|thousand|mio|mn|millionen|million|m)\b", rest
    )
    return _SCALES[scale.group(1)] if scale else 1


def _plain(digits: str) -> Decimal:
    """Both 1,234.5 and 1.234,5: the last separator is a decimal point unless exactly three digits follow it or it
    occurs twice.
    """
    bare = re.sub(r"['\u00a0\u202f ]", "", digits)
    last = max(bare.rfind("."), bare.rfind(","))
    if last < 0:
        return Decimal(bare)
    fraction = bare[last + 1 :]
    whole = re.sub(r"[.,]", "", bare[:last])
    if len(fraction) == 3 or bare.count(bare[last]) > 1:
        return Decimal(whole + fraction)
    return Decimal(f"{whole}.{fraction}")
