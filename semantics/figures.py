"""What people type where a figure or one of a few words is meant: head counts, budgets, time spans, authority.

An exact figure is a number; one of which only the ends are known is `{"low": 51, "high": 200, "text": "51-200"}`, with
None for no upper end. A figure that cannot be read is not guessed: None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from math import ceil, floor
from typing import Any, NamedTuple

from semantics.currencies import without_currency
from semantics.numerals import is_like_a_phone, plain
from semantics.ranges import Span, Token, span_of, tokens_of

Figure = int | float | dict[str, Any]
"""An exact figure, or a band."""

_MOST_PEOPLE = 10_000_000
_MOST_MONEY = Decimal(10) ** 15
_TEXT = 100  # characters of what was typed that a band keeps
_CENT = Decimal("0.01")
_YEARS = range(1990, 2101)

_SAYS_NOTHING = """
    the is are we have has our my about around approximately approx roughly circa ca some total overall currently now of
    p kr per annum year annually annual yearly pa month monthly net gross available approved allocated planned budget
    etwa ungefähr rund zirka von der die das wir haben sind insgesamt pro jahr jährlich verfügbar
    environ de du le la par an nous avons aproximadamente unos el por año presupuesto di del il orçamento cerca
    ongeveer około около примерно бюджет 約 约 大约 약 予算 预算
"""
_PEOPLE = """
    employees employee people persons person staff team members member headcount head heads count fte ftes ppl emp size
    company companies worldwide globally workers workforce users seats just me only myself
    mitarbeiter mitarbeiterinnen mitarbeitende mitarbeitern beschäftigte angestellte personen leute ma vollzeit
    employés employé salariés personnes collaborateurs empleados personas trabajadores dipendenti persone addetti
    funcionários colaboradores pessoas medewerkers werknemers anställda medarbetare ansatte pracowników osób
    zaměstnanců сотрудников человек людей 人 名 员工 员 社員 従業員 명 직원
"""
_FILLERS = frozenset(_SAYS_NOTHING.split())
_HEADS = _FILLERS | frozenset(_PEOPLE.split())

_DECIDES = re.compile(
    r"\b(yes|y|true|decide[rs]?|decision|decision[ -]?mak(er|ing)|final say|sign(s|ing|atory)?|owner|budget holder"
    r"|economic buyer|approve[rs]?|ja|entscheider(in)?|entscheide|oui|décideur|décideuse|sí|si|decisor|decisora)\b"
    r"|決裁|决策"
)
_INFLUENCES = re.compile(
    r"\b(influenc(e|es|ed|er|ers|ing)|recommend(s|er|ing)?|evaluat(or|e|es|ing)|advisor|adviser|advise|champion"
    r"|part of the decision|involved|prepare|empfehle|beeinfluss\w*|mitentscheider(in)?|prescripteur)\b"
)
_NOT = re.compile(
    r"\b(no|not|none|false|never|nein|kein(e|en|erlei)?|nicht|non|pas|neither|student|n|don't|cannot|can't)\b"
)


# not the whole of it: so much each time, or for each of some
_EACH = re.compile(
    r"(?:/|\b(?:per|pro|par|por|je|each|every|a|al)\b)\s*(?:hours?|hr|days?|weeks?|wk|months?|mo|mth|seats?|users?|head"
    r"|person|people|employees?|licen[cs]es?|stunde|tag|woche|monat|nutzer|mitarbeiter|kopf|lizenz|heure|jour|semaine"
    r"|mois|utilisateur|mes|mese|semana|usuario|utente|maand|gebruiker)\b"
    r"|\b(?:hourly|daily|weekly|monthly|p\.?m\.?|pcm|mtl|monatlich|wöchentlich|mensuels?|mensual|mensile|maandelijks)(?!\w)"
)


class Budget(NamedTuple):
    """An amount and, when it was told, its ISO 4217 currency."""

    amount: Figure
    currency: str | None


def head_count(value: object) -> Figure | None:
    """Employees: 250, "about 1.200 people"; a band: "51-200", "1,000+", "fewer than 200"."""
    exact = _exact(value, _MOST_PEOPLE)
    if exact is not None:
        return int(exact)
    if isinstance(value, Mapping):
        return _band_again(value, int, _MOST_PEOPLE)
    return _heads(value) if isinstance(value, str) else None


def money(value: object) -> Budget | None:
    """A budget: 50000, "50.000 €"; a band: "USD 25k-50k", "up to 10000", "weniger als 10 Tsd. EUR"."""
    exact = _exact(value, _MOST_MONEY)
    if exact is not None:
        return Budget(float(exact), None)
    if isinstance(value, Mapping):
        band = _band_again(value, float, _MOST_MONEY)
        return None if band is None else Budget(band, None)
    return _budget(value) if isinstance(value, str) else None


def authority(value: Any) -> str | None:
    """decides, influences or none."""
    if isinstance(value, bool):
        return "decides" if value else "none"
    if not isinstance(value, str):
        return None
    text = plain(value.replace("_", " "))
    meant = [word for word, pattern in (("influences", _INFLUENCES), ("decides", _DECIDES)) if pattern.search(text)]
    if _NOT.search(text):  # "No, but I influence it" against "No influence"
        return "influences" if re.search(r"\bbut\b|\baber\b|\bmais\b", text) and "influences" in meant else "none"
    return meant[0] if meant else None


def as_figure(low: Decimal, high: Decimal | None, text: str, kind: type[int] | type[float]) -> Figure:
    """A number where both ends are one, else a band; its parts in the order in which stores write them."""
    if low == high:
        return kind(low)
    return {"high": None if high is None else kind(high), "low": kind(low), "text": text[:_TEXT].strip()}


def whole(span: Span) -> tuple[Decimal, Decimal | None]:
    """The ends in whole numbers: of "less than 10" it is 9; a fraction that stands alone is rounded down."""
    if span.is_exact:
        return Decimal(floor(span.low)), Decimal(floor(span.low))
    low = Decimal(floor(span.low) + 1 if span.is_low_open else ceil(span.low))
    if span.high is None:
        return low, None
    return low, Decimal(ceil(span.high) - 1 if span.is_high_open else floor(span.high))


@lru_cache(maxsize=2048)  # drop-downs repeat
def _heads_span(text: str) -> Span | None:
    tokens = tokens_of(plain(text), _HEADS)
    span = _sound(tokens, has_unit=False, is_money=False)
    if span is None:
        return None
    low, high = whole(span)
    is_known = low <= _MOST_PEOPLE and (high is None or low <= high <= _MOST_PEOPLE)
    return Span(low, high) if is_known else None


def _heads(text: str) -> Figure | None:
    span = _heads_span(text)
    return None if span is None else as_figure(span.low, span.high, text, int)


@lru_cache(maxsize=2048)
def _money_span(text: str) -> tuple[Span, str | None] | None:
    told, currencies = without_currency(plain(text))
    if len(currencies) > 1:
        return None
    span = _sound(tokens_of(told, _FILLERS), has_unit=bool(currencies), is_money=True)
    if span is None:
        return None
    low = span.low + _CENT if span.is_low_open else span.low
    high = span.high - _CENT if span.high is not None and span.is_high_open else span.high
    return (Span(low, high), next(iter(currencies), None)) if high is None or low <= high else None


def _budget(text: str) -> Budget | None:
    read = _money_span(text)
    if read is None:
        return None
    span, currency = read
    if _EACH.search(plain(text)) is not None:  # what it comes to is at least that, and nobody knows how much
        span = Span(span.low, None)
        if not span.low:
            return None
    amount = as_figure(span.low, span.high, text, float)
    return Budget(amount, currency)


def _sound(tokens: list[Token], *, has_unit: bool, is_money: bool) -> Span | None:
    """What the tokens mean, unless it is rather a phone number or a year."""
    bare = [token.digits for token in tokens if token.sign == "N" and token.digits]
    if not has_unit and any(is_like_a_phone(digits) for digits in bare):
        return None
    is_year = any(digits.isdigit() and int(digits) in _YEARS for digits in bare)
    if is_money and not has_unit and is_year and len(tokens) > 1:  # "2027" alone is a sum
        return None
    return span_of(tokens)


def _exact(value: object, most: Decimal | int) -> Decimal | None:
    """A JSON number, if it can be meant."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value))
    if not number.is_finite() or not 0 <= number <= most:
        return None
    return None if number == int(number) and is_like_a_phone(str(int(number))) else number


def _band_again(value: Mapping[Any, Any], kind: type[int] | type[float], limit: Decimal | int) -> Figure | None:
    """A band that was read before, or that a server sends."""
    low, high, text = _exact(value.get("low"), limit), value.get("high", ""), value.get("text", "")
    most = None if high is None else _exact(high, limit)
    if low is None or not isinstance(text, str) or (most is None and high is not None):
        return None
    return as_figure(low, most, text, kind) if most is None or low <= most else None
