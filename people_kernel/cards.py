"""A person's card: the profile, scores and latest reasons that scoring told, per person id in the order of its stream.

A profile comes whole, so that a card is right whatever was heard before: whoever goes by the id of
somebody who was absorbed is told whole first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.events.scoring import ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from contracts.limits import HIGHLIGHTS
from contracts.values import Receipt, Scores
from people_kernel.profile import PROFILE_VARIABLES, Attributes, profile_facts, text_of
from rulebook.vocabulary import DOUBLE, STRING, FactType

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
