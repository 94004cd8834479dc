"""A figure with its context: "less than 10,000", "1-10", "25-50k", "zwischen 10 und 50 Tsd.", "10k+", "51 to 200".

Phrases become marks, numbers and marks a pattern, and only patterns that mean one thing are read. A bare number counts
only among words that are known to change nothing: "not even 10k" and "10k is too much" are no figures. Words around a
range or a bound ("Enterprise (1,000+)") change nothing, but for a "no".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from semantics.numerals import NUMBER, SCALE, Numeral, numeral

_PHRASES: Final[tuple[tuple[str, str], ...]] = (
    # of a phrase that stands twice the first counts
    (
        "≤",
        "no more than|not more than|not over|not above|nicht mehr als|nicht über|pas plus de|no más de|no mas de"
        "|non più di|niet meer dan|less than or equal to|smaller than or equal to|не более|не больше|no later than"
        "|not later than|nicht später als",
    ),
    ("≥", "no less than|not less than|no fewer than|not under|nicht weniger als|pas moins de|no menos de|non meno di"),
    ("≥", "greater than or equal to|more than or equal to|не менее|не меньше|not before|nicht vor|pas avant"),
    (
        "≤",
        "or less|or fewer|or below|or under|or lower|and under|and below|and less|and fewer|oder weniger|und weniger"
        "|oder darunter|ou moins|et moins|o menos|y menos|o meno|of minder|eller mindre|at the most|at most"
        "|at the latest|spätestens|up to|upto"
        "|under or equal to|as much as|maximum of|max of|maximum|maximal|maximo|máximo|massimo|max|capped at|höchstens"
        "|bis zu|bis|jusqu'à|jusque|hasta|fino a|até|tot en met|tot|upp till|op til|opp til|najwyżej|do|до|au plus"
        "|como máximo|within the next|in the next|over the next|within next|within|inside|next|tops|lte"
        "|innerhalb von|innerhalb der nächsten|innerhalb|in den nächsten|in den kommenden|d'ici|dans les prochains"
        "|dans les|en los próximos|próximos|nei prossimi|binnen|inom|over the coming|in the coming",
    ),
    (
        "≥",
        "or more|and more|or above|and above|or over|and over|or greater|or larger|and up|or higher|or longer|plus"
        "|upwards|oder mehr|und mehr|oder länger|und darüber|ou plus|et plus|o más|o mas|y más|o più|e più|of meer"
        "|eller fler|eller mer|i więcej|и более|at least|at minimum|minimum of|minimum|mindestens|frühestens"
        "|earliest|mind|minimo|mínimo"
        "|min|starting at|starting from|from|ab|au moins|à partir de|al menos|por lo menos|desde|almeno|a partire da"
        "|minstens|vanaf|minst|co najmniej|od|от|upwards of|as of|gte",
    ),
    (
        "<",
        "less than|fewer than|lower than|smaller than|under|below|sub|shorter than|weniger als|unter|kleiner als"
        "|moins de|moins que|menos de|menos que|inferior a|inférieur à|meno di|minder dan|mindre än|mindre end|mindre"
        " enn|färre än|mniej niż|poniżej|méně než|менее|меньше|onder|lt",
    ),
    (
        ">",
        "more than|greater than|larger than|bigger than|longer than|higher than|over|above|beyond|exceeding|in excess"
        " of|after|mehr als|über|größer als|länger als|nach|plus de|plus que|supérieur à|más de|mas de"
        "|más que|superior a|mais de"
        "|più di|oltre|meer dan|mer än|mere end|mer enn|fler än|więcej niż|powyżej|více než|более|больше|свыше"
        "|boven|gt",
    ),
    ("∈", "between|zwischen|entre|tra|fra|tussen|mellan|mellem|mellom|między|mezi|между"),
    (
        "¬",
        "no|not|none|never|without|cannot|can't|nowhere|neither|nor|nicht|nie|niemals|kein|keine|keinen|keinerlei|ohne"
        "|nein|pas|sans|jamais|aucun|aucune|sin|nunca|ningún|ninguno|non|senza|niet|geen|zonder|ingen|inte|ikke|nie"
        "|bez|не|нет|без|unlike|except|isn't|don't|won't|doesn't|didn't",
    ),
)
_UNSPACED_PHRASES: Final = (
    ("≤", "以下|以内|まで|이하|이내"),
    ("<", "未満|未满|不到|미만"),
    (">", "超过|超過|초과"),
    ("≥", "以上|이상|から"),
    ("¬", "没有|無し|なし|없음"),
)
_LITERAL = (("≤", "<=|=<"), ("≥", ">=|=>"))
_MARKS: Final[Mapping[str, str]] = {phrase: mark for mark, listed in reversed(_PHRASES) for phrase in listed.split("|")}
_PHRASE = re.compile(  # the longest first: "no more than" is not "more than"
    rf"(?<![\w'])(?:{'|'.join(sorted(map(re.escape, _MARKS), key=len, reverse=True))})(?![\w'])"
)
_SMALL_WORDS = {
    "–": "to à al til till through thru untill bis or oder ou o of eller lub или",
    "&": "and und et y e i en och og и",
}
_GLUE: Final[Mapping[str, str]] = {
    "a": "–",  # Spanish and Portuguese; an article in English
    **{word: mark for mark, words in _SMALL_WORDS.items() for word in words.split()},
}
_TOKEN = re.compile(
    rf"(?P<number>{NUMBER})(?:(?:\s?|-)(?P<scale>{SCALE})\.?)?|(?P<word>[^\W\d_][\w']*)|(?P<mark>[^\w\s])"
)
_IGNORED = frozenset(".,;:!()[]\"'|*=•·…?~")
_SIGNS = {"-": "–", "+": "≥", **{mark: mark for mark in "<≤>≥–∈&¬/%"}}
_SWISS = re.compile(r"(?<=\d)[.,]\s?-+(?!\s?\d)")  # 10'000.-
_INTERVAL = re.compile(r"^[\[(]\s*(\d+)\s*[,;]\s*(\d+)\s*[\])]$")  # [10, 50)
_GLUED = re.compile(r"(?<=\d)(?:to|bis)(?=\d)|(?<![^\W\d_])(?:lte?|gte?)(?=\d)")  # 11to50, gt1000: ids of choices
_BETWEEN_DIGITS = re.compile(r"(?<=[\dkm])_(?=\d)")
_SAYS_NOTHING = re.compile(
    r"_|\bno\.? of\b|^[-•*] |(?<=[^\W\d_])-(?=[^\W\d_])|(?<=\d)-(?=[^\W\d_])|/(?!\s?\d)"
    r"|(?<=\bthan)-|(?<=\bto)-|(?<=\bmost)-|(?<=\bleast)-|(?<=\bover)-|(?<=\bunder)-|(?<=\bbelow)-|(?<=\babove)-"
    r"|(?<=\bwithin)-|(?<=\bsub)-|(?<=\bbis)-|(?<=\bab)-|(?<=\bfrom)-|(?<=\bmax)-|(?<=\bmin)-|(?<=\bbetween)-"
)
_TO = re.compile(r"(?<=[\dkm人名명円元])\s*(?:~|\.\.+|…)\s*(?=\d)")
_RANGE = re.compile(r"(≥|>|)N[–≤](<?)N|∈N[&–]N")
_BOTH = re.compile(r"([>≥])N&?([<≤])N")
_UPPER = re.compile(r"[<≤]+N[<≤]*|N≤+")
_LOWER = re.compile(r"[>≥]+N[>≥]*|N≥+")


class Span(NamedTuple):
    """From `low` to `high`; None: no end there. An end that is open is not reached itself."""

    low: Decimal
    high: Decimal | None
    is_low_open: bool = False
    is_high_open: bool = False

    @property
    def is_exact(self) -> bool:
        return self.low == self.high and not self.is_low_open and not self.is_high_open


class Token(NamedTuple):
    """`sign`: N a number, U a unit, ? a word that is not known, else a mark."""

    sign: str
    number: Numeral | None = None
    digits: str = ""
    unit: Decimal | None = None


def tokens_of(text: str, fillers: frozenset[str], units: Mapping[str, Decimal] | None = None) -> list[Token]:
    """The numbers and marks of a text in one spelling (`numerals.plain`); words that say nothing are left out."""
    text = _GLUED.sub(r" \g<0> ", _INTERVAL.sub(r"\1-\2", text))
    marked = _SAYS_NOTHING.sub(" ", _BETWEEN_DIGITS.sub("-", _SWISS.sub(" ", text)))
    for mark, phrases in (*_LITERAL, *_UNSPACED_PHRASES):
        marked = re.sub(phrases, f" {mark} ", marked)
    marked = _PHRASE.sub(lambda found: f" {_MARKS[found.group()]} ", _TO.sub(" – ", marked))
    tokens = [token for found in _TOKEN.finditer(marked) if (token := _token(found, fillers, units or {})) is not None]
    return _with_glue(tokens)


def span_of(tokens: list[Token]) -> Span | None:
    """What these tokens mean together, if they mean one thing."""
    signs = "".join(token.sign for token in tokens)
    pattern = signs.replace("?", "").strip("&")
    numbers = [token.number for token in tokens if token.sign == "N"]
    if "¬" in pattern or any(number is None for number in numbers):
        return None
    values = _values([number for number in numbers if number is not None])
    if pattern == "N":
        return Span(values[0], values[0]) if "?" not in signs else None
    if found := _RANGE.fullmatch(pattern):
        return Span(min(values), max(values), found[1] == ">", found[2] == "<")
    if both := _BOTH.fullmatch(pattern):
        span = Span(values[0], values[1], both[1] == ">", both[2] == "<")
        return span if values[0] < values[1] else None
    if _UPPER.fullmatch(pattern):
        return Span(Decimal(0), values[0], is_high_open="<" in pattern)
    return Span(values[0], None, is_low_open=">" in pattern) if _LOWER.fullmatch(pattern) else None


def _token(found: re.Match[str], fillers: frozenset[str], units: Mapping[str, Decimal]) -> Token | None:
    if digits := found["number"]:
        scale = found["scale"]
        return Token("N", numeral(digits, scale), digits if scale is None else "")
    if word := found["word"]:
        if word in units:
            return Token("U", unit=units[word])
        if word in _GLUE:
            return Token("w", digits=word)
        return None if word in fillers else Token("?")
    mark = found["mark"]
    return None if mark in _IGNORED else Token(_SIGNS.get(mark, "?"))


def _with_glue(tokens: list[Token]) -> list[Token]:
    """Small words are marks between two numbers, and nothing elsewhere."""
    glued = []
    for index, token in enumerate(tokens):
        if token.sign != "w":
            glued.append(token)
            continue
        before, after = tokens[index - 1].sign if index else "", "".join(one.sign for one in tokens[index + 1 :])
        is_between = before in ("N", "U") and after[:1] in ("N", "<", "≤")
        if not is_between:
            glued += [Token("?")] if token.digits == "to" else []
            continue
        glued.append(Token(_GLUE[token.digits]))
    return glued


def _values(numbers: list[Numeral]) -> list[Decimal]:
    """With the scale of a range's second end for its first, too: "25-50k"."""
    if len(numbers) == 2 and numbers[0].scale is None and numbers[1].scale is not None:
        first, second = numbers
        if first.bare < second.bare:
            return [first.bare * second.scale, second.value]  # type: ignore[operator]
    return [number.value for number in numbers]
