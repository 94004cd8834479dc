"""Facts: interactions as they were recognized, each judged by one version of the rulebook, for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.events.identity import InteractionRecognized
from contracts.values import IdentifierKind, Interaction, InteractionKind, SourceKind, Strength
from services.scoring.domain.claims import Claims, claims_of

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

    @property
    def key(self) -> FactKey:
        return self.occurred_at, self.interaction_id


@dataclass(frozen=True, slots=True)
class Recognition:
    """What identity says of an interaction beside whose it is: the company it counts for, and the user id it came with."""

    account_id: str | None = None
    user_id: str | None = None


def recognition_of(event: InteractionRecognized) -> Recognition:
    """The part of the event that the interaction itself does not hold."""
    user_id = next((named.value for named in event.identifiers if named.kind is IdentifierKind.USER_ID), None)
    return Recognition(event.account_id, user_id)


def believed_strength(strength: Strength, interaction: Interaction) -> Strength:
    """How far the traits are believed: a server with a secret key vouches for what it says about a person."""
    if interaction.source_kind is SourceKind.SERVER and strength is Strength.CLAIMED:
        return Strength.VERIFIED
    return strength


def trait_facts(events: Iterable[InteractionRecognized], version: int) -> dict[str, TraitFact]:
    """What the events claim, by interaction; those that claim nothing are left out."""
    facts = {}
    for event in events:
        claims = claims_of(event.interaction)
        if claims or _names_somebody(event.interaction):  # a mere visit claims nothing, and stays cheap
            claims = _with_ids(claims, recognition_of(event))
        if claims:
            facts[event.interaction.interaction_id] = _of(event.interaction, event.fragment_id, event.strength, version, claims)
    return facts


def stored_trait_fact(interaction: Interaction, fragment_id: str, strength: str, version: int, recognition: Recognition) -> TraitFact:
    """The same, read back from the store."""
    claims = claims_of(interaction)
    if claims or _names_somebody(interaction):
        claims = _with_ids(claims, recognition)
    return _of(interaction, fragment_id, Strength(strength), version, claims)


def _names_somebody(interaction: Interaction) -> bool:
    return interaction.account is not None or interaction.kind is InteractionKind.IDENTIFY


def _with_ids(claims: Claims, recognition: Recognition) -> Claims:
    """With account and user id as identity knows them."""
    known = {"account_id": recognition.account_id, "user_id": recognition.user_id}
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
