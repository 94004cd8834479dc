"""What becomes of a batch that was tried: one pure function, one sum type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chassis.bus.errors import BrokerUnavailable, Unparseable
from chassis.errors import NotReady
from chassis.progress import describe


@dataclass(frozen=True, slots=True)
class Tries:
    """How often the same messages were tried before this time, by what stopped them."""

    outages: int = 0
    faults: int = 0
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """It was applied: acknowledge it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the same messages again in place after a while; the order is kept.

    `tries` is how often they were tried then, by what stopped them.
    """

    after_seconds: float
    tries: Tries


@dataclass(frozen=True, slots=True)
class Halve:
    """One of them is bad: try the first half, then the second.

    `tries` are those of the whole that count for the halves.
    """

    tries: Tries


@dataclass(frozen=True, slots=True)
class Dead:
    """These failed for good: `reasons` by stream sequence. The others are tried again."""

    reasons: Mapping[int, str]


BatchOutcome = Done | Retry | Halve | Dead


def never(error: Exception) -> bool:
    """No error is transient beyond those the bus knows itself."""
    return False


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to bear with what fails.

    `is_transient` tells the errors of a store or network out of reach from those of a message. `outage_seconds` are
    the waits during an outage, the last one repeated for ever; `fault_seconds` those before each further try of a
    message that fails alone. `is_conflict` tells errors that come of another writer at the same rows:
    `conflict_seconds` are the waits before each further try, and after the last one it is a fault, for a violation in
    the data looks the same and does not pass.
    """

    is_transient: Callable[[Exception], bool] = field(default=never)
    is_conflict: Callable[[Exception], bool] = field(default=never)
    outage_seconds: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
    conflict_seconds: tuple[float, ...] = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
    fault_seconds: tuple[float, ...] = (0.1, 0.5, 2.0)


def outcome_of(error: Exception | None, sequences: Sequence[int], tries: Tries, patience: RetryPolicy) -> BatchOutcome:
    """What to do with the messages `sequences`, of which the last try ended in `error` (None: it went well)."""
    if error is None:
        return Done()
    if isinstance(error, Unparseable) and error.reasons.keys() & set(sequences):
        return Dead({sequence: error.reasons[sequence] for sequence in sequences if sequence in error.reasons})
    if isinstance(error, BrokerUnavailable | NotReady) or patience.is_transient(error):
        waits = patience.outage_seconds
        return Retry(waits[min(tries.outages, len(waits) - 1)], replace(tries, outages=tries.outages + 1))
    if patience.is_conflict(error) and tries.conflicts < len(patience.conflict_seconds):
        return Retry(patience.conflict_seconds[tries.conflicts], replace(tries, conflicts=tries.conflicts + 1))
    if len(sequences) > 1:
        # patience with a conflict is had once, and not anew for each half
        return Halve(Tries(conflicts=tries.conflicts))
    if tries.faults < len(patience.fault_seconds):
        return Retry(patience.fault_seconds[tries.faults], replace(tries, faults=tries.faults + 1))
    return Dead({sequences[0]: describe(error)})
