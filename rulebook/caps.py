"""How often a rule counts: `cap: {times: 1, within: 30m, per: page.path}`.

At most `times` in any stretch of `within`, apart for each value of the fact `per`. What happens again within it is
weighed, told and worth nothing. When things happened decides, not when they were heard of: what arrives late is capped
by what was counted on either side of it. The memory that this takes holds the last COUNTED moments that were counted;
the earliest are forgotten first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from json import dumps
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contracts.limits import COUNTED

_LENGTH = re.compile(r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_LONGEST = timedelta(days=90)
_MOST_TIMES = 20
_KEY_BYTES = 6  # told apart are a few dozen
_MICROSECOND = timedelta(microseconds=1)
_UNITS = ("day", "hour", "minute", "second")


def _length(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    read = _LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    if read is None:
        raise ValueError("a length of time is written 30m, 12h, 1d or 1d12h")
    days, hours, minutes, seconds = (int(part or 0) for part in read.groups())
    if max(days, hours, minutes, seconds) > 10**8:
        raise ValueError("this is longer than any memory")
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


class Cap(BaseModel):
    """At most `times` within `within`, for each value of the fact `per` (None: whatever it is about)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    times: Annotated[int, Field(ge=1, le=_MOST_TIMES, strict=True)] = 1
    within: Annotated[timedelta, BeforeValidator(_length), Field(ge=timedelta(seconds=1), le=_LONGEST)]
    per: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    def in_words(self) -> str:
        """`once within 30 minutes`, `3 times within 1 day`."""
        total = int(self.within.total_seconds())
        counts = (total // 86_400, total // 3_600 % 24, total // 60 % 60, total % 60)
        parts = [
            f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in zip(counts, _UNITS, strict=True) if count
        ]
        return f"{'once' if self.times == 1 else f'{self.times} times'} within {' '.join(parts)}"


def is_capped(moment: int, counted: Sequence[int], times: int, within: int) -> bool:
    """Whether one more at `moment` would be more than `times` in some stretch of `within`.

    All in one unit of time; `counted` ascend.
    """
    near = [one for one in counted if -within < one - moment < within]
    for first in range(len(near) - times + 1):
        earliest, latest = near[first], near[first + times - 1]
        if max(latest, moment) - min(earliest, moment) < within:
            return True
    return False


def cap_of(effect: Any) -> Cap | None:
    """The cap of a rule's effect, whatever service it is of."""
    cap = getattr(effect, "cap", None)
    return cap if isinstance(cap, Cap) else None


Counted = tuple[tuple[int, str], ...]
"""(moment in microseconds, key) of what was counted under caps, ascending."""


class CountLimit(NamedTuple):
    """At most `times` of the same `key` within so many microseconds."""

    key: str
    times: int
    within: int
    words: str


def limit_of(rule: str, cap: Cap, inputs: Mapping[str, Any]) -> CountLimit:
    """The limit of a rule for what its cap counts apart: known by a short hash, so that no page and no name is kept."""
    apart = None if cap.per is None else inputs.get(cap.per)
    named = f"{rule}\0{dumps(apart, default=str, sort_keys=True)}"
    key = blake2b(named.encode(errors="replace"), digest_size=_KEY_BYTES).hexdigest()
    return CountLimit(key, cap.times, cap.within // _MICROSECOND, cap.in_words())


def is_repeat(counted: Counted, limit: CountLimit, moment: int) -> bool:
    """Whether one more at `moment` is more than counts."""
    same: list[int] = []
    for at, key in reversed(counted):
        if at <= moment - limit.within:  # and all before it
            break
        if key == limit.key:
            same.append(at)
    return bool(same) and is_capped(moment, same[::-1], limit.times, limit.within)


def with_counted(counted: Counted, new: Iterable[tuple[int, str]]) -> Counted:
    """The memory with what counted now; the earliest give way."""
    added = tuple(new)
    is_in_order = len(added) == 1 and (not counted or counted[-1] <= added[0])  # as nearly always
    grown = (*counted, *added)
    return (grown if is_in_order else tuple(sorted(grown)))[-COUNTED:]
