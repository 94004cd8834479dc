"""Why something from outside is not taken: always a field, always a reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RefusalKind(StrEnum):
    """What kind of wrong it is; the door turns it into a status."""

    MALFORMED = "malformed"  # cannot be read at all
    WRONG = "wrong"  # can be read, and says something that cannot be
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"  # an encoding we do not speak


class CaptureRefused(Exception):
    """What came cannot be taken."""

    def __init__(self, field: str, reason: str, fault: RefusalKind = RefusalKind.WRONG) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Reject:
    """One event of a batch that was not taken; `index` counts from 0, `excerpt` is the start of what was sent."""

    index: int
    field: str
    reason: str
    excerpt: str = ""
