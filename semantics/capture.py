"""A capture, read once: who it names, what it says of them, what they agreed to, and what brought them."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from contracts.attributes import unreadable
from contracts.campaigns import CampaignTag
from contracts.events.gateway import InteractionReceived
from contracts.values import (
    AccountClaim,
    Identifier,
    IdentifierKind,
    Interaction,
    InteractionKind,
    SourceKind,
    Strength,
)
from semantics.campaign import campaign_of
from semantics.companies import account_of
from semantics.consent import ConsentClaim, statements_of
from semantics.contacts import CONTACTS, stated_region
from semantics.facts import Facts, read_traits
from semantics.identifiers import IdentifierRemark, normalise, respelled, seen
from semantics.kept import line

_USER_ID, _PHONE = IdentifierKind.USER_ID, IdentifierKind.PHONE
_RANK: Final = {kind: rank for rank, kind in enumerate(IdentifierKind)}
_MOST_IDENTIFIERS: Final = 20  # of one capture; nobody has more at once, and each costs a link
_SAYS_WHO: Final = frozenset({InteractionKind.IDENTIFY, InteractionKind.FORM, InteractionKind.ALIAS})
_MAY_SAY_WHO: Final = _SAYS_WHO | {InteractionKind.TRACK}
_CONTACT_OF: Final = {kind: attribute for attribute, kind in CONTACTS.items()}


class CaptureReading(NamedTuple):
    """A capture, read.

    `previous` is what the previous name of an alias call may be: a user id, an address, an anonymous id. `formerly` is
    how user ids of it were spelled before addresses among them lost their capitals.
    """

    capture: InteractionReceived
    identifiers: tuple[Identifier, ...]
    remarks: tuple[IdentifierRemark, ...]
    previous: tuple[Identifier, ...] = ()
    statements: tuple[ConsentClaim, ...] = ()  # about being written to or called
    facts: Facts = MappingProxyType({})  # about the person and their company
    campaign: CampaignTag | None = None
    account: AccountClaim | None = None  # the company it claims, if it is one
    formerly: tuple[Identifier, ...] = ()

    @property
    def names(self) -> tuple[Identifier, ...]:
        """All that whoever it is about may be known by."""
        return (*self.identifiers, *self.previous, *self.formerly)

    @property
    def strength(self) -> Strength:
        return Strength.VERIFIED if self.capture.interaction.source_kind is SourceKind.SERVER else Strength.CLAIMED


def read_captures(captures: Sequence[InteractionReceived], region: str) -> list[CaptureReading]:
    """Each capture, read, in order. `region` is assumed for phone numbers beside which no country stands."""
    return [_read(capture, region or None) for capture in captures]


def _read(capture: InteractionReceived, region: str | None) -> CaptureReading:
    interaction = capture.interaction
    traits = read_traits(interaction, region)
    read = _named(capture, traits.identifiers, region)
    identifiers, remarks = _told_apart(read)
    facts = _with_contacts(traits.facts, capture, identifiers)
    return CaptureReading(
        capture,
        identifiers,
        remarks,
        _previous(capture),
        statements_of(interaction),
        facts,
        campaign_of(interaction),
        _account(interaction, facts),
        _formerly(capture, identifiers),
    )


def _named(
    capture: InteractionReceived, of_traits: Sequence[Identifier | IdentifierRemark], region: str | None
) -> list[Identifier | IdentifierRemark]:
    """What it names beside and in its traits, as it is spelled here. A user id that is an address is both."""
    read: list[Identifier | IdentifierRemark] = []
    for named in capture.identifiers:
        kind = named.kind
        one = respelled(named, region, stated_region(capture.interaction) if kind is _PHONE else None)
        read.append(one)
        if kind is _USER_ID and "@" in named.value and isinstance(one, Identifier):
            address = normalise(IdentifierKind.EMAIL, one.value, None)
            read += [address] if isinstance(address, Identifier) else []
    return [*read, *of_traits] if of_traits else read


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


def _with_contacts(facts: Facts, capture: InteractionReceived, identifiers: Sequence[Identifier]) -> Facts:
    """`facts` with the address and the number that the interaction gave elsewhere than in its traits: whoever is found
    by them can be reached by them. A visit of somebody who signs in by their address says it no second time.
    """
    kind = capture.interaction.kind
    if kind not in _MAY_SAY_WHO or (len(identifiers) == 1 and identifiers[0].kind not in _CONTACT_OF):
        return facts
    typed = {named.kind: named.value for named in reversed(capture.identifiers) if named.kind in _CONTACT_OF}
    if kind not in _SAYS_WHO and not typed:
        return facts
    given: dict[str, str] = {}
    for one in reversed(identifiers):
        attribute = _CONTACT_OF.get(one.kind)
        if attribute is None or facts.get(attribute) or not (kind in _SAYS_WHO or one.kind in typed):
            continue
        is_number = one.kind is IdentifierKind.PHONE
        given[attribute] = line(seen(typed.get(one.kind, one.value))) if is_number else one.value
    if not given:
        return facts
    gone = set(map(unreadable, given))
    return {name: value for name, value in facts.items() if name not in gone} | given


def _account(interaction: Interaction, facts: Facts) -> AccountClaim | None:
    if interaction.account is None and not facts:
        return None
    return account_of(interaction, facts.get("company"), facts.get("company_domain"))


def _previous(capture: InteractionReceived) -> tuple[Identifier, ...]:
    if capture.interaction.kind is not InteractionKind.ALIAS or capture.previous_id is None:
        return ()
    kinds = [IdentifierKind.USER_ID, IdentifierKind.ANONYMOUS_ID]
    kinds[1:1] = [IdentifierKind.EMAIL] if "@" in capture.previous_id else []
    return tuple(one for kind in kinds if isinstance(one := normalise(kind, capture.previous_id, None), Identifier))


def _formerly(capture: InteractionReceived, identifiers: Sequence[Identifier]) -> tuple[Identifier, ...]:
    if not identifiers or identifiers[0].kind is not _USER_ID or "@" not in identifiers[0].value:
        return ()
    before = (Identifier(kind=one.kind, value=one.value.strip()) for one in capture.identifiers if one.kind is _USER_ID)
    return tuple(one for one in before if one not in identifiers)


def _strongest_first(named: Identifier) -> int:
    return _RANK[named.kind]  # sorting is stable: of two e-mails the first one named stays first
