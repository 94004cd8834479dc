"""Following what identity, scoring and lifecycle say: load, decide, save, say."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.context import Context
from contracts.envelope import following
from contracts.events.identity import ConsentChanged, PersonCreated, PersonMerged, PersonSplit
from contracts.events.lifecycle import StageCorrected, StageEntered
from contracts.events.nurture import TreatmentSelected
from contracts.events.scoring import ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from people_kernel.cards import card_facts
from people_kernel.placements import Placement, newer, placements_of
from people_kernel.store.locks import lock
from people_kernel.store.placements import load_fragments_of, load_placements, save_placements
from services.nurture.domain.consent import latest, standing, statement_of
from services.nurture.domain.following import Book, PersonSaid, Suggestion, follow
from services.nurture.domain.saying import Selection, select, told
from services.nurture.domain.seeing import shown_to
from services.nurture.domain.selection import Subject, choose
from services.nurture.handlers.rulebooks import judge_of
from services.nurture.handlers.workshop import Workshop, workshop_of
from services.nurture.store import people, selections
from services.nurture.store.tables import FRAGMENT

_UNASKED = ("any", "suggestion")


async def on_people_created(events: Sequence[PersonCreated], context: Context[Workshop]) -> None:
    await _learn(context, [{event.fragment_id: Placement(event.person_id, event.graph_version)} for event in events])
    await people.add_people(context.session, events)


async def on_people_regrouped(events: Sequence[PersonMerged | PersonSplit], context: Context[Workshop]) -> None:
    await _learn(context, [placements_of(event) for event in events])


async def on_consents_changed(events: Sequence[ConsentChanged], context: Context[Workshop]) -> None:
    await _learn(context, [{event.fragment_id: Placement(event.person_id, event.graph_version)} for event in events])
    known = await people.load_statements(context.session, {event.fragment_id for event in events})
    await people.save_statements(context.session, latest(known, map(statement_of, events)).values())


async def on_scores_said(events: Sequence[ProfileChanged | ProfileChangedV1 | ScoreChanged | ScoreCorrected], context: Context[Workshop]) -> None:
    await _follow(events, context)


async def on_stages_said(events: Sequence[StageEntered | StageCorrected], context: Context[Workshop]) -> None:
    await _follow(events, context)


async def _learn(context: Context[Workshop], told_in_order: Sequence[dict[str, Placement]]) -> None:
    """Takes in whose fragments are, told one after the other."""
    fragment_ids = {fragment_id for placements in told_in_order for fragment_id in placements}
    await lock(context.session, fragment_ids)
    known = await load_placements(context.session, FRAGMENT, fragment_ids)
    learned: dict[str, Placement] = {}
    for placements in told_in_order:
        learned |= newer(known | learned, placements)
    await save_placements(context.session, FRAGMENT, learned)


async def _follow(events: Sequence[PersonSaid], context: Context[Workshop]) -> None:
    book = await people.open_book(context.session, await judge_of(context), events)
    for event in events:
        follow(book, event)
    await people.close_book(context.session, book)
    if book.suggestions:
        await _suggest(book, context)


async def _suggest(book: Book, context: Context[Workshop]) -> None:
    """A treatment for everybody who came to a new place; neither consent nor what was shown changes on the way."""
    owners = {one.person.person_id for one in book.suggestions}
    owned = await load_fragments_of(context.session, FRAGMENT, owners)
    fragment_ids = {fragment_id for fragments in owned.values() for fragment_id in fragments}
    statements = await people.load_statements(context.session, fragment_ids)
    shown = await selections.load_shown(context.session, fragment_ids)
    treatments = await workshop_of(context).catalogue(context.session)
    made: list[tuple[Suggestion, Selection]] = []
    for one in book.suggestions:
        fragments = set(owned[one.person.person_id])
        assert one.person.buying is not None
        subject = Subject(
            person_id=one.person.person_id,
            stage=one.person.stage,
            buying_stage=one.person.buying.stage,
            facts=card_facts(one.card),
            consent=standing(statement for statement in statements if statement.fragment_id in fragments),
            shown=shown_to(shown, fragments, with_tests=one.person.is_test),
        )
        choice = choose(treatments, subject, None, one.occasion.at)
        made.append((one, select(one.occasion, subject, one.person.buying, choice, _UNASKED)))
    await selections.save_selections(context.session, [selection for _, selection in made])
    for one, selection in made:
        meta = following(one.cause, TreatmentSelected.wire_name, selection.selection_id, rulebook=selection.receipt.rulebook)
        said = told(selection, meta)
        if said is not None:
            context.say(said)
