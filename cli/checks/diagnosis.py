"""What a check found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """How it is. What is bad ends the command with 1; what is not known could not be looked at."""

    FINE = "fine"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at."""

    check: str
    state: CheckState
    says: str
    remedy: str = ""


def fine(check: str, says: str) -> Diagnosis:
    return Diagnosis(check, CheckState.FINE, says)


def warning(check: str, says: str, remedy: str) -> Diagnosis:
    return Diagnosis(check, CheckState.WARNING, says, remedy)


def bad(check: str, says: str, remedy: str) -> Diagnosis:
    return Diagnosis(check, CheckState.BAD, says, remedy)


def unknown(check: str, says: str) -> Diagnosis:
    return Diagnosis(check, CheckState.UNKNOWN, says)
