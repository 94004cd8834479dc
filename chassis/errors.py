"""What can go wrong with a request.

Each leaf carries its status; a service derives its own: `class PersonNotFound(NotFound)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

TYPE_PREFIX = "/problems/"
NOT_READY = "not-ready"  # of probes, which tell it before there is anything that could raise
WRONG_KEY = 'Bearer error="invalid_token"'


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that was refused, why, and what would be accepted. `field` is a dotted path: `body.person.email`."""

    field: str
    reason: str
    remedy: str | None = None


class Problem(Exception):
    """Something the caller is told about, as RFC 9457 has it.

    `slug` is its public name, which no renaming of the class may change: `type` and `title` come from it
    (`person-not-found` -> `/problems/person-not-found`, `Person not found`). Each class has its own.
    """

    slug: ClassVar[str] = "problem"
    status: ClassVar[int] = 500

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "slug" not in vars(cls):
            raise TypeError(f"{cls.__name__} has no slug: give it the public name of the problem, for good")

    def __init__(
        self, detail: str, *, field: str | None = None, remedy: str | None = None, errors: Sequence[FieldError] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.remedy = remedy
        self.errors = (FieldError(field, detail, remedy), *errors) if field is not None else tuple(errors)

    @property
    def title(self) -> str:
        """The public name in words."""
        return self.slug.replace("-", " ").capitalize()

    @property
    def type_uri(self) -> str:
        """What kind of problem this is: stable, and a page of the gateway that tells what it means."""
        return TYPE_PREFIX + self.slug

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer."""
        return {}


class Malformed(Problem):
    """The request cannot be read at all: not JSON, not the charset it says."""

    slug = "malformed"
    status = 400


class Unauthenticated(Problem):
    """Who asks is not known: no token, or one that is worth nothing."""

    slug = "unauthenticated"
    status = 401
    is_wrong_key = False  # one was sent, and is nobody's

    def wrong_key(self) -> Self:
        """The same, of a key that is nobody's. Source: https://www.rfc-editor.org/rfc/rfc6750#section-3.1"""
        self.is_wrong_key = True
        return self

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": WRONG_KEY if self.is_wrong_key else "Bearer"}


class Forbidden(Problem):
    """Who asks is known, and may not."""

    slug = "forbidden"
    status = 403


class NotFound(Problem):
    """There is no such thing."""

    slug = "not-found"
    status = 404


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    slug = "method-not-allowed"
    status = 405


class Conflict(Problem):
    """The request does not fit the state that things are in."""

    slug = "conflict"
    status = 409


class TooLarge(Problem):
    """More bytes than are read."""

    slug = "too-large"
    status = 413


class UnsupportedMediaType(Problem):
    """A body of a kind that is not understood here."""

    slug = "unsupported-media-type"
    status = 415


class BadInput(Problem):
    """The request can be read, but what it says is not acceptable; `errors` name the fields."""

    slug = "bad-input"
    status = 422


class Delayed(Problem):
    """A problem that passes; `retry_after_seconds` says when to come back."""

    slug = "delayed"

    def __init__(self, detail: str, *, retry_after_seconds: int = 1, remedy: str | None = None) -> None:
        super().__init__(detail, remedy=remedy)
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_seconds)}


class TooMany(Delayed):
    """The caller asks too often."""

    slug = "too-many"
    status = 429


class Unavailable(Delayed):
    """Something this service needs is out of reach for now."""

    slug = "unavailable"
    status = 503


class NotReady(Unavailable):
    """This service cannot decide anything now, whoever asks.

    What it hears and its timers wait, and nothing is wrong with them.
    """

    slug = "not-ready"


class TimedOut(Delayed):
    """Something this service asked did not answer in time."""

    slug = "timed-out"
    status = 504


class Unexpected(Problem):
    """A mistake of ours. The caller learns nothing but the trace id."""

    slug = "unexpected"
    status = 500


LEAVES: dict[int, type[Problem]] = {
    leaf.status: leaf
    for leaf in (
        Malformed,
        Unauthenticated,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        Conflict,
        TooLarge,
        UnsupportedMediaType,
        BadInput,
        TooMany,
        Unexpected,
        Unavailable,
        TimedOut,
    )
}
"""The class that stands for a status."""
