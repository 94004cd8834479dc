"""The facts brought to the conditions that read them: only what is read, each fitted to its type.

Conditions that read a map as a whole are fed apart from those that read entries of it by name: an entry that does not fit makes
the whole map unknown, and must not harm a rule that never looks at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rulebook.fitting import MISFIT, Fit, fit_any
from rulebook.syntax import Read
from rulebook.vocabulary import KNOWN, FactType

Types = Mapping[str, FactType]


@dataclass(frozen=True)
class Feed:
    """How one variable gets from the facts to the conditions; of a map only the entries that are read (None: all of it)."""

    variable: str
    fit: Fit
    keys: tuple[str, ...] | None = None

    def take(self, value: Any) -> Any:
        """`value` as CEL takes it, or MISFIT."""
        try:
            if self.keys is None:
                return self.fit(value)
            if not isinstance(value, Mapping):
                return MISFIT
            picked = {key: fit_any(value[key]) for key in self.keys if key in value}
        except RecursionError:  # nested without end
            return MISFIT
        return {key: entry for key, entry in picked.items() if entry is not MISFIT}


@dataclass(frozen=True)
class Supply:
    """What some conditions need: the variables to feed, and those whose being known is asked."""

    feeds: tuple[Feed, ...]
    asked: tuple[str, ...]

    def feed(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts that are known and fit, by variable."""
        fed: dict[str, Any] = {}
        for feed in self.feeds:
            value = facts.get(feed.variable)
            if value is not None:
                taken = feed.take(value)
                if taken is not MISFIT:
                    fed[feed.variable] = taken
        for variable in self.asked:
            fed[f"{KNOWN}.{variable}"] = variable in fed
        return fed


class Plate:
    """The facts fed to conditions, and as an activation, made when the first condition needs it: often none does."""

    __slots__ = ("_activate", "_activation", "fed")

    def __init__(self, fed: dict[str, Any], activate: Callable[[Mapping[str, Any]], Any]) -> None:
        self.fed, self._activate, self._activation = fed, activate, None

    def activation(self) -> Any:
        """The facts as the CEL runtime takes them."""
        if self._activation is None:
            self._activation = self._activate(self.fed)
        return self._activation


def read_whole(reads: Iterable[Read], types: Types) -> frozenset[str]:
    """The maps that are read as a whole."""
    return frozenset(read[0] for read in reads if len(read) == 1 and read[0] in types and types[read[0]].cel == "MAP")


def supply_of(reads: Iterable[Read], types: Types) -> Supply:
    """What conditions with these reads need."""
    reads = tuple(reads)
    whole = read_whole(reads, types)
    asked = {read[0].removeprefix(f"{KNOWN}.") for read in reads if read[0] not in types}
    keys: dict[str, set[str]] = {variable: set() for variable in asked}
    for variable, *rest in reads:
        if variable in types:
            keys.setdefault(variable, set()).update(rest[:1])
    feeds = (
        Feed(variable, types[variable].fit, tuple(sorted(named)) if types[variable].cel == "MAP" and variable not in whole else None)
        for variable, named in sorted(keys.items())
    )
    return Supply(tuple(feeds), tuple(sorted(asked)))


def look_up(facts: Mapping[str, Any], read: Read) -> Any:
    """The value of a fact, or of an entry within it; None where there is none."""
    value: Any = facts.get(read[0])
    for key in read[1:]:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
