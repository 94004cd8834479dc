"""The facts brought to the conditions that read them: only what is read, each fitted to its type.

Conditions that read a map as a whole are fed apart from those that read entries of it by name: an entry that does not
fit makes the whole map unknown, and must not harm a rule that never looks at it.

Of some figures only the ends are known: `{"low": 51, "high": 200}`, `"high": null` for no upper end. A rule holds for
such a band only if it holds for every number in it. It is evaluated at both ends, and beside each number that its
condition names between them: where it compares the fact with numbers, its verdict can change nowhere else, so that
`20 <= x && x < 200` and `x < 5 || x > 300` are decided exactly. A condition that computes with the fact (`x % 2`) is
asked at these places alone.

Answers are pure functions of these facts, and pages, campaigns and titles repeat: so what was answered
to the same facts may be answered again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Generic, NamedTuple, TypeVar

from rulebook.syntax import Read
from rulebook.vocabulary import KNOWN, MISFIT, FactType, Fit, fit_any

Types = Mapping[str, FactType]
Key = tuple[Hashable, ...]
Answer = TypeVar("Answer")

_LONGEST = 256  # characters of a text that is kept: no one's essay should stay in memory
_NOTHING = object()
_UNKNOWN = object()
_PLAIN = frozenset({str, int, bool, type(None), object})  # no fractions: 0.0 and -0.0 are equal, and are not told alike


@dataclass(frozen=True)
class Input:
    """How one variable gets from the facts to the conditions; of a map only the entries that are read (None: all of
    it).
    """

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
class Inputs:
    """What some conditions need: the variables to feed, and those whose being known is asked."""

    feeds: tuple[Input, ...]
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


class Activation:
    """The facts fed to conditions, and as the CEL runtime takes them, made when the first condition needs it: often
    none does.
    """

    __slots__ = ("_activate", "_activation", "fed")

    def __init__(self, fed: dict[str, Any], activate: Callable[[Mapping[str, Any]], Any]) -> None:
        self.fed, self._activate, self._activation = fed, activate, None

    def for_cel(self) -> Any:
        """The facts as the CEL runtime takes them."""
        if self._activation is None:
            self._activation = self._activate(self.fed)
        return self._activation


def read_whole(reads: Iterable[Read], types: Types) -> frozenset[str]:
    """The maps that are read as a whole."""
    return frozenset(read[0] for read in reads if len(read) == 1 and read[0] in types and types[read[0]].cel == "MAP")


def inputs_of(reads: Iterable[Read], types: Types) -> Inputs:
    """What conditions with these reads need."""
    reads = tuple(reads)
    whole = read_whole(reads, types)
    asked = {read[0].removeprefix(f"{KNOWN}.") for read in reads if read[0] not in types}
    keys: dict[str, set[str]] = {variable: set() for variable in asked}
    for variable, *rest in reads:
        if variable in types:
            keys.setdefault(variable, set()).update(rest[:1])
    feeds = (
        Input(
            variable,
            types[variable].fit,
            tuple(sorted(named)) if types[variable].cel == "MAP" and variable not in whole else None,
        )
        for variable, named in sorted(keys.items())
    )
    return Inputs(tuple(feeds), tuple(sorted(asked)))


def look_up(facts: Mapping[str, Any], read: Read) -> Any:
    """The value of a fact, or of an entry within it; None where there is none."""
    value: Any = facts.get(read[0])
    for key in read[1:]:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


class CacheKey:
    """All that the conditions of one kind ask of the facts: two that are asked the same give the same answer."""

    def __init__(self, inputs: Iterable[Inputs]) -> None:
        self._wholes = tuple(sorted({feed.variable for one in inputs for feed in one.feeds if feed.keys is None}))
        self._maps = tuple(
            sorted({(feed.variable, feed.keys) for one in inputs for feed in one.feeds if feed.keys is not None})
        )

    def key(self, facts: Mapping[str, Any]) -> Key | None:
        """What the answer to these facts can be kept under; None where it cannot: something long, or with parts of its
        own.
        """
        values = list(map(facts.get, self._wholes))
        for variable, keys in self._maps:
            entries = facts.get(variable)
            if isinstance(entries, Mapping):
                values += [entries.get(key, _NOTHING) for key in keys]
            else:
                values.append(_UNKNOWN if entries is None else entries)
        types = tuple(map(type, values))
        if not _PLAIN.issuperset(types) or any(type(value) is str and len(value) > _LONGEST for value in values):
            return None
        return tuple(values), types


class AnswerCache(Generic[Answer]):
    """What was answered to the last questions. Threads may share it: each step is one operation on a dict."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[Key, Answer] = {}

    def of(self, question: Key | None, answer: Callable[[], Answer]) -> Answer:
        """What was answered before, or is now. None is a question whose answer cannot be kept."""
        if question is None:
            return answer()
        known = self._known.get(question)
        if known is None:
            if len(self._known) >= self._most:
                self._known.clear()
            known = self._known[question] = answer()
        return known


MOST_PLACES: Final = 1_024
"""Places at which one rule is asked; of one that needs more nothing can be said."""

_ENDS, _PARTS = frozenset({"low", "high"}), frozenset({"low", "high", "text"})
_NUMERIC = frozenset({"INT", "DOUBLE"})
_FARTHEST = 10**15  # stands for "no upper end", unless a rule names a greater number
_CENT = 0.01

Number = int | float


class Band(NamedTuple):
    """All numbers from `low` to `high`, both included; None: without an upper end."""

    low: Number
    high: Number | None

    def in_words(self) -> str:
        """`51 to 200`, `up to 20`, `at least 1000`; a cent below a whole number is less than that number."""
        if self.high is None:
            return _beside(self.low, -_CENT, "more than") or f"at least {_digits(self.low)}"
        if self.low == 0:
            return _beside(self.high, _CENT, "less than") or f"up to {_digits(self.high)}"
        return f"{_digits(self.low)} to {_digits(self.high)}"

    def places(self, named: Iterable[Number]) -> list[Number]:
        """Where a condition that names these numbers is asked."""
        is_whole = type(self.low) is int
        high = self.high if self.high is not None else _beyond(self.low, named)
        beside = _beside_whole if is_whole else _beside_fraction
        inner = {place for number in named for place in beside(number) if self.low < place < high}
        return [self.low, *sorted(inner), high]


def is_band(value: Any) -> bool:
    """Whether it has the shape of a band."""
    if not isinstance(value, Mapping) or not _ENDS <= value.keys() <= _PARTS:
        return False
    return type(value["low"]) in (int, float) and type(value["high"]) in (int, float, type(None))


def band_of(value: Any, fact: FactType) -> Band | None:
    """The band that is told of a numeric fact; None where it is none."""
    if fact.cel not in _NUMERIC or not is_band(value):
        return None
    low, high = fact.fit(value["low"]), None if value["high"] is None else fact.fit(value["high"])
    if low is MISFIT or high is MISFIT or (high is not None and high < low):
        return None
    return Band(low, high)


def numeric(variables: Iterable[str], types: Mapping[str, FactType]) -> tuple[str, ...]:
    """Those that may be bands."""
    return tuple(sorted({name for name in variables if name in types and types[name].cel in _NUMERIC}))


def bands_in(facts: Mapping[str, Any], names: tuple[str, ...], types: Mapping[str, FactType]) -> dict[str, Band]:
    """The facts among these that are bands."""
    bands = {}
    for name in names:
        value = facts.get(name)
        if isinstance(value, dict) and (band := band_of(value, types[name])) is not None:
            bands[name] = band
    return bands


def assignments(bands: Mapping[str, Band], named: Iterable[Number]) -> Iterator[dict[str, Number]] | None:
    """A number for each band, in all combinations that matter; None: there are too many."""
    numbers = tuple(named)
    axes = [band.places(numbers) for band in bands.values()]
    if math.prod(map(len, axes)) > MOST_PLACES:
        return None
    return (dict(zip(bands, place, strict=True)) for place in product(*axes))


def _beyond(low: Number, named: Iterable[Number]) -> Number:
    farthest = max(_FARTHEST, low + 1, *(math.floor(number) + 2 for number in named if math.isfinite(number)))
    return min(farthest, 2**62) if type(low) is int else float(farthest)


def _beside_whole(number: Number) -> Iterator[Number]:
    if math.isfinite(number):
        yield from (math.floor(number) + step for step in (-1, 0, 1))


def _beside_fraction(number: Number) -> Iterator[Number]:
    if math.isfinite(number):
        exact = float(number)
        yield from (math.nextafter(exact, -math.inf), exact, math.nextafter(exact, math.inf))


def _beside(number: Number, step: float, words: str) -> str | None:
    """In words where `number` lies one cent beside a whole number."""
    whole = round(number + step)
    is_cent = type(number) is float and number != whole and abs(number + step - whole) < _CENT / 10
    return f"{words} {whole}" if is_cent else None


def _digits(number: Number) -> str:
    return str(int(number)) if number == int(number) else f"{number:.10g}"
