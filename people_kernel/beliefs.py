"""Which of several claims about an attribute is believed, and what of it shows.

A stronger claim wins over a weaker one whenever it was made ("a claim overwrites nothing verified"). Among equals the
one that was said more directly wins (its `weight`), then the latest, then the greater id. The winner is a maximum, so
that profiles of any parts, taken together in any order, come to the profile of all facts.

Some attributes mean the same: a whole name and its parts, a company and its address. What shows of such a family is
what is believed as much as the strongest of it; the weaker stay, and show again when the stronger are taken back. A
value of null takes an attribute back: it wins and loses like any other, and where it has won, nothing shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import reduce
from typing import Final

from contracts.attributes import KNOWN_ATTRIBUTES
from contracts.events.scoring import Attribute
from contracts.limits import OTHER_ATTRIBUTES
from contracts.values import NamedBy, Strength
from people_kernel.profile import RANK, Attributes

Precedence = tuple[int, int, float, str]
"""Greater is believed more."""

_BY_ADDRESS: Final = -1  # the domain of an address tells least of where somebody works, and the first address counts
_WEIGHTS: Final = {
    NamedBy.EMAIL: _BY_ADDRESS,
    NamedBy.NAME: 1,
    NamedBy.DOMAIN: 2,
    NamedBy.GROUP_ID: 3,
    NamedBy.GROUP_CALL: 4,
}
FAMILIES: Final = (
    frozenset({"name", "first_name", "last_name"}),
    frozenset({"company", "company_domain", "website", "account_id"}),
)
"""Attributes that mean the same: the person's name, and where they work."""
_RELATED: Final = frozenset().union(*FAMILIES)


def weight_of(named_by: NamedBy | None) -> int:
    """How directly an account was named; 0 for what was said before that travelled."""
    return 0 if named_by is None else _WEIGHTS[named_by]


def rank_of(strength: Strength, weight: int, at: datetime, interaction_id: str) -> Precedence:
    """By what a claim is compared with others about the same attribute."""
    moment = at.timestamp()
    return RANK[strength], weight, moment if weight >= 0 else -moment, interaction_id


def precedence(attribute: Attribute) -> Precedence:
    """Greater is believed more."""
    return rank_of(attribute.strength, attribute.weight, attribute.occurred_at, attribute.interaction_id)


def join(one: Attributes, other: Attributes, precede: Callable[[Attribute], Precedence] = precedence) -> Attributes:
    """Both together, without a bound. Commutative, associative and idempotent; `one` itself if `other` adds nothing."""
    won = {name: claim for name, claim in other.items() if name not in one or precede(claim) > precede(one[name])}
    return {**one, **won} if won else one


def bounded(attributes: Attributes) -> Attributes:
    """`attributes` as far as there is room: of names that nobody knows the most believed stay, among equals the first
    in the alphabet.
    """
    if len(attributes) <= OTHER_ATTRIBUTES:
        return attributes
    others = sorted(attributes.keys() - KNOWN_ATTRIBUTES)
    others.sort(key=lambda name: precedence(attributes[name]), reverse=True)
    gone = frozenset(others[OTHER_ATTRIBUTES:])
    return {name: claim for name, claim in attributes.items() if name not in gone} if gone else attributes


def joined(profiles: Iterable[Attributes]) -> Attributes:
    """Any number of profiles together."""
    nothing: Attributes = {}
    return reduce(lambda one, other: bounded(join(one, other)), profiles, nothing)


def believed(attributes: Attributes) -> Attributes:
    """What shows of `attributes`; the same mapping if all of it does."""
    hidden = {name for name, claim in attributes.items() if claim.value is None}
    if not _RELATED.isdisjoint(attributes):
        for family in FAMILIES:
            hidden |= _weaker(attributes, family - hidden)
    return {name: claim for name, claim in attributes.items() if name not in hidden} if hidden else attributes


def weakened(attributes: Attributes, most: Strength) -> Attributes:
    """`attributes`, each believed no more than `most`."""
    return {
        name: claim if RANK[claim.strength] <= RANK[most] else claim.model_copy(update={"strength": most})
        for name, claim in attributes.items()
    }


def _weaker(attributes: Attributes, family: frozenset[str]) -> set[str]:
    """The members that are believed less than the strongest one. Which account it is, is identity's word and shows; one
    that an address stands for says nothing of the company's name, and hides nothing.
    """
    ranks = {name: RANK[attributes[name].strength] for name in family if name in attributes}
    strongest = max((rank for name, rank in ranks.items() if attributes[name].weight != _BY_ADDRESS), default=0)
    return {name for name, rank in ranks.items() if rank < strongest and name != "account_id"}
