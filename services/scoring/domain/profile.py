"""A profile: for each attribute the claim that is believed most, with where it comes from.

A stronger claim wins over a weaker one whenever it was made ("a claim overwrites nothing verified"); among equals the latest wins, then the
greater id. The winner is a maximum, and a profile has room for the known names and for the OTHER_ATTRIBUTES others that are believed most: both are
joins of a semilattice, so profiles of any parts, taken together in any order, come to the profile of all facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any

from pydantic_core import to_json

from contracts.events.scoring import Attribute
from contracts.limits import CLAIMS_SHOWN, OTHER_ATTRIBUTES
from contracts.values import Strength
from people_kernel.profile import Attributes, text_of
from services.scoring.domain.claims import KNOWN_ATTRIBUTES, has_room
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


def join(one: Attributes, other: Attributes) -> Attributes:
    """Both profiles together. Commutative, associative and idempotent; `one` itself if `other` adds nothing."""
    won = {name: claim for name, claim in other.items() if name not in one or precedence(claim) > precedence(one[name])}
    return bounded({**one, **won}) if won else one


def joined(profiles: Iterable[Attributes]) -> Attributes:
    """Any number of profiles together."""
    nothing: Attributes = {}
    return reduce(join, profiles, nothing)


def bounded(attributes: Attributes) -> Attributes:
    """`attributes` as far as there is room: of names that nobody knows the most believed stay, among equals the first in the alphabet."""
    if len(attributes) <= OTHER_ATTRIBUTES:
        return attributes
    others = sorted(attributes.keys() - KNOWN_ATTRIBUTES)
    others.sort(key=lambda name: precedence(attributes[name]), reverse=True)
    gone = frozenset(others[OTHER_ATTRIBUTES:])
    return {name: claim for name, claim in attributes.items() if name not in gone} if gone else attributes


def fitting(attributes: Attributes) -> Attributes:
    """`attributes` without those for which a profile has no room, because of their size or their number."""
    return bounded({name: claim for name, claim in attributes.items() if has_room(claim.value)})


def differs(before: Attributes, after: Attributes) -> bool:
    """Whether a value is another, is new or is gone. Where an equal value comes from does not matter: no rule can ask for it."""
    if before is after:
        return False
    return before.keys() != after.keys() or any(not _same(claim.value, before[name].value) for name, claim in after.items())


def teaches(attributes: Attributes, fact: TraitFact) -> bool:
    """Whether a value becomes another by `fact`; one that does not now, does not after others either."""
    return differs(attributes, join(attributes, claimed_by(fact)))


def _same(one: Any, other: Any) -> bool:
    if one is other or (type(one) is type(other) and isinstance(one, str | bool | int | float)):
        return bool(one == other)
    return bool(to_json(one) == to_json(other))  # true and 1 are equal in Python, and not in JSON


@dataclass(slots=True)
class History:
    """The claims per attribute; at most CLAIMS_SHOWN of each, those that are believed most."""

    _claims: dict[str, list[Attribute]] = field(default_factory=dict)

    def add(self, facts: Iterable[TraitFact]) -> None:
        for fact in facts:
            for name, claim in claimed_by(fact).items():
                made = self._claims.setdefault(name, [])
                made.append(claim)
                if len(made) >= 2 * CLAIMS_SHOWN:
                    self._claims[name] = _first(made)

    def by_attribute(self) -> dict[str, list[Attribute]]:
        """In the order of the alphabet; of each attribute the believed claim first."""
        return {name: _first(made) for name, made in sorted(self._claims.items())}


def _first(made: list[Attribute]) -> list[Attribute]:
    return sorted(made, key=precedence, reverse=True)[:CLAIMS_SHOWN]


def search_text(attributes: Attributes) -> str:
    """What a search looks in: the names in either order, the company and the address; empty for somebody of whom nothing is known."""
    first, last = text_of(attributes, "first_name"), text_of(attributes, "last_name")
    parts = [text_of(attributes, name) for name in ("name", "company", "email")]
    if first is not None and last is not None:
        parts += [f"{first} {last}", f"{last} {first}", f"{last}{first}"]
    else:
        parts += [first, last]
    return "\n".join(part for part in parts if part)
