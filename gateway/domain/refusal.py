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
    FORBIDDEN = "forbidden"  # the secret that the form asks for is missing or another


class CaptureRefused(Exception):
    """What came cannot be taken."""

    def __init__(
        self, field: str, reason: str, fault: RefusalKind = RefusalKind.WRONG, *, remedy: str | None = None
    ) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
        self.fault = fault
        self.remedy = remedy

    @property
    def told(self) -> str:
        """The reason, and what would help, in one line."""
        return self.reason if self.remedy is None else f"{self.reason}; {self.remedy}"


class RejectKind(StrEnum):
    """What became of it."""

    REFUSED = "refused"  # not taken
    UNRECOGNIZED = "unrecognized"  # taken, and nobody was found in it


@dataclass(frozen=True, slots=True)
class Reject:
    """One event of a batch that was not taken, or a form in which nobody was found; `index` counts from 0, `excerpt` is
    the start of what was sent, `post` all of it where it may be read again.
    """

    index: int
    field: str
    reason: str
    excerpt: str = ""
    kind: RejectKind = RejectKind.REFUSED
    form_id: str | None = None
    post: str | None = None
