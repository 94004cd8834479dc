"""Following people: what scoring and lifecycle say of them, folded per person id in the order of each stream, and the occasions to suggest something.

Between the streams there is no order. What a stage was decided on travels with it, so that a stage heard before the scores behind it is
judged by these; and scores heard after a stage that already rests on them set nothing off again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.envelope import Event
from contracts.events.lifecycle import StageCorrected, StageEntered
from contracts.events.scoring import ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from contracts.ids import with_prefix
from contracts.values import Receipt
from people_kernel.cards import Card, ScoringSaid, blank, happened_at, is_judged_anew, updated
from people_kernel.placements import Placement, newer, placements_at_rest
from rulebook.receipts import Decision
from services.nurture.domain.rules import NAME, NurtureJudge
from services.nurture.domain.saying import Occasion
from services.nurture.domain.stages import ANONYMOUS, Buying

STAGE_KIND = "buying.stage"
_PROCESS = "default"

PersonSaid = ProfileChanged | ProfileChangedV1 | ScoreChanged | ScoreCorrected | StageEntered | StageCorrected


@dataclass(frozen=True, slots=True)
class Person:
    """What nurture knows of a person id beside the card. `told_at` is when the latest stage was decided."""

    person_id: str
    stage: str = ANONYMOUS
    stage_at: datetime | None = None
    told_at: datetime | None = None
    buying: Buying | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An occasion to suggest something, with the person and the card as they were then."""

    cause: Event
    occasion: Occasion
    person: Person
    card: Card


@dataclass
class Book:
    """The people that a batch of events is about, and what came of the events."""

    judge: NurtureJudge
    placements: dict[str, Placement] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    changed_cards: set[str] = field(default_factory=set)
    changed_people: set[str] = field(default_factory=set)
    placed: dict[str, Placement] = field(default_factory=dict)
    known_placements: Mapping[str, Placement] = field(default_factory=dict)  # as they were loaded
    receipts: list[Receipt] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)

    @property
    def changed_placements(self) -> dict[str, Placement]:
        return placements_at_rest(self.placed, self.known_placements, self.people)

    def place(self, told: Mapping[str, Placement]) -> None:
        """Takes in whose fragments are; an older grouping than the one known says nothing."""
        news = newer(self.placements, told)
        self.placements.update(news)
        self.placed.update(news)


def follow(book: Book, event: PersonSaid) -> None:
    """Takes one statement in."""
    book.place({event.fragment_id: Placement(event.person_id, event.graph_version)})
    person = book.people.get(event.person_id) or Person(event.person_id)
    if isinstance(event, StageEntered | StageCorrected):
        if event.process == _PROCESS:
            _follow_stage(book, event, person)
        return
    card = updated(book.cards.get(event.person_id) or blank(event.person_id), event)
    if event.person_id not in book.people and not card.attributes and book.judge.judge(card, ANONYMOUS).is_default:
        return  # nothing is written of somebody of whom all is as it is by default; scoring tells all when something becomes known
    book.cards[event.person_id] = card
    book.changed_cards.add(event.person_id)
    moved = _settle(book, event, replace(person, is_test=event.is_test), card)
    if moved and _is_news(event, person):
        _suggest(book, event, card, "buying_stage", happened_at(event))


def _follow_stage(book: Book, event: StageEntered | StageCorrected, person: Person) -> None:
    card = _card_behind(event, book.cards.get(event.person_id) or blank(event.person_id))
    moved = replace(person, stage=event.stage, stage_at=event.occurred_at, told_at=event.meta.at, is_test=event.is_test)
    _settle(book, event, moved, card)
    if isinstance(event, StageEntered):
        _suggest(book, event, card, "stage", event.occurred_at)


def _settle(book: Book, event: PersonSaid, person: Person, card: Card) -> bool:
    """Judges where the person stands now. True if the buying stage became another."""
    judgement = book.judge.judge(card, person.stage)
    before = None if person.buying is None else person.buying.stage
    book.people[person.person_id] = replace(person, buying=judgement.buying)
    book.changed_people.add(person.person_id)
    if before is judgement.buying.stage:
        return False
    fragment_id = with_prefix("frg", person.person_id)
    decision = Decision(NAME, STAGE_KIND, person.person_id, fragment_id, event.meta.event_id, event.meta.at)
    book.receipts.append(book.judge.receipt(judgement, decision))
    return True


def _suggest(book: Book, event: PersonSaid, card: Card, trigger: str, occurred_at: datetime) -> None:
    person, placement = book.people[event.person_id], book.placements[event.fragment_id]
    is_absorbed = placement.person_id != event.person_id
    if is_absorbed or person.stage not in book.judge.suggested_stages:
        return
    occasion = Occasion(
        trigger=trigger,
        cause=event.meta.event_id,
        person_id=event.person_id,
        graph_version=placement.graph_version,
        at=event.meta.at,
        occurred_at=occurred_at,
        channel=None,
        is_test=person.is_test,
        context={},
    )
    book.suggestions.append(Suggestion(event, occasion, person, card))


def _is_news(event: ScoringSaid, person: Person) -> bool:
    """Whether a statement may set something off: it was not judged anew, and the latest stage does not rest on it already."""
    return not is_judged_anew(event) and (person.told_at is None or event.meta.at > person.told_at)


def _card_behind(event: StageEntered | StageCorrected, known: Card) -> Card:
    """What the stage was decided on, unless as much or more was heard already."""
    if isinstance(event, StageCorrected) or (event.scores is None and (known.attributes or known.scores)):
        return known
    if known.scores is not None and event.scores is not None and known.scores.at >= event.scores.at:
        return known
    return Card(event.person_id, event.attributes, event.scores, event.highlights, event.is_test)
