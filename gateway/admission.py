"""May this come in, now? Every door that takes captures asks here, once a request, before it reads further.

A public key is limited by its own number, by its visitor's address and by the names it sends; a secret one by its own
number alone, since a server speaks for many people from one address. What comes from an address of our own (a proxy
that nobody told us of, a test, a machine next door) is no stranger's, and counts for its source alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from chassis.errors import Forbidden, TooMany
from contracts.rates import (
    ADDRESS_EVENTS,
    ADDRESSES,
    PEOPLE_COUNTED,
    PERSON_EVENTS,
    SERVER_EVENTS,
    WEB_EVENTS,
)
from contracts.values import SourceKind
from gateway.domain.addresses import PRIVATE, Network, counted_as
from gateway.domain.capture import CaptureSource
from gateway.domain.origins import is_allowed
from gateway.rates import NameRate, Rate, RateLeft
from gateway.shares import Shares

_MOST_SOURCES = 4_096
_REMEMBERED = 4_096
_NAME_CHARACTERS = 512


class NotThisPage(Forbidden):
    """The key is tied to origins, and the request comes from none of them."""

    slug = "origin-not-allowed"


class TooManyEvents(TooMany):
    """More events than a limit allows; `standing` says which limit."""

    slug = "too-many-events"

    def __init__(self, detail: str, standing: RateLeft, remedy: str) -> None:
        super().__init__(detail, retry_after_seconds=max(1, standing.seconds), remedy=remedy)
        self.standing = standing

    @property
    def headers(self) -> dict[str, str]:
        stated = {name.decode(): value.decode() for name, value in self.standing.headers()}
        return super().headers | stated | EXPOSED


class TooManyOfSource(TooManyEvents):
    """The source has sent more events than it may within a minute."""

    slug = "too-many-events-of-source"


class TooManyOfAddress(TooManyEvents):
    """More events than one address may send within a minute."""

    slug = "too-many-events-of-address"


class TooManyOfPerson(TooManyEvents):
    """More events than may name one device, address or user within a minute."""

    slug = "too-many-events-of-person"


class ShareTaken(TooMany):
    """Captures wait to be stored, and this source has its share of the room already."""

    slug = "share-taken"


EXPOSED: Final = {"Access-Control-Expose-Headers": "retry-after, ratelimit, ratelimit-policy"}


class Arriving(NamedTuple):
    """What asks to come in. `sent`: the events as they came, in which is looked who is named; only where it counts."""

    source: CaptureSource
    address: str | None  # the visitor's
    origin: str  # of the page (`origin_told`); empty: it is not told
    events: int = 1
    sent: Sequence[Any] = ()
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Numbers:
    """Events a minute; 0: not counted."""

    web: int = WEB_EVENTS
    server: int = SERVER_EVENTS
    address: int = ADDRESS_EVENTS
    person: int = PERSON_EVENTS
    uncounted: Sequence[Network] = PRIVATE  # addresses of ours


class Admission:
    """Held for the life of the process, which counts for itself: with n replicas each number is n times as much."""

    def __init__(self, numbers: Numbers | None = None) -> None:
        self._numbers = numbers or Numbers()
        self._of_source = Rate("source", _MOST_SOURCES)
        self._of_address = Rate("address", ADDRESSES)
        self._of_person = NameRate("person", PEOPLE_COUNTED, self._numbers.person)
        self._counted_as = lru_cache(maxsize=_REMEMBERED)(self._name_of)
        self.shares = Shares()

    def admit(self, arriving: Arriving) -> RateLeft | None:
        """Count it, and say how the source stands (None: it is not limited). Raises NotThisPage, TooManyEvents."""
        source = arriving.source
        is_public = source.kind is SourceKind.WEB
        if is_public:
            if source.origins:
                _check_origin(arriving)
            self._count_stranger(arriving)
        a_minute = source.events_a_minute
        if a_minute is None:
            a_minute = self._numbers.web if is_public else self._numbers.server
        if not a_minute:
            return None
        # a lead is not refused for what pages of the same key send
        key = f"{source.source_id}:forms" if arriving.is_form else source.source_id
        standing = self._of_source.take(key, a_minute, arriving.events)
        if standing.is_refused:
            raise TooManyOfSource(
                f"This source has sent more than {a_minute} events within a minute",
                standing,
                f"{_again(standing)} More can be allowed: PATCH /v1/sources/{{source_id}} with `events_a_minute`",
            )
        return standing

    def _count_stranger(self, arriving: Arriving) -> None:
        """By address first: a flood from one place costs neither the person it names nor its source anything."""
        numbers, address = self._numbers, self._counted_as(arriving.address)
        if address is None:
            return
        if numbers.address:
            standing = self._of_address.take(address, numbers.address, arriving.events)
            if standing.is_refused:
                raise TooManyOfAddress(
                    f"More than {numbers.address} events came from this address within a minute",
                    standing,
                    f"{_again(standing)} A server that sends for many people uses the key of a source of kind `server`",
                )
        if arriving.sent:
            self._count_names(arriving.source, names_of(arriving.sent))

    def admit_names(self, arriving: Arriving, names: Iterable[str]) -> None:
        """Count who is named in one event, where that is known only after reading. Raises TooManyOfPerson."""
        if arriving.source.kind is SourceKind.WEB and self._counted_as(arriving.address) is not None:
            self._count_names(arriving.source, dict.fromkeys(names, 1))

    def _count_names(self, source: CaptureSource, names: Mapping[str, int]) -> None:
        if not self._numbers.person:
            return
        refused = self._of_person.take(source.source_id, names.items())
        if refused is not None:
            raise TooManyOfPerson(
                f"More than {self._numbers.person} events within a minute name the same device, address or user",
                refused,
                f"{_again(refused)} Give each visitor an anonymousId of their own",
            )

    @contextmanager
    def room(self, source: CaptureSource, weight: int) -> Iterator[None]:
        """Its share of the room that captures wait in, for the length of the block. Raises ShareTaken."""
        self.enter(source, weight)
        try:
            yield
        finally:
            self.shares.leave(source.source_id, weight)

    def enter(self, source: CaptureSource, weight: int) -> None:
        """The same where the end comes by a call-back: `shares.leave`."""
        if not self.shares.enter(source.source_id, weight):
            raise ShareTaken(
                "Captures wait to be stored, and this source has its share of the room; others have theirs",
                remedy="Send again in a second, with the same messageId, over fewer connections at once",
            )

    def _name_of(self, address: str | None) -> str | None:
        return counted_as(address, self._numbers.uncounted)


def names_of(events: Iterable[Any]) -> dict[str, int]:
    """Who is named in events as they were sent, with how many events each. It is not judged whether they are good."""
    found: Counter[str] = Counter()
    for event in events:
        if isinstance(event, dict):
            for name in _names_in(event):
                found[name[:_NAME_CHARACTERS]] += 1
    return found


def _names_in(event: Mapping[str, Any]) -> Iterator[str]:
    for name in (event.get("anonymousId") or event.get("anonymous_id"), event.get("userId") or event.get("user_id")):
        if isinstance(name, str):
            yield name
        elif isinstance(name, int):
            yield str(name)
    traits = event.get("traits")
    if not isinstance(traits, dict):
        context = event.get("context")
        traits = context.get("traits") if isinstance(context, dict) else None
    if isinstance(traits, dict) and isinstance(email := traits.get("email"), str):
        yield email.strip().lower()


def _check_origin(arriving: Arriving) -> None:
    allowed = arriving.source.origins
    if is_allowed(allowed, arriving.origin) or (arriving.is_form and not arriving.origin):
        return
    if arriving.origin:
        said = f"This key may not be used from {arriving.origin[:300]}"
        remedy = "Add the page's origin to the source (`origins`), or use the key of the source that is for this page"
    else:
        said = "This key is for pages, and the request names none: it has neither Origin nor Referer"
        remedy = "Servers use the key of a source of kind `server`"
    raise NotThisPage(said, field="header.origin", remedy=remedy)


def _again(standing: RateLeft) -> str:
    return f"Send it again after {max(1, standing.seconds)} s, with the same messageId."
