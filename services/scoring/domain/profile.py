"""A profile: for each attribute the claim that is believed most, with where it comes from.

A stronger claim wins over a weaker one whenever it was made ("a claim overwrites nothing verified"); among equals the latest wins, then the
greater id. The winner is a maximum, so the order in which claims arrive does not matter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime

from contracts.events.scoring import Attribute
from contracts.values import Strength
from deciding.profile import Attributes, text_of
from services.scoring.domain.facts import TraitFact

_RANK = {Strength.INFERRED: 0, Strength.CLAIMED: 1, Strength.VERIFIED: 2, Strength.MANUAL: 3}


def precedence(attribute: Attribute) -> tuple[int, datetime, str]:
    """Greater is believed more."""
    return _RANK[attribute.strength], attribute.occurred_at, attribute.interaction_id


def claimed_by(fact: TraitFact) -> dict[str, Attribute]:
    """The attributes as this one fact has them."""
    return {
        name: Attribute(
            value=value, strength=fact.strength, source_id=fact.source_id, interaction_id=fact.interaction_id, occurred_at=fact.occurred_at
        )
        for name, value in fact.claims.items()
    }


def believe(attributes: Attributes, fact: TraitFact) -> tuple[Attributes, dict[str, Attribute | None]]:
    """The profile after `fact`, and what in it changed."""
    won = {}
    for name, claim in claimed_by(fact).items():
        known = attributes.get(name)
        if known is None or precedence(claim) > precedence(known):
            won[name] = claim
    if not won:
        return attributes, {}
    return {**attributes, **won}, dict(won)


def changes(before: Attributes, after: Attributes) -> dict[str, Attribute | None]:
    """What must be told to somebody who knows `before`; None for what is gone."""
    told: dict[str, Attribute | None] = {name: claim for name, claim in after.items() if before.get(name) != claim}
    told.update({name: None for name in before if name not in after})
    return told


def history(facts: Iterable[TraitFact]) -> dict[str, list[Attribute]]:
    """All claims per attribute, the believed one first."""
    claims: dict[str, list[Attribute]] = {}
    for fact in facts:
        for name, claim in claimed_by(fact).items():
            claims.setdefault(name, []).append(claim)
    return {name: sorted(made, key=precedence, reverse=True) for name, made in claims.items()}


def search_text(attributes: Attributes) -> str:
    """What a search looks in: the names in either order and the company, NFKC and case-folded."""
    first, last = text_of(attributes, "first_name"), text_of(attributes, "last_name")
    parts = [text_of(attributes, name) for name in ("name", "company", "email")]
    if first is not None and last is not None:
        parts += [f"{first} {last}", f"{last} {first}", f"{last}{first}"]
    else:
        parts += [first, last]
    return fold_text("\n".join(part for part in parts if part))


def fold_text(text: str) -> str:
    """Text as it is compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
