"""The facts that rules may speak of, with their types, and the kinds of event that rules may listen to.

A value is made to fit the declared type of its fact, exactly; what does not fit is `MISFIT`, never an exception. The
CEL runtime takes `True` for 1 and a naive datetime for UTC, and refuses a whole activation for one number beyond 64
bits: so every value is looked at here first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

Fit = Callable[[Any], Any]
"""Value -> the value as CEL takes it, or MISFIT."""


class _Misfit:
    def __repr__(self) -> str:
        return "MISFIT"


MISFIT: Final = _Misfit()

_INT_MAX = 2**63 - 1
_INT_MIN = -(2**63)
_EXACT_IN_FLOAT = 2**53  # every whole number up to here has a float of its own
_LONGEST = timedelta(seconds=315_576_000_000)  # CEL's own limit, about 10,000 years


def fit_bool(value: Any) -> Any:
    return value if type(value) is bool else MISFIT


def fit_int(value: Any) -> Any:
    if type(value) is int:
        return value if _INT_MIN <= value <= _INT_MAX else MISFIT
    if isinstance(value, float | Decimal) and math.isfinite(value):  # JavaScript has no whole numbers: 120.0
        whole = int(value)
        return whole if whole == value and abs(whole) <= _EXACT_IN_FLOAT else MISFIT
    return MISFIT


def fit_double(value: Any) -> Any:
    if type(value) is float:
        return value + 0.0 if math.isfinite(value) else MISFIT  # -0.0 becomes 0.0: equal values must be the same value
    if type(value) is int:
        return float(value) if abs(value) <= _EXACT_IN_FLOAT else MISFIT
    if isinstance(value, Decimal) and value.is_finite():
        return fit_double(float(value))
    return MISFIT


def fit_string(value: Any) -> Any:
    if not isinstance(value, str):
        return MISFIT
    if not value.isascii() and not _is_encodable(value):
        return MISFIT
    return value if type(value) is str else str.__str__(value)


def fit_timestamp(value: Any) -> Any:
    return value if isinstance(value, datetime) and value.utcoffset() is not None else MISFIT


def fit_duration(value: Any) -> Any:
    return value if isinstance(value, timedelta) and -_LONGEST <= value <= _LONGEST else MISFIT


def fit_strings(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return MISFIT
    texts = [fit_string(text) for text in value]
    return MISFIT if MISFIT in texts else texts


def fit_map(value: Any) -> Any:
    return fit_any(value) if isinstance(value, Mapping) else MISFIT


def fit_any(value: Any) -> Any:
    """JSON-like values at any depth, and moments and lengths of time."""
    fit = _FITS_BY_TYPE.get(type(value))
    if fit is not None:
        return fit(value)
    if value is None:
        return None
    return next((slow_fit(value) for kind, slow_fit in _FITS_BY_FAMILY if isinstance(value, kind)), MISFIT)


def _fit_entries(value: Mapping[Any, Any]) -> Any:
    fitted = {}
    for key, entry in value.items():
        fitted_key, fitted_entry = fit_string(key), fit_any(entry)
        if fitted_key is MISFIT or fitted_entry is MISFIT:
            return MISFIT
        fitted[fitted_key] = fitted_entry
    return fitted


def _fit_elements(value: list[Any] | tuple[Any, ...]) -> Any:
    elements = [fit_any(element) for element in value]
    return MISFIT if any(element is MISFIT for element in elements) else elements


def _fit_whole(value: int) -> Any:
    return value if _INT_MIN <= value <= _INT_MAX else MISFIT


def _is_encodable(text: str) -> bool:
    # a lone surrogate (JSON can carry one) breaks the runtime's UTF-8
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_FITS_BY_TYPE: dict[type, Fit] = {
    str: fit_string,
    int: _fit_whole,
    float: fit_double,
    bool: fit_bool,
    dict: _fit_entries,
    list: _fit_elements,
    datetime: fit_timestamp,
    timedelta: fit_duration,
    Decimal: fit_double,
}
_FITS_BY_FAMILY: tuple[tuple[type | tuple[type, ...], Fit], ...] = (  # for subclasses, which are rare
    (str, fit_string),
    (Mapping, _fit_entries),
    ((list, tuple), _fit_elements),
    (datetime, fit_timestamp),
    (Decimal, fit_double),
)


KNOWN = "known"  # `known.person.title` asks whether the fact `person.title` is known


@dataclass(frozen=True)
class FactType:
    """The type of a fact: its name in CEL, how it is called in plain words, and how a Python value is fitted to it."""

    cel: str
    words: str
    fit: Fit = field(compare=False)
    choices: tuple[str, ...] = ()  # the only texts there are; a rule that compares with another one is refused


BOOL = FactType("BOOL", "true or false", fit_bool)
INT = FactType("INT", "a whole number", fit_int)
DOUBLE = FactType("DOUBLE", "a number with a decimal point", fit_double)
STRING = FactType("STRING", "text", fit_string)
TIMESTAMP = FactType("TIMESTAMP", "a moment with a time zone", fit_timestamp)
DURATION = FactType("DURATION", "a length of time", fit_duration)
STRINGS = FactType("STRINGS", "a list of texts", fit_strings)
MAP = FactType("MAP", "named values", fit_map)
ANY = FactType("ANY", "any value", fit_any)


def one_of(*choices: str) -> FactType:
    """Text of which only these values exist, so that a misspelt one in a rule is refused."""
    return FactType("STRING", "one of " + ", ".join(choices), fit_string, choices)


@dataclass(frozen=True)
class Vocabulary:
    """What the rules of a service may speak of.

    `variables`: dotted name -> type, e.g. `{"person.employees": INT}`. `kinds`: the kinds of event that `on:` may name.
    Each variable brings `known.<variable>`, a BOOL that is never unknown itself.
    """

    variables: Mapping[str, FactType]
    kinds: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "variables", MappingProxyType(dict(self.variables)))
        object.__setattr__(self, "kinds", tuple(self.kinds))
        for name in self.variables:
            segments = name.split(".")
            if segments[0] == KNOWN or not all(segment.isidentifier() and segment.isascii() for segment in segments):
                raise ValueError(f"{name!r} cannot be the name of a fact")

    @property
    def roots(self) -> frozenset[str]:
        """The first word of each name; definitions and loop variables may not be called so."""
        return frozenset({KNOWN, *(name.partition(".")[0] for name in self.variables)})


class UnknownPolicy(StrEnum):
    """What an unknown fact means for a rule."""

    SKIP = "skip"  # the rule says nothing, and the evaluation names it as unknown
    FALSE = "false"  # the rule does not match
    TRUE = "true"  # the rule matches
    FAIL = "fail"  # FactsUnknown is raised
