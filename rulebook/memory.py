"""What a condition said before, or all of a kind together: pure functions of the facts they read, so remembering changes nothing but the speed.

Pages, campaigns and titles repeat; a regular expression costs 3-12 microseconds each time, because the CEL runtime compiles it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from rulebook.feeding import Supply
from rulebook.syntax import Read
from rulebook.vocabulary import FactType

_MOST = 1_024  # verdicts kept of one condition: half a megabyte at the very most
_LONGEST = 256  # characters of a text that is kept: no one's essay should stay in memory
_NOTHING = object()
_UNKNOWN = object()
_PLAIN = frozenset({str, int, bool, type(None), object})  # no fractions: 0.0 and -0.0 are equal, and are not told alike
_SCALARS = {"BOOL", "INT", "DOUBLE", "STRING", "TIMESTAMP", "DURATION"}

Key = tuple[Hashable, ...]
Answer = TypeVar("Answer")


class Memory:
    """The verdicts of one condition by the values it read. Threads may share it: each step is one operation on a dict."""

    def __init__(self, reads: Sequence[Read], types: Mapping[str, FactType]) -> None:
        self._variables = tuple(read[0] for read in reads if _is_scalar(read, types))
        self._entries = tuple(sorted({(read[0], read[1]) for read in reads if read[0] in types and types[read[0]].cel == "MAP" and len(read) > 1}))
        self._is_of_use = len(self._variables) + sum(1 for read in reads if len(read) > 1) == len(reads)
        self._verdicts: dict[Key, Any] = {}

    def key(self, fed: Mapping[str, Any]) -> Key | None:
        """What the verdict on these facts is kept under; None where it cannot be kept."""
        if not self._is_of_use:
            return None
        values = tuple(map(fed.get, self._variables))
        if self._entries:
            entries = [fed.get(variable, {}).get(entry, _NOTHING) if variable in fed else None for variable, entry in self._entries]
            values = (*values, *entries, *map(type, entries))  # 1, 1.0 and True are equal and not the same
        return None if any(type(value) is str and len(value) > _LONGEST for value in values) else values

    def recall(self, key: Key) -> Any:
        """The verdict kept under `key`, or None."""
        try:
            return self._verdicts.get(key)
        except TypeError:  # a list or a map somewhere in it
            return None

    def keep(self, key: Key, verdict: Any) -> None:
        """Keep a verdict; when full, forget all: no order to maintain on the way."""
        if len(self._verdicts) >= _MOST:
            self._verdicts.clear()
        try:
            self._verdicts[key] = verdict
        except TypeError:
            return


class Question:
    """All that the conditions of one kind ask of the facts: two that are asked the same give the same answer."""

    def __init__(self, supplies: Iterable[Supply]) -> None:
        self._wholes = tuple(sorted({feed.variable for supply in supplies for feed in supply.feeds if feed.keys is None}))
        self._maps = tuple(sorted({(feed.variable, feed.keys) for supply in supplies for feed in supply.feeds if feed.keys is not None}))

    def key(self, facts: Mapping[str, Any]) -> Key | None:
        """What the answer to these facts can be kept under; None where it cannot: something long, or with parts of its own."""
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


class Answers(Generic[Answer]):
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


def _is_scalar(read: Read, types: Mapping[str, FactType]) -> bool:
    return len(read) == 1 and (read[0] not in types or types[read[0]].cel in _SCALARS)  # not among them: `known.` something
