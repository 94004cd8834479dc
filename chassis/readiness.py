"""Whether a process can do its work: a pure judgement over what its parts say of themselves.

Ready means that work moves: what does not for longer than `stuck_seconds` makes the process unready and is named with
figures, the last error and what to do. What was set aside so that the rest could go on does not: it is told as a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from chassis.logs import masked_text

LONGEST_ERROR: Final = 300
_AGAIN: Final = "It is tried again by itself"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one part (`relay`, `lane CAPTURE/0`, `rulebook`, ...).

    A note is told, and does not make the process unready.
    """

    part: str
    says: str
    remedy: str = ""
    is_note: bool = False

    def __str__(self) -> str:
        return f"{self.part}: {self.says}"


@dataclass(frozen=True, slots=True)
class Work:
    """How a part is getting on.

    `what` is its object in plain words; it is judged by `seconds`, for which it has had work and got nowhere.
    """

    part: str
    what: str
    seconds: float = 0.0
    last_error: str = ""
    is_reading: bool = True  # false: it never began
    remedy: str = "Nothing is lost. It is tried again by itself"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store says; `refused` events and `failing` timers (by kind) were set aside."""

    waiting: int = 0
    oldest_seconds: float = 0.0
    refused: int = 0
    failing: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known at a moment. `kept` is None when the store did not answer, for the reason in `store_error`."""

    kept: Kept | None = None
    store_error: str = ""
    nats_error: str | None = None  # None: connected, and it takes what is said
    is_connected: bool = True  # to NATS
    works: Sequence[Work] = ()
    found: Sequence[Finding] = field(default_factory=tuple)
    is_stopping: bool = False


def judge(facts: Facts, stuck_seconds: float) -> list[Finding]:
    """What is missing, and what is to be noted; ready when nothing is missing."""
    findings = []
    if facts.kept is None:
        findings.append(
            Finding(
                "store",
                _sentence("it does not answer", facts.store_error),
                "Look at the database or the disk. " + _AGAIN,
            )
        )
    if facts.nats_error is not None:
        findings.append(
            Finding(
                "nats", _sentence("it takes nothing", facts.nats_error), "Look at nats-server and its disk. " + _AGAIN
            )
        )
    findings += [
        _stuck(work, facts.kept) for work in facts.works if work.seconds > stuck_seconds or not work.is_reading
    ]
    findings += facts.found
    if facts.kept is not None:
        findings += _set_aside(facts.kept)
    if facts.is_stopping:
        findings.append(Finding("stopping", "the process is about to end"))
    return findings


def _stuck(work: Work, kept: Kept | None) -> Finding:
    if not work.is_reading:
        return Finding(
            work.part, _sentence("it is not read yet", work.last_error), "It begins when the stream is there"
        )
    if work.part == "relay" and kept is not None and kept.waiting:
        many = "1 event waits" if kept.waiting == 1 else f"{kept.waiting} events wait"
        says = (
            f"{many}, the oldest for {kept.oldest_seconds:.0f} s; {work.what} has taken none for {work.seconds:.0f} s"
        )
    else:
        says = f"{work.what} for {work.seconds:.0f} s"
    return Finding(work.part, _sentence(says, work.last_error), work.remedy)


def _set_aside(kept: Kept) -> list[Finding]:
    notes = []
    if kept.refused:
        many = "1 event was" if kept.refused == 1 else f"{kept.refused} events were"
        remedy = "python -m chassis.store.stuck list names them and why; put-back says them again"
        notes.append(Finding("relay", f"{many} refused by the broker and set aside", remedy, is_note=True))
    if kept.failing:
        kinds = ", ".join(f"{count} {kind}" for kind, count in kept.failing)
        remedy = "python -m chassis.store.stuck list names them and why; they are tried again within the hour"
        notes.append(Finding("timers", f"handlers keep failing on {kinds}", remedy, is_note=True))
    return notes


def _sentence(says: str, error: str) -> str:
    """The error is cut short and masked: whoever may ask for readiness may not see what people told us."""
    return f"{says}: {masked_text(error)[:LONGEST_ERROR]}" if error else says
