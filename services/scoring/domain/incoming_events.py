"""What becomes of fragments and people when something is heard of them: an interaction, a merge or split, a mark.

Each recognized interaction becomes a fact, changes what is known, and may move the scores. Interactions are taken one
by one in the order of the stream, so that what is said does not depend on how a batch was cut. A person is judged at
the latest moment anything about them was heard; a fact of earlier date counts from its own date. No history is read.

A merge or split says which fragments make up which person. Facts stay where they are; what their fragments claim and
earned is taken together anew. Whoever results is told whole, so that nobody need remember what was last said under an
id: hearers keep what they were told of a person who was absorbed, and whoever comes back under the id is told whole
before anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from contracts.events.identity import InteractionRecognized, PersonMarked, PersonMerged, PersonSplit
from contracts.ids import with_prefix
from people_kernel.people import Placement, Placements, placements_of
from people_kernel.workspace import Cause, heard
from services.scoring.domain.claims import TraitFact
from services.scoring.domain.company_news import book_on_the_oldest
from services.scoring.domain.profile import Booking, FitChange, differs, learn, with_booked
from services.scoring.domain.receipts import StoredReceipt, engagement_earned
from services.scoring.domain.score_decay import Accumulators, add, next_change, weight, worth
from services.scoring.domain.workspace import Fragment, Person, ScoreSnapshot, ScoringWorkspace, person_made_of

LATE = "an interaction of earlier date arrived late and took points back"


class RegroupReason(NamedTuple):
    """Why people are taken together anew; `step` tells apart what happens on the way to something else."""

    cause: Cause
    reason: str
    step: tuple[str, ...] = ()


def record(workspace: ScoringWorkspace, event: InteractionRecognized, fact: TraitFact | None) -> None:
    """One new interaction, with what it claims. `workspace` must hold what `store.load.for_facts` loads."""
    interaction = event.interaction
    fragment = _placed(workspace, event)
    _ensure_person(workspace, fragment, event)
    at = max(event.meta.at, interaction.occurred_at, workspace.people[fragment.person_id].evaluated_at)
    workspace.fade(fragment.person_id, at)
    earned, capped, counted = engagement_earned(event, fragment.counted, workspace.judges.active)
    workspace.add_receipts((*earned, *capped))
    latest = max(interaction.occurred_at, fragment.latest_at or interaction.occurred_at)
    is_test = fragment.is_test and interaction.is_test
    sums = _grown(fragment.sums, earned)
    workspace.fragments[fragment.fragment_id] = fragment._replace(
        sums=sums, latest_at=latest, is_test=is_test, counted=counted
    )
    person = workspace.people[fragment.person_id]
    # the same to the object: of one fragment alone
    sums = sums if person.sums is fragment.sums else _grown(person.sums, earned)
    latest, is_from_tests = max(latest, person.latest_at or latest), person.is_from_tests and interaction.is_test
    person = person._replace(evaluated_at=at, latest_at=latest, is_from_tests=is_from_tests)
    person, learned = (person, ()) if fact is None else _learn(workspace, person, fact, event)
    workspace.people[person.person_id] = _settle(workspace, person, event, sums, (*earned, *learned))


def regroup(workspace: ScoringWorkspace, event: PersonMerged | PersonSplit) -> None:
    """`workspace` must hold what `store.load.for_regrouping` loads."""
    word = "merged" if isinstance(event, PersonMerged) else "split"
    _apply(workspace, placements_of(event), RegroupReason(heard(event), f"{word}: {event.sentence}"))


def mark(workspace: ScoringWorkspace, event: PersonMarked) -> None:
    """Somebody said that a person is a test, or is none after all. `workspace` as for `regroup`.

    A mark hangs on its fragment and goes where that goes; a fragment that nothing was heard of yet remembers its mark.
    """
    fragment = _placed(workspace, event)
    if fragment.is_marked is event.is_test:
        return
    workspace.fragments[fragment.fragment_id] = fragment._replace(is_marked=event.is_test)
    if fragment.person_id not in workspace.people:
        return
    at = max(event.meta.at, workspace.people[fragment.person_id].evaluated_at)
    workspace.fade(fragment.person_id, at)
    before = workspace.people[fragment.person_id]
    is_marked = any(one.is_marked for one in workspace.fragments_of(fragment.person_id))
    marked = before._replace(is_marked=is_marked, evaluated_at=at)
    workspace.people[fragment.person_id] = _told_of_mark(workspace, before, marked, event)


def _placed(workspace: ScoringWorkspace, event: InteractionRecognized | PersonMarked) -> Fragment:
    """The fragment of `event` with the person it belongs to: the one known now, unless the event knows better."""
    known = workspace.fragments.get(event.fragment_id)
    if known is None or event.graph_version > known.graph_version:
        placements = {event.fragment_id: Placement(event.person_id, event.graph_version)}
        why = RegroupReason(heard(event), "the fragment was recognized as another person's", ("regrouped",))
        _apply(workspace, placements, why)
    return workspace.fragments[event.fragment_id]


def _ensure_person(workspace: ScoringWorkspace, fragment: Fragment, event: InteractionRecognized) -> None:
    """Whoever owns the fragment is in `workspace`: all marked fragments of people who are not there yet must be."""
    person = workspace.people.get(fragment.person_id)
    if person is None:
        workspace.gone.discard(fragment.person_id)
        is_marked = any(one.is_marked for one in workspace.fragments_of(fragment.person_id))
        person = Person(fragment.person_id, fragment.graph_version, event.meta.at, is_marked=is_marked)
        is_first = fragment.graph_version == 1 and fragment.fragment_id == with_prefix("frg", person.person_id)
        if not is_first:  # others may have gone by this id, and hearers know them
            workspace.say_profile(person, None, heard(event), "welcomed")
        workspace.people[fragment.person_id] = person
    elif fragment.graph_version > person.graph_version:
        workspace.people[fragment.person_id] = person._replace(graph_version=fragment.graph_version)


def _grown(sums: Accumulators, earned: Iterable[StoredReceipt]) -> Accumulators:
    for receipt in earned:
        if receipt.half_life is not None:
            sums = add(sums, receipt.half_life, weight(receipt.points_e4, receipt.half_life, receipt.at))
    return sums


def _learn(
    workspace: ScoringWorkspace, person: Person, fact: TraitFact, event: InteractionRecognized
) -> tuple[Person, tuple[StoredReceipt, ...]]:
    """The person with what `fact` claims, and the receipts of fit that are news; what is taken back is corrected."""
    change = learn(person.fit, fact, workspace.judges, workspace.accounts)
    is_late = not person.fit.knowledge.is_behind(fact.key)
    is_correction = is_late and any(one.points_e4 < 0 for one in change.differences)
    at = max(fact.occurred_at, person.latest_at or fact.occurred_at) if is_correction else fact.occurred_at
    receipts = _book(workspace, fact, change, Booking(fact.fragment_id, at, (fact.interaction_id,)))
    told = _told_of_profile(workspace, person, change, event)
    if not is_correction:
        return told, receipts
    now = told.scores_at(told.evaluated_at, workspace.judges.active.grid)
    if now.differs_from(told.said):
        workspace.say_corrected(told, now, LATE, heard(event))
        told = told._replace(said=now)
    return told, ()


def _book(
    workspace: ScoringWorkspace, fact: TraitFact, change: FitChange, booking: Booking
) -> tuple[StoredReceipt, ...]:
    """Writes down what the fact changed, on its fragment."""
    receipts = booking.receipts(change.differences)
    fragment = workspace.fragments[fact.fragment_id]
    knowledge, written = fragment.knowledge.with_fact(fact), with_booked(fragment.written, change.differences)
    workspace.fragments[fact.fragment_id] = fragment._replace(knowledge=knowledge, written=written)
    workspace.add_receipts(receipts)
    return receipts


def _told_of_profile(
    workspace: ScoringWorkspace, person: Person, change: FitChange, event: InteractionRecognized
) -> Person:
    """The person with the fit learned; told whole where a value became another.

    Of a stranger hearers may have no scores yet, or old ones.
    """
    after = person._replace(fit=change.fit)
    if not change.is_news:
        return after
    if person.is_stranger and person.has_points:
        after = after._replace(said=person.scores_at(person.evaluated_at, workspace.judges.active.grid))
    workspace.say_profile(after, after.said, heard(event), occurred_at=event.interaction.occurred_at)
    return after


def _settle(
    workspace: ScoringWorkspace,
    person: Person,
    event: InteractionRecognized,
    sums: Accumulators,
    receipts: Sequence[StoredReceipt],
) -> Person:
    """The person after all receipts of one interaction, which make `sums` of their engagement; said if that is due."""
    if not receipts:
        return person
    grid = workspace.judges.active.grid
    engagement = worth(sums, person.evaluated_at)
    now = ScoreSnapshot(
        person.fit.points_e4, engagement, grid.cell(person.fit.points_e4, engagement), person.evaluated_at
    )
    said = person.said
    if person.is_due(now, said, grid):
        workspace.say_changed(person, now, receipts, heard(event, event.interaction.occurred_at))
        said = now
    fades_at = person.fades_at if sums is person.sums else next_change(sums, grid.engagement, now.at)
    return person._replace(sums=sums, said=said, fades_at=fades_at)


def _told_of_mark(workspace: ScoringWorkspace, before: Person, person: Person, event: PersonMarked) -> Person:
    """Whoever heard a score of this person hears whether it still counts."""
    if person.is_test is before.is_test or person.said is None:
        return person
    now = person.scores_at(person.evaluated_at, workspace.judges.active.grid)
    workspace.say_corrected(
        person, now, "marked as a test" if event.is_test else "no longer marked as a test", heard(event)
    )
    return person._replace(said=now)


def _apply(workspace: ScoringWorkspace, placements: Placements, why: RegroupReason) -> None:
    """Moves the fragments whose placement is news, and takes everybody together anew whose set of fragments changed."""
    affected: set[str] = set()
    moved: dict[str, Fragment] = {}
    for fragment_id, placement in placements.items():
        known, person_id, version = workspace.fragments.get(fragment_id), placement.person_id, placement.graph_version
        if known is None:
            moved[fragment_id] = Fragment(fragment_id, person_id, version)
        elif known.graph_version < version:
            moved[fragment_id] = known._replace(person_id=person_id, graph_version=version)
            affected |= {known.person_id, person_id} if known.person_id != person_id else set()
    at = max([why.cause.at, *(workspace.people[owner].evaluated_at for owner in affected if owner in workspace.people)])
    for owner in sorted(affected):
        workspace.fade(owner, at)
    workspace.fragments.update(moved)
    for owner in sorted(affected):
        _rebuild(workspace, owner, at, why)
    for fragment in moved.values():
        _raise_version(workspace, fragment)


def _rebuild(workspace: ScoringWorkspace, person_id: str, at: datetime, why: RegroupReason) -> None:
    before, own = workspace.people.pop(person_id, None), workspace.fragments_of(person_id)
    heard_of = [fragment for fragment in own if fragment.latest_at is not None]
    if heard_of:
        workspace.gone.discard(person_id)
        person = _judged(workspace, person_made_of(own, heard_of, at), why)
        workspace.people[person_id] = _told_of_regrouping(workspace, person, before, why)
        return
    workspace.gone.add(person_id)
    if own:  # nothing was heard yet of whoever goes by the id; what was said under it was about others
        version, is_marked = (
            max(fragment.graph_version for fragment in own),
            any(fragment.is_marked for fragment in own),
        )
        nobody = Person(person_id, version, at, is_from_tests=False, is_marked=is_marked)
        workspace.say_profile(nobody, None, why.cause, *why.step)
    elif before is not None:
        _leave(workspace, before)


def _leave(workspace: ScoringWorkspace, person: Person) -> None:
    """Nothing is said of an absorbed id. Its fragment is known now, so that who comes by the id is told whole."""
    sibling = with_prefix("frg", person.person_id)
    if sibling not in workspace.fragments:
        workspace.fragments[sibling] = Fragment(sibling, person.person_id, person.graph_version)


def _judged(workspace: ScoringWorkspace, person: Person, why: RegroupReason) -> Person:
    """The person with what holds on their profile; what was not booked yet is booked on the oldest fragment."""
    booking = Booking("", person.latest_at or person.evaluated_at, (why.cause.cause_id, person.person_id, *why.step))
    return book_on_the_oldest(workspace, person, booking)[0]


def _told_of_regrouping(
    workspace: ScoringWorkspace, person: Person, before: Person | None, why: RegroupReason
) -> Person:
    """The person as hearers know them from now on: whole where a value or the id's owner is another, and new scores."""
    grid = workspace.judges.active.grid
    now, said = person.scores_at(person.evaluated_at, grid), None if before is None else before.said
    scores = now if person.has_points or said is not None else None
    after = said
    if before is None or differs(before.fit.shown, person.fit.shown):
        workspace.say_profile(person, scores, why.cause, *why.step)
        after = scores
    is_other = said is not None and before is not None and person.is_test is not before.is_test
    if scores is not None and (is_other or person.is_due(now, said, grid)):
        workspace.say_corrected(person._replace(said=said), now, why.reason, why.cause, *why.step)
        after = now
    return person._replace(said=after, fades_at=next_change(person.sums, grid.engagement, now.at))


def _raise_version(workspace: ScoringWorkspace, fragment: Fragment) -> None:
    person = workspace.people.get(fragment.person_id)
    if person is not None and fragment.graph_version > person.graph_version:
        workspace.people[fragment.person_id] = person._replace(graph_version=fragment.graph_version)
