"""The facts that rules may speak of, with their types, and the kinds of event that rules may listen to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from rulebook.fitting import (
    Fit,
    fit_any,
    fit_bool,
    fit_double,
    fit_duration,
    fit_int,
    fit_map,
    fit_string,
    fit_strings,
    fit_timestamp,
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
