"""Numbers as people write them: `1,234.50`, `1.234,50`, `10'000`, `1 00 000`, `2.5k`, `3 Mio`, `5 lakh`, `10万`.

What may be two numbers, or a phone number, is none.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final, NamedTuple

LONGEST: Final = 200  # characters of a text that are looked at: what is longer is a letter
_LARGEST = Decimal(10) ** 15  # more is a joke
_DIGITS_OF_A_PHONE = 9  # so many, known to the unit, are nobody's budget

_SCALES: dict[str, int] = {
    word: scale
    for words, scale in (
        ("k ths thsd tsd tausend thousand thousands mille mil mila tys тыс тысяч duizend tusen bin 千 천", 10**3),
        ("lakh lakhs lac lacs", 10**5),
        ("万 萬 만", 10**4),
        ("cr crore crores", 10**7),
        (
            "m mm mio mn mln million millions millionen millón millones milhão milhões milione milioni miljoen"
            " milionów miljoner млн миллион миллионов",
            10**6,
        ),
        ("億 亿 억", 10**8),
        ("b bn mrd bio billion milliarde milliarden milliard milliards mld miliardi млрд", 10**9),
    )
    for word in words.split()
}
_FIRST_UNSPACED = "\u2e80"
SCALE: Final = "|".join(
    re.escape(word) + ("" if word >= _FIRST_UNSPACED else r"(?![^\W\d_])")
    for word in sorted(_SCALES, key=len, reverse=True)
)
NUMBER: Final = r"\d{1,3}(?: \d{2,3})* \d{3}(?:[.,]\d{1,2})?(?!\d)(?! \d)|\d+(?:[.,']\d+)*|\.\d+"
"""A number's characters; what they mean is for `number_of` to say."""

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−﹣", "-"),
        **dict.fromkeys("‘’ʼ`´", "'"),
        "٬": ",",
        "٫": ".",
        "∼": "~",
        "〜": "~",
        "⩽": "≤",
        "⩾": "≥",
        "≦": "≤",
        "≧": "≥",
    }
)
_UNSPACED = re.compile(r"(?<=[\u2e80-\ud7ff])(?=\d)|(?<=\d)(?=[\u2e80-\ud7ff])")


class Numeral(NamedTuple):
    """A number as it was written, and the scale written behind it."""

    bare: Decimal
    scale: int | None

    @property
    def value(self) -> Decimal:
        return self.bare * (self.scale or 1)


def plain(text: str) -> str:
    """One spelling of widths, cases, dashes, apostrophes and spaces; its beginning, if it is long."""
    folded = unicodedata.normalize("NFKC", text[:LONGEST].translate(_PLAIN)).casefold()
    return " ".join(_UNSPACED.sub(" ", folded.translate(_PLAIN)).split())


def numeral(digits: str, scale: str | None) -> Numeral | None:
    """What `digits` (a NUMBER) and the word behind them mean; None where that is not certain."""
    bare = _value_of(digits)
    if bare is None:
        return None
    read = Numeral(bare, None if scale is None else _SCALES[scale])
    return read if read.value <= _LARGEST else None


def is_like_a_phone(digits: str) -> bool:
    """Whether a number without scale and currency is rather one to call."""
    bare = digits.replace(" ", "")
    return bare.isdigit() and len(bare) >= _DIGITS_OF_A_PHONE and not bare.endswith("00")


def _value_of(digits: str) -> Decimal | None:
    """Of two kinds of separators the last is the decimal point; of one kind, unless three digits follow or it comes
    twice.
    """
    bare = digits.replace("'", "").replace(" ", "")
    marks = [mark for mark in bare if mark in ".,"]
    if not marks:
        return _whole(digits, bare)
    last, first = marks[-1], bare.partition(marks[0])[0]
    whole, _, fraction = bare.rpartition(last)
    if len(set(marks)) == 2:
        return _joined(whole, fraction) if marks.count(last) == 1 and _is_grouped(whole) else None
    if len(marks) > 1:
        return Decimal(re.sub("[.,]", "", bare)) if _is_grouped(bare) else None
    is_grouping = len(fraction) == 3 and first.isdigit() and not first.startswith("0") and len(first) <= 3
    return Decimal(first + fraction) if is_grouping else _joined(whole, fraction)


def _whole(digits: str, bare: str) -> Decimal | None:
    is_code = len(bare) > 1 and bare[0] == "0"  # 007, 030: the beginning of a phone number, a postal code
    return None if is_code or ("'" in digits and not _is_grouped(digits)) else Decimal(bare)


def _joined(whole: str, fraction: str) -> Decimal:
    return Decimal(f"{re.sub('[.,]', '', whole) or 0}.{fraction}")


def _is_grouped(digits: str) -> bool:
    """1,234,567 and 12,34,567, and no date or version."""
    groups = re.split("[.,']", digits)
    head, middle, tail = groups[0], groups[1:-1], groups[-1]
    if len(groups) == 1:
        return True
    is_even = all(len(group) == 3 for group in middle) or all(len(group) == 2 for group in middle)
    return 1 <= len(head) <= 3 and is_even and len(tail) == 3
