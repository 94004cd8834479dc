"""What is heard, event by event in the order of its stream, so that what is said does not depend on how a batch was cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from contracts.events.identity import PersonCreated, PersonMerged, PersonSplit
from contracts.events.routing import ReferralAccepted, ReferralExpired, ReferralReturned
from contracts.events.scoring import ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from people_kernel.cards import ScoringSaid, blank, happened_at, is_judged_anew, updated
from people_kernel.placements import Placement, Placements, placement_in, placements_of
from services.lifecycle.domain.book import Book, Standing, told
from services.lifecycle.domain.moving import E4, decide
from services.lifecycle.domain.regrouping import place
from services.lifecycle.domain.vocabulary import (
    CREATED,
    REFERRAL_ACCEPTED,
    REFERRAL_EXHAUSTED,
    REFERRAL_RETURNED,
    SCORED,
    Trigger,
)

ReferralAnswered = ReferralAccepted | ReferralReturned | ReferralExpired
PersonRegrouped = PersonMerged | PersonSplit
Heard = PersonCreated | PersonRegrouped | ScoringSaid | ReferralAnswered
HEARD: tuple[type[Heard], ...] = (
    PersonCreated,
    PersonMerged,
    PersonSplit,
    ProfileChanged,
    ProfileChangedV1,
    ScoreChanged,
    ScoreCorrected,
    ReferralAccepted,
    ReferralReturned,
    ReferralExpired,
)
"""Every kind of event that lifecycle hears."""

_IN_PASSING = "Another service knew first whose this was"


def hear(book: Book, event: Heard) -> None:
    """`book` must hold what `told_by` names."""
    if isinstance(event, PersonMerged | PersonSplit):
        placements = told_by(event)
        book.regrouped |= placements.keys()
        place(book, placements, told(event, event.meta.at), event.sentence)
        return
    place(book, told_by(event), told(event, event.meta.at), _IN_PASSING)
    if isinstance(event, PersonCreated):
        _created(book, event)
    elif isinstance(event, ProfileChanged | ProfileChangedV1 | ScoreChanged | ScoreCorrected):
        _scored(book, event)
    else:
        _answered(book, event)


def told_by(event: Heard) -> Placements:
    """Whose which fragment is, as the event has it."""
    if isinstance(event, PersonMerged | PersonSplit):
        return placements_of(event)
    return {event.fragment_id: Placement(event.person_id, event.graph_version)}


def people_of(event: Heard) -> Iterator[str]:
    """Everybody whom the event names."""
    yield event.person_id
    if isinstance(event, PersonMerged):
        yield from event.absorbed_person_ids
    elif isinstance(event, PersonSplit):
        yield from (part.person_id for part in event.parts)


def people_at_risk(events: Iterable[Heard], known: Placements) -> set[str]:
    """Everybody who may win or lose a fragment: their moves must be at hand. May name too many."""
    tellings: dict[str, dict[str, int]] = {}
    for event in events:
        for fragment_id, placement in told_by(event).items():
            owners = tellings.setdefault(fragment_id, {})
            owners[placement.person_id] = max(placement.graph_version, owners.get(placement.person_id, placement.graph_version))
    at_risk: set[str] = set()
    for fragment_id, owners in tellings.items():
        at_risk |= _rivals(placement_in(known, fragment_id), owners)
    return at_risk


def _rivals(known: Placement, owners: Mapping[str, int]) -> set[str]:
    """Those between whom a fragment may go over."""
    rivals = {known.person_id} | {person_id for person_id, version in owners.items() if version > known.graph_version}
    return rivals if len(rivals) > 1 else set()


def _created(book: Book, event: PersonCreated) -> None:
    """Somebody can be told from others. They are where everybody begins already, since they were first seen."""
    person_id, cause = event.person_id, told(event, event.occurred_at or event.meta.at)
    if not book.is_present(person_id) or person_id != book.owner_of(event.fragment_id):
        return  # a merge was heard first
    if event.is_test and person_id not in book.cards:
        book.cards[person_id] = replace(blank(person_id), is_test=True)
    if person_id not in book.standings:
        book.standings[person_id] = Standing(person_id, seen_at=cause.occurred_at, is_test=book.card(person_id).is_test)
    decide(book, person_id, cause, Trigger(CREATED))


def _scored(book: Book, event: ScoringSaid) -> None:
    """Cards are kept per person id, whoever that is now; the rules are asked where something happened to somebody who is there."""
    person_id = event.person_id
    book.cards[person_id] = updated(book.card(person_id), event)
    if person_id != book.owner_of(event.fragment_id):
        _forget_strangers(book, person_id)
        return  # absorbed meanwhile; scoring will tell what that makes of the survivor
    _mark(book, person_id)
    if isinstance(event, ScoreChanged):
        _count(book, event)
    if not is_judged_anew(event):
        decide(book, person_id, told(event, happened_at(event)), Trigger(SCORED))
    _forget_strangers(book, person_id)


def _forget_strangers(book: Book, person_id: str) -> None:
    """Nothing is kept of somebody of whom nothing is known and who is where everybody begins."""
    if not book.keeps(person_id):
        del book.cards[person_id]


def _mark(book: Book, person_id: str) -> None:
    standing, is_test = book.standings.get(person_id), book.card(person_id).is_test
    if standing is not None and standing.is_test is not is_test:
        book.standings[person_id] = replace(standing, is_test=is_test)


def _count(book: Book, event: ScoreChanged) -> None:
    """Engagement earned since the stage was entered. What happened before and is only heard of now was no answer to anything."""
    standing = book.standings.get(event.person_id)
    if standing is None or standing.since is None:
        return  # where everybody begins, all engagement was earned since
    given = [one.contribution for one in event.receipts if one.at > standing.since]
    earned = sum(int(one.points * E4) for one in given if one is not None and one.measure == "engagement")
    if earned:
        points = standing.points_since() + earned
        book.standings[event.person_id] = replace(standing, points_e4=points, points_of=standing.move_id)


def _answered(book: Book, event: ReferralAnswered) -> None:
    """A rep's answer is about whoever owns the fragment now: a promise is not lost in a merge."""
    person_id = book.owner_of(event.fragment_id)
    cause = told(event, event.occurred_at, event.by)
    if isinstance(event, ReferralAccepted):
        decide(book, person_id, cause, Trigger(REFERRAL_ACCEPTED, noted={"rep_id": event.rep_id}))
    elif isinstance(event, ReferralReturned):
        noted = {"rep_id": event.rep_id} | ({} if event.note is None else {"note": event.note})
        decide(book, person_id, cause, Trigger(REFERRAL_RETURNED, {"referral.reason": event.reason}, event.reason, noted=noted))
    elif event.is_exhausted:
        decide(book, person_id, cause, Trigger(REFERRAL_EXHAUSTED))
