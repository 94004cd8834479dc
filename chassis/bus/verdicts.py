"""What becomes of a batch that was tried: one pure function, one sum type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from chassis.bus.errors import BrokerUnavailable, Unparseable


@dataclass(frozen=True, slots=True)
class Done:
    """It was applied: acknowledge it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the same messages again in place after a while; the order is kept. `is_fault` tells whether the try counts against them."""

    after_seconds: float
    is_fault: bool


@dataclass(frozen=True, slots=True)
class Halve:
    """One of them is bad: try the first half, then the second."""


@dataclass(frozen=True, slots=True)
class Dead:
    """These failed for good: `reasons` by stream sequence. The others are tried again."""

    reasons: Mapping[int, str]


Verdict = Done | Retry | Halve | Dead


def never(error: Exception) -> bool:
    """No error is transient beyond those the bus knows itself."""
    return False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with what fails.

    `is_transient` tells the errors of a store or network out of reach from those of a message. `outage_seconds` are the waits during an outage,
    the last one repeated for ever; `fault_seconds` those before each further try of a message that fails alone.
    """

    is_transient: Callable[[Exception], bool] = field(default=never)
    outage_seconds: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
    fault_seconds: tuple[float, ...] = (0.1, 0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Tries:
    """How often the same messages were tried before this time, by what stopped them."""

    outages: int = 0
    faults: int = 0


def judge(error: Exception | None, sequences: Sequence[int], tries: Tries, patience: Patience) -> Verdict:
    """What to do with the messages `sequences`, of which the last try ended in `error` (None: it went well)."""
    if error is None:
        return Done()
    if isinstance(error, Unparseable) and error.reasons.keys() & set(sequences):
        return Dead({sequence: error.reasons[sequence] for sequence in sequences if sequence in error.reasons})
    if isinstance(error, BrokerUnavailable) or patience.is_transient(error):
        waits = patience.outage_seconds
        return Retry(waits[min(tries.outages, len(waits) - 1)], is_fault=False)
    if len(sequences) > 1:
        return Halve()
    if tries.faults < len(patience.fault_seconds):
        return Retry(patience.fault_seconds[tries.faults], is_fault=True)
    return Dead({sequences[0]: describe(error)})


def describe(error: Exception) -> str:
    """The error in one line: its class, and what it says."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
