"""What a capture says about who it was, read once: normalised identifiers, strongest first, and what was not usable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from contracts.events.gateway import InteractionReceived
from contracts.values import Identifier, IdentifierKind, InteractionKind, SourceKind, Strength
from services.identity.domain.consent import Statement, statements_of
from services.identity.domain.normalise import Remark, normalise, respelled

Key = tuple[str, str]
"""(kind, value) of an identifier."""

_RANK: Final = {kind: rank for rank, kind in enumerate(IdentifierKind)}
_MOST_IDENTIFIERS: Final = 20  # of one capture; nobody has more at once, and each costs a link
_TRAITS_THAT_IDENTIFY: Final = (("email", IdentifierKind.EMAIL), ("phone", IdentifierKind.PHONE))


class Claim(NamedTuple):
    """A capture, read. `previous` are the two things the previous name of an alias call may be: a user id, or an anonymous one."""

    capture: InteractionReceived
    identifiers: tuple[Identifier, ...]
    remarks: tuple[Remark, ...]
    previous: tuple[Identifier, ...] = ()
    statements: tuple[Statement, ...] = ()  # about being written to or called

    @property
    def strength(self) -> Strength:
        return Strength.VERIFIED if self.capture.interaction.source_kind is SourceKind.SERVER else Strength.CLAIMED


def read_claims(captures: Sequence[InteractionReceived], region: str) -> list[Claim]:
    """Each capture's claim, in order. `region` reads phone numbers that lack a country code."""
    return [_read(capture, region) for capture in captures]


def keys_of(claims: Iterable[Claim]) -> set[Key]:
    """Every identifier that must be looked up to judge `claims`."""
    return {(named.kind.value, named.value) for claim in claims for named in (*claim.identifiers, *claim.previous)}


def _read(capture: InteractionReceived, region: str) -> Claim:
    identifiers, remarks = _told_apart(_named(capture, region))
    return Claim(capture, identifiers, remarks, _previous(capture, region), statements_of(capture.interaction))


def _named(capture: InteractionReceived, region: str) -> list[Identifier | Remark]:
    """What it names beside and in its traits, as it is spelled here."""
    read = [respelled(named, region) for named in capture.identifiers]
    if traits := capture.interaction.traits:
        given = {(named.kind, named.value) for named in capture.identifiers}
        texts = [(kind, _text(traits.get(trait))) for trait, kind in _TRAITS_THAT_IDENTIFY]
        read += [normalise(kind, text, region) for kind, text in texts if text and (kind, text) not in given]
    return read


def _told_apart(read: Sequence[Identifier | Remark]) -> tuple[tuple[Identifier, ...], tuple[Remark, ...]]:
    """Identifiers, strongest first, and remarks; each once."""
    if len(read) == 1:  # as of most pages
        (one,) = read
        return ((one,), ()) if isinstance(one, Identifier) else ((), (one,))
    identifiers = sorted(dict.fromkeys(one for one in read if isinstance(one, Identifier)), key=_strongest_first)
    remarks = list(dict.fromkeys(one for one in read if isinstance(one, Remark)))
    remarks += [Remark(one.kind, "too_many") for one in identifiers[_MOST_IDENTIFIERS:]][:1]
    return tuple(identifiers[:_MOST_IDENTIFIERS]), tuple(remarks)


def _previous(capture: InteractionReceived, region: str) -> tuple[Identifier, ...]:
    if capture.interaction.kind is not InteractionKind.ALIAS or capture.previous_id is None:
        return ()
    kinds = (IdentifierKind.USER_ID, IdentifierKind.ANONYMOUS_ID)
    return tuple(one for kind in kinds if isinstance(one := normalise(kind, capture.previous_id, region), Identifier))


def _strongest_first(named: Identifier) -> int:
    return _RANK[named.kind]  # sorting is stable: of two e-mails the first one named stays first


def _text(value: Any) -> str | None:
    """A trait as text: phone numbers arrive as JSON numbers too."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        return str(value)
    return value if isinstance(value, str) and value.strip() else None
