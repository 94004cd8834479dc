"""What an interaction claims about a person: the facts that identity read in it, and which they are believed by.

Facts are interactions as they were recognized, each judged by one version of the rulebook, for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.events.identity import InteractionRecognized
from contracts.values import IdentifierKind, Interaction, InteractionKind, NamedBy, SourceKind, Strength
from semantics.anew import facts_anew

Claims = Mapping[str, Any]
"""Attribute name -> JSON value."""
TraitFacts = Mapping[str, "TraitFact"]
"""Interaction -> what it claims."""
FactKey = tuple[datetime, str]
"""(occurred_at, interaction_id): the order in which a person's facts are folded."""


@dataclass(frozen=True, slots=True)
class TraitFact:
    """A fact that claims something about the person; the only kind that a profile and fit are folded from."""

    interaction_id: str
    occurred_at: datetime
    fragment_id: str
    source_id: str
    strength: Strength
    version: int  # of the rulebook that judged it
    claims: Claims
    account_named_by: NamedBy | None = None  # None: of before that was kept, or no account is claimed

    @property
    def key(self) -> FactKey:
        return self.occurred_at, self.interaction_id


@dataclass(frozen=True, slots=True)
class RecognizedIds:
    """What identity says of an interaction beside whose it is: the company that it names, and its user id."""

    account_id: str | None = None
    user_id: str | None = None
    account_named_by: NamedBy | None = None


def recognized_ids(event: InteractionRecognized) -> RecognizedIds:
    """The part of the event that the interaction itself does not hold."""
    user_id = next((named.value for named in event.identifiers if named.kind is IdentifierKind.USER_ID), None)
    if event.facts is None:  # of before facts travelled: the person's account of then
        return RecognizedIds(event.account_id, user_id)
    named = event.belonging
    return RecognizedIds(None, user_id) if named is None else RecognizedIds(named.account_id, user_id, named.named_by)


def browser_named(event: InteractionRecognized) -> str | None:
    """The browser it was done in, where it hangs on a stronger name than that."""
    if len(event.identifiers) < 2:
        return None
    rest = event.identifiers[1:]  # the strongest is first
    return next((named.value for named in rest if named.kind is IdentifierKind.ANONYMOUS_ID), None)


def believed_strength(strength: Strength, interaction: Interaction) -> Strength:
    """How far the traits are believed: a server with a secret key vouches for what it says about a person."""
    if interaction.source_kind is SourceKind.SERVER and strength is Strength.CLAIMED:
        return Strength.VERIFIED
    return strength


def trait_facts(events: Iterable[InteractionRecognized], version: int) -> dict[str, TraitFact]:
    """What the events claim, by interaction; those that claim nothing are left out."""
    facts = {}
    for event in events:
        claims = facts_anew(event.interaction) if event.facts is None else event.facts
        # a mere visit claims nothing, and stays cheap
        if claims or event.belonging is not None or _names_somebody(event.interaction):
            ids = recognized_ids(event)
            claims = _with_ids(claims, ids)
            if claims:
                fact = _of(event.interaction, event.fragment_id, event.strength, version, claims)
                facts[event.interaction.interaction_id] = replace(fact, account_named_by=ids.account_named_by)
    return facts


def stored_trait_fact(
    interaction: Interaction, fragment_id: str, strength: str, version: int, claims: Claims
) -> TraitFact:
    """The same, read back from the store with what it claims; how it named an account is the caller's to add."""
    return _of(interaction, fragment_id, Strength(strength), version, claims)


def claims_anew(interaction: Interaction, ids: RecognizedIds) -> Claims:
    """What an interaction claims that was recognized before its facts travelled with it."""
    claims = facts_anew(interaction)
    return _with_ids(claims, ids) if claims or _names_somebody(interaction) else claims


def _names_somebody(interaction: Interaction) -> bool:
    return interaction.account is not None or interaction.kind is InteractionKind.IDENTIFY


def _with_ids(claims: Claims, ids: RecognizedIds) -> Claims:
    """With account and user id as identity knows them."""
    known = {"account_id": ids.account_id, "user_id": ids.user_id}
    return {**claims, **{name: value for name, value in known.items() if value is not None}}


def _of(interaction: Interaction, fragment_id: str, strength: Strength, version: int, claims: Claims) -> TraitFact:
    return TraitFact(
        interaction_id=interaction.interaction_id,
        occurred_at=interaction.occurred_at,
        fragment_id=fragment_id,
        source_id=interaction.source_id,
        strength=believed_strength(strength, interaction),
        version=version,
        claims=claims,
    )
