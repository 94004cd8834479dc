"""A capture, read once: who it names, what it says of them, what they agreed to, and what brought them."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from contracts.campaigns import CampaignTag
from contracts.events.gateway import InteractionReceived
from contracts.values import Identifier, IdentifierKind, InteractionKind, SourceKind, Strength
from semantics.campaign import campaign_of
from semantics.consent import ConsentClaim, statements_of
from semantics.facts import Facts, facts_of
from semantics.identifiers import IdentifierRemark, normalise, respelled

_RANK: Final = {kind: rank for rank, kind in enumerate(IdentifierKind)}
_MOST_IDENTIFIERS: Final = 20  # of one capture; nobody has more at once, and each costs a link
_TRAITS_THAT_IDENTIFY: Final = (("email", IdentifierKind.EMAIL), ("phone", IdentifierKind.PHONE))


class CaptureReading(NamedTuple):
    """A capture, read.

    `previous` are the two things the previous name of an alias call may be: a user id, or an anonymous one.
    """

    capture: InteractionReceived
    identifiers: tuple[Identifier, ...]
    remarks: tuple[IdentifierRemark, ...]
    previous: tuple[Identifier, ...] = ()
    statements: tuple[ConsentClaim, ...] = ()  # about being written to or called
    facts: Facts = MappingProxyType({})  # about the person and their company
    campaign: CampaignTag | None = None

    @property
    def strength(self) -> Strength:
        return Strength.VERIFIED if self.capture.interaction.source_kind is SourceKind.SERVER else Strength.CLAIMED


def read_captures(captures: Sequence[InteractionReceived], region: str) -> list[CaptureReading]:
    """Each capture, read, in order. `region` reads phone numbers that lack a country code."""
    return [_read(capture, region) for capture in captures]


def _read(capture: InteractionReceived, region: str) -> CaptureReading:
    identifiers, remarks = _told_apart(_named(capture, region))
    interaction = capture.interaction
    return CaptureReading(
        capture,
        identifiers,
        remarks,
        _previous(capture, region),
        statements_of(interaction),
        facts_of(interaction),
        campaign_of(interaction),
    )


def _named(capture: InteractionReceived, region: str) -> list[Identifier | IdentifierRemark]:
    """What it names beside and in its traits, as it is spelled here."""
    read = [respelled(named, region) for named in capture.identifiers]
    if traits := capture.interaction.traits:
        given = {(named.kind, named.value) for named in capture.identifiers}
        texts = [(kind, _text(traits.get(trait))) for trait, kind in _TRAITS_THAT_IDENTIFY]
        read += [normalise(kind, text, region) for kind, text in texts if text and (kind, text) not in given]
    return read


def _told_apart(
    read: Sequence[Identifier | IdentifierRemark],
) -> tuple[tuple[Identifier, ...], tuple[IdentifierRemark, ...]]:
    """Identifiers, strongest first, and remarks; each once."""
    if len(read) == 1:  # as of most pages
        (one,) = read
        return ((one,), ()) if isinstance(one, Identifier) else ((), (one,))
    identifiers = sorted(dict.fromkeys(one for one in read if isinstance(one, Identifier)), key=_strongest_first)
    remarks = list(dict.fromkeys(one for one in read if isinstance(one, IdentifierRemark)))
    remarks += [IdentifierRemark(one.kind, "too_many") for one in identifiers[_MOST_IDENTIFIERS:]][:1]
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
