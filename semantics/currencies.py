"""The currencies that people write beside a sum: `$10k`, `10 T€`, `CHF 10'000`, `Rs. 5 lakh`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_FIRST_UNSPACED = "\u2e80"  # ideographs stand without spaces
_TELL_THEMSELVES = "sek nok dkk huf ron zar aed sar thb idr php vnd myr uah"
_SIGNS: Final[Mapping[str, str]] = {
    **{code: code.upper() for code in _TELL_THEMSELVES.split()},
    **{
        sign: code
        for code, signs in {
            "USD": "us$|usd|us dollars|dollars|dollar|$",
            "EUR": "€|eur|euros|euro|евро",
            "GBP": "£|gbp|pounds sterling|pounds|pound|sterling",
            "CHF": "chf|sfr.|sfr|fr.|franken|swiss francs",
            "INR": "₹|inr|rs.|rs|rupees|rupee",
            "JPY": "¥|jpy|yen|円",
            "CNY": "cny|rmb|yuan|元|人民币",
            "KRW": "₩|krw|원",
            "BRL": "r$|brl|reais",
            "AUD": "a$|au$|aud",
            "CAD": "c$|ca$|cad",
            "NZD": "nz$|nzd",
            "HKD": "hk$|hkd",
            "SGD": "s$|sgd",
            "MXN": "mx$|mxn",
            "PLN": "zł|pln|zloty",
            "CZK": "kč|czk",
            "TRY": "₺|try",
            "RUB": "₽|rub|руб|рублей",
            "ILS": "₪|ils",
        }.items()
        for sign in signs.split("|")
    },
}


def _bounded(sign: str) -> str:
    """A sign as a pattern: words of letters begin and end where words do."""
    if sign >= _FIRST_UNSPACED:
        return re.escape(sign)
    return rf"(?<![^\W\d_]){re.escape(sign)}" + ("" if sign[-1] in "$€£¥₹₩₺₽₪." else r"(?![^\W\d_])")


_CURRENCY = re.compile("|".join(map(_bounded, sorted(_SIGNS, key=len, reverse=True))))
_THOUSANDS_OF = re.compile(r"(?<=\d)\s?t(?=\s?(?:€|eur|chf|\$|usd))|\bt(?=(?:€|eur|chf|usd)\b)")  # 50 T€
_SCALED = re.compile(r"(?<=\d)\s?(k|m|mio|bn)(eur|usd|chf|gbp|€|\$|£)(?![^\W\d_])")


def without_currency(text: str) -> tuple[str, frozenset[str]]:
    """The text without its currencies, and their ISO 4217 codes; `text` is in one spelling (`numerals.plain`)."""
    told = _SCALED.sub(r" \1 \2", _THOUSANDS_OF.sub(" k", text))
    return _CURRENCY.sub(" ", told), frozenset(_SIGNS[found.group()] for found in _CURRENCY.finditer(told))
