"""Who is who, and what scoring said of each person id: placements and cards, as every service keeps them.

**Placements**: each fragment with the person it belongs to, learned from identity's merges and splits and from the
events that name a person. A service that keeps facts per fragment answers for any grouping: after a merge, after a
split, and for ids that were absorbed. A fragment of which nothing is written is a person of its own (`own`): so a
stranger costs no row. Merges and splits are always written, whoever they are about, because from then on that default
would be wrong.

**Cards**: the profile, scores and latest reasons that scoring told, per person id in the order of its stream. A profile
comes whole, so that a card is right whatever was heard before: whoever goes by the id of somebody who was absorbed is
told whole first.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.events.identity import PersonMerged, PersonSplit
from contracts.events.scoring import ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from contracts.ids import with_prefix
from contracts.limits import HIGHLIGHTS
from contracts.values import Receipt, Scores
from people_kernel.profile import PROFILE_VARIABLES, Attributes, profile_facts, text_of
from rulebook.vocabulary import DOUBLE, STRING, FactType


@dataclass(frozen=True, slots=True)
class Placement:
    """Whose a fragment is, by the grouping `graph_version`."""

    person_id: str
    graph_version: int


Placements = Mapping[str, Placement]
"""Fragment -> whose it is."""


def own(fragment_id: str) -> Placement:
    """Whose a fragment is of which nothing was said: a person of its own, in no grouping yet."""
    return Placement(with_prefix("per", fragment_id), 0)


def placement_in(known: Placements, fragment_id: str) -> Placement:
    """Whose a fragment is, by what is known."""
    return known.get(fragment_id) or own(fragment_id)


def is_own(fragment_id: str, placement: Placement) -> bool:
    """Whether a placement says only what would hold without it."""
    return placement.person_id == with_prefix("per", fragment_id)


def placements_at_rest(
    told: Placements, known: Placements, kept: Container[str], regrouped: Container[str] = ()
) -> dict[str, Placement]:
    """Those of `told` that must be written: of people of whom something is `kept`, what a merge or split said
    (`regrouped`), and what is not as it would be by default.
    """
    return {
        fragment_id: placement
        for fragment_id, placement in told.items()
        if fragment_id in regrouped
        or fragment_id in known
        or placement.person_id in kept
        or not is_own(fragment_id, placement)
    }


def placements_of(event: PersonMerged | PersonSplit) -> dict[str, Placement]:
    """Every fragment that a merge or split names, with whose it is from now on."""
    if isinstance(event, PersonMerged):
        return {fragment_id: Placement(event.person_id, event.graph_version) for fragment_id in event.fragment_ids}
    return {
        fragment_id: Placement(part.person_id, part.graph_version)
        for part in event.parts
        for fragment_id in part.fragment_ids
    }


def is_newer(known: Placement | None, graph_version: int) -> bool:
    """Whether a grouping is news of a fragment; an older one than the one known says nothing."""
    return known is None or graph_version > known.graph_version


def newer(known: Placements, told: Placements) -> dict[str, Placement]:
    """Those of `told` that are news."""
    return {
        fragment_id: placement
        for fragment_id, placement in told.items()
        if is_newer(known.get(fragment_id), placement.graph_version)
    }


CARD_VARIABLES: Mapping[str, FactType] = {
    **PROFILE_VARIABLES,
    "person.email": STRING,
    "person.user_id": STRING,
    "scores.fit": DOUBLE,
    "scores.engagement": DOUBLE,
    "scores.cell": STRING,
}
"""What a rule about a card may speak of."""

ScoringSaid = ProfileChanged | ProfileChangedV1 | ScoreChanged | ScoreCorrected


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of one person id."""

    person_id: str
    attributes: Attributes
    scores: Scores | None = None
    highlights: tuple[Receipt, ...] = ()
    is_test: bool = False

    @property
    def account_id(self) -> str | None:
        return text_of(self.attributes, "account_id")


def blank(person_id: str) -> Card:
    """Nothing is known yet."""
    return Card(person_id, {})


def updated(card: Card, event: ScoringSaid) -> Card:
    """The card after one statement of scoring about this person id."""
    if isinstance(event, ProfileChanged):
        return Card(card.person_id, event.attributes, event.scores, _newest(event.highlights), event.is_test)
    if isinstance(event, ProfileChangedV1):
        merged = {**card.attributes, **event.attributes}
        kept = {name: attribute for name, attribute in merged.items() if attribute is not None}
        return replace(card, attributes=kept, is_test=event.is_test)
    if isinstance(event, ScoreCorrected):
        return replace(card, scores=event.scores, is_test=event.is_test)
    highlights = _newest((*event.receipts, *card.highlights))
    return replace(card, scores=event.scores, highlights=highlights, is_test=event.is_test)


def card_facts(card: Card) -> dict[str, Any]:
    """What rules can know of a card; CARD_VARIABLES are the names."""
    scores = card.scores
    return {
        **profile_facts(card.attributes),
        "person.email": text_of(card.attributes, "email"),
        "person.user_id": text_of(card.attributes, "user_id"),
        "scores.fit": None if scores is None else float(scores.fit),
        "scores.engagement": None if scores is None else float(scores.engagement),
        "scores.cell": None if scores is None else scores.cell,
    }


def is_judged_anew(event: ScoringSaid) -> bool:
    """Whether a statement only says better what was said before, so that it sets nothing off."""
    return isinstance(event, ScoreCorrected) or (
        isinstance(event, ProfileChanged | ProfileChangedV1) and event.occurred_at is None
    )


def happened_at(event: ScoringSaid) -> datetime:
    """When what brought the statement about happened; time passing happens when it is said."""
    return event.occurred_at or event.meta.at


def _newest(receipts: Iterable[Receipt]) -> tuple[Receipt, ...]:
    by_id = {receipt.receipt_id: receipt for receipt in receipts}
    return tuple(
        sorted(by_id.values(), key=lambda receipt: (receipt.at, receipt.receipt_id), reverse=True)[:HIGHLIGHTS]
    )
