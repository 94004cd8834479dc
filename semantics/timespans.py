"""How far off something is, in months: "3", "3-6 months", "within 90 days", "over a year", "ASAP".

Only figures of time are read: of "ASAP, we are 2 analysts" the answer is 0. Days and weeks become whole months; what is
far is rounded so that it is not taken for nearer than it was said to be, and what is bound not for tighter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from math import ceil, floor
from typing import Any, Final

from semantics.figures import Figure, as_figure, whole
from semantics.numerals import plain
from semantics.ranges import Span, Token, span_of, tokens_of

_MOST_MONTHS = 1_200
_PRECISELY = Decimal("0.000001")  # a month has no whole number of weeks

_UNITS: Final[Mapping[str, Decimal]] = {
    word: months
    for words, months in (
        (
            "day days d tag tage tagen jour jours día días dia dias giorno giorni dag dagen dagar dni день дня дней"
            " 日 天 일",
            Decimal(1) / 30,
        ),
        (
            "week weeks w wk wks woche wochen semaine semaines semana semanas settimana settimane weken vecka veckor"
            " uke uker tydzień tygodni tygodnie неделя недели недель 週 週間 周 주",
            Decimal(7) / 30,
        ),
        (
            "month months mo mos mth mths mon monat monate monaten monats mois mes meses mês mese mesi maand maanden"
            " månad månader måned måneder miesiąc miesiące miesięcy měsíc měsíců месяц месяца месяцев ヶ月 か月 カ月"
            " 个月 個月 月 개월",
            Decimal(1),
        ),
        (
            "quarter quarters qtr qtrs quartal quartale quartalen trimestre trimestres trimestri kwartaal kwartalen",
            Decimal(3),
        ),
        (
            "year years y yr yrs jahr jahre jahren an ans année années año años ano anos anno anni jaar jaren år rok"
            " lata lat год года лет 年 년",
            Decimal(12),
        ),
    )
    for word in words.split()
}
_SAYS_NOTHING = """
    in about around approximately approx roughly circa ca some from now start starts starting begin beginning time our
    project away out hence the of is we to timeline timeframe ahead etwa ungefähr rund der den von ab jetzt
    dans environ en dentro de unos fra tra over om через около 約 约 后 後
"""
_FILLERS = frozenset(_SAYS_NOTHING.split())
_NUMBER_WORDS = {
    "1": "a an one ein eine einem einer einen eines un une uno una één een en",
    "2": "two zwei deux dos due twee",
    "3": "three drei trois tres tre drie",
    "4": "four vier quatre cuatro",
    "5": "five fünf cinq cinco",
    "6": "six sechs seis sei zes",
    "9": "nine neun neuf nueve",
    "12": "twelve zwölf douze doce",
    "18": "eighteen achtzehn",
    "24": "twenty-four",
}
_DIGIT_OF = {word: digit for digit, words in _NUMBER_WORDS.items() for word in words.split()}
_UNIT = "|".join(sorted((re.escape(word) for word in _UNITS if word < "\u2e80"), key=len, reverse=True))
_WRITTEN_OUT = re.compile(rf"(?<![\w'])({'|'.join(_DIGIT_OF)})(?=(?: to (?:\w+)| or (?:\w+))? (?:{_UNIT})(?!\w))")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)_(?=\d)")
_HALF = re.compile(r"\b(?:half (?:a |of the )?year|halbes jahr|halben jahres|semestre|半年)")
_ABBREVIATED = re.compile(r"(?<=\d)\s?m{1,2}(?![^\W\d_])")
_HYPHENED = re.compile(rf"(?<=\d)-(?=(?:{_UNIT})(?!\w))")
_FROM_NOW = re.compile(r"\b(?:from (?:now|today|then)(?: on)?|ab (?:jetzt|heute)|from the start)\b")
_NOW_TO = re.compile(r"\b(?:now|today|asap|immediate|immediately|jetzt|heute|sofort) ?(?:-|to|until|bis) ?(?=\d)")
_UNSPACED = re.compile(r"(?<=[日天週間周月年내内上])(?=以|未|内|后|後)")
_CLAUSE = re.compile(r"[,;.](?=\s|$)|[()!?/|\n]| - (?!\s*\d)")
_AT_ONCE = (
    "asap|a.s.a.p|immediate|immediately|immediat|urgent|urgently|at once|right away|straight away|this week|next week"
    "|as soon as possible|sofort|dringend|umgehend|schnellstmöglich|so schnell wie möglich|diese woche|immédiat"
    "|immédiatement|urgente|dès que possible|inmediatamente|lo antes posible|cuanto antes|subito|imediatamente"
    "|omedelbart|срочно|немедленно|(?:start|starting|needed|need it) (?:now|today)"
    "|^(?:right )?(?:now|today|jetzt|heute|ahora|agora|nu|сейчас|adesso|maintenant)$"  # "now we are just looking"
)
_NAMED: Final = tuple(  # said without a number: from, to, in months
    (re.compile(rf"(?<!\w)(?:{words})(?!\w)" + unspaced), Decimal(low), Decimal(high))
    for low, high, words, unspaced in (
        (0, 0, _AT_ONCE.replace(".", r"\."), "|すぐ|至急|立即|尽快|马上|즉시"),
        (0, 1, "(?:this|current|diesen|dieser|ce|este|questo) (?:month|monat|mois|mes|mese)", "|今月|本月"),
        (1, 2, "(?:next|coming|nächsten?|kommenden?) (?:month|monat)|mois prochain|próximo mes", "|来月|下个月"),
        (0, 3, "(?:this|current|dieses|diesem|ce|este|questo) (?:quarter|quartal|trimestre)", "|本季度"),
        (0, 6, "(?:next|coming|nächstes|nächsten|kommendes) (?:quarter|quartal)|trimestre prochain", "|下季度"),
        (0, 12, "(?:this|current|dieses|diesem|cette|este|quest') ?(?:year|jahr|année|año|anno)", "|今年"),
        (0, 24, "(?:next|nächstes|nächsten|kommendes) (?:year|jahr)|année prochaine|próximo año", "|来年|明年"),
    )
)
_NOT = re.compile(r"\b(no|not|never|nicht|kein|keine|keinen|pas|sin|non|niet|geen|не|нет|isn't|don't|nothing)\b")


def months(value: object) -> Figure | None:
    """How far off: 3, "3 months", "ASAP" (0); a band: "3-6 months", "within 90 days", "more than 12 months"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if 0 <= value <= _MOST_MONTHS else None
    if isinstance(value, Mapping):
        return _band_again(value)
    if not isinstance(value, str):
        return None
    span = _read(value)
    return None if span is None else as_figure(span.low, span.high, value, int)


@lru_cache(maxsize=2048)  # drop-downs repeat
def _read(text: str) -> Span | None:
    told = _spelled(plain(text))
    clauses = [clause for part in _CLAUSE.split(told) if (clause := part.strip())]
    for clause in clauses:
        span = _told_in(clause)
        if span is not None:
            return span
    return None if _NOT.search(told) else _bounded(span_of(tokens_of(told, _FILLERS)))


def _spelled(text: str) -> str:
    text = _BETWEEN_DIGITS.sub("-", text).replace("_", " ")
    text = _NOW_TO.sub("0 - ", _FROM_NOW.sub(" ", _HALF.sub("6 months", text)))
    text = _HYPHENED.sub(" ", _ABBREVIATED.sub(" months", text))
    return _WRITTEN_OUT.sub(lambda found: _DIGIT_OF[found.group()], _UNSPACED.sub(" ", text))


def _told_in(clause: str) -> Span | None:
    """The span of a clause: in figures with their units, else in words."""
    tokens = tokens_of(clause, _FILLERS, _UNITS)
    signs = {token.sign for token in tokens}
    if not {"N", "U"} <= signs:
        return _said_in_words(clause)
    return _bounded(_as_told(span_of(_in_months(tokens))))


def _in_months(tokens: list[Token]) -> list[Token]:
    """Each number in months, by the unit behind it, or behind the second end of its range; others are mere words."""
    numbers = [token for token in tokens if token.sign != "U"]
    units: list[Decimal | None] = []
    for index, token in enumerate(tokens):
        if token.sign != "U":
            behind = [one for one in tokens[index + 1 :] if one.sign != "?"]
            units.append(_unit_of(behind))
    read = []
    for token, unit in zip(numbers, units, strict=True):
        if token.sign != "N" or token.number is None:
            read.append(token)
        elif unit is None:
            read.append(Token("?"))
        else:
            away = (token.number.value * unit).quantize(_PRECISELY)
            read.append(token._replace(number=token.number._replace(bare=away, scale=None)))
    return read


def _unit_of(behind: list[Token]) -> Decimal | None:
    """The unit that comes next; a range or bound may stand between, and its second end."""
    for token in behind:
        if token.unit is not None:
            return token.unit
        if token.sign not in ("–", "&", "≥", "≤", "<", "N"):
            return None
    return None


def _as_told(span: Span | None) -> Span | None:
    """In whole months: what begins so far off is not nearer, what is bound is not tighter; "2 weeks" alone is 0."""
    if span is None or span.is_exact or all(end is None or end == int(end) for end in (span.low, span.high)):
        return span
    high = None if span.high is None else Decimal(ceil(span.high))
    return Span(Decimal(floor(span.low)), high)


def _bounded(span: Span | None) -> Span | None:
    if span is None:
        return None
    low, high = whole(span)
    return Span(low, high) if low <= _MOST_MONTHS and (high is None or low <= high <= _MOST_MONTHS) else None


def _said_in_words(clause: str) -> Span | None:
    if _NOT.search(clause):
        return None
    for pattern, low, high in _NAMED:
        if pattern.search(clause):
            return Span(low, high)
    return None


def _band_again(value: Mapping[Any, Any]) -> Figure | None:
    """A band that was read before, or that a server sends."""
    low, high, text = value.get("low"), value.get("high", ""), value.get("text", "")
    ends = [end for end in (low, high) if isinstance(end, int | float) and isinstance(months(end), int)]
    if not isinstance(text, str) or len(ends) != (1 if high is None else 2) or ends[0] > ends[-1]:
        return None
    return as_figure(Decimal(int(ends[0])), None if high is None else Decimal(int(ends[-1])), text, int)
