"""Where people stand, and what was chosen for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter

from chassis.context import Context
from chassis.errors import problem_responses
from chassis.routes import READING
from chassis.store.statements import Row
from people_kernel.api.paging import LookupRequest, PersonId
from people_kernel.api.receipts import PersonNotFound
from people_kernel.cards import blank
from people_kernel.store.cards import load_cards
from people_kernel.store.placements import load_fragments_of, survivors
from services.nurture.api.views import ConsentView, LookupAnswer, PersonBrief, PersonView, SelectionView
from services.nurture.domain.consent import Standing, refusal, standing
from services.nurture.domain.following import Person
from services.nurture.domain.rules import NurtureJudge
from services.nurture.domain.stages import Buying
from services.nurture.domain.treatments import Treatment
from services.nurture.handlers.rulebooks import judge_of
from services.nurture.handlers.workshop import Workshop, workshop_of
from services.nurture.store import people as store
from services.nurture.store import selections
from services.nurture.store.tables import CARD, FRAGMENT
from services.nurture.store.treatments import Head

router = APIRouter(tags=["nurture"])
_MOST_SELECTIONS = 20


@router.post("/v1/nurture/people:lookup")
async def look_people_up(reading: Annotated[Context[Workshop], READING], body: LookupRequest) -> LookupAnswer:
    """Up to 200 people by id, in one go. Ids that a merge absorbed answer with the survivor; unknown ids are left out."""
    current = await survivors(reading.session, FRAGMENT, body.person_ids)
    briefs = await _briefs(reading, sorted(set(current.values())))
    return LookupAnswer(items=[brief for brief, _, _ in briefs], current=dict(sorted(current.items())))


@router.get("/v1/nurture/people/{person_id}", responses=problem_responses(404))
async def nurtured_person(reading: Annotated[Context[Workshop], READING], person_id: PersonId) -> PersonView:
    """One person: both stages and why, what they agreed to, and what was chosen for them lately."""
    owner = (await survivors(reading.session, FRAGMENT, [person_id])).get(person_id)
    if owner is None:
        raise PersonNotFound(f"Nothing was ever heard of {person_id}")
    ((brief, person, consent),) = await _briefs(reading, [owner])
    assert person.buying is not None
    owned = await load_fragments_of(reading.session, FRAGMENT, [owner])
    rows = await selections.load_history(reading.session, owned[owner], _MOST_SELECTIONS)
    treatments = await _treatments_of(reading, rows)
    return PersonView(
        **dict(brief),
        stage_since=person.stage_at,
        buying_reason=person.buying.sentence,
        buying_rule=f"{person.buying.rulebook} {person.buying.rule}",
        is_test=person.is_test,
        consent=[
            ConsentView(
                channel=one.channel,
                consent=one.consent,
                occurred_at=one.occurred_at,
                source_id=one.source_id,
                interaction_id=one.interaction_id,
                wording=one.wording,
            )
            for _, one in sorted(consent.items())
        ],
        selections=[_selection_view(row, treatments, consent) for row in rows],
    )


async def _briefs(reading: Context[Workshop], owners: Sequence[str]) -> list[tuple[PersonBrief, Person, Standing]]:
    people = await _people(reading, owners)
    owned = await load_fragments_of(reading.session, FRAGMENT, owners)
    fragment_ids = [fragment_id for fragments in owned.values() for fragment_id in fragments]
    tests = [fragment_id for owner, fragments in owned.items() if people[owner].is_test for fragment_id in fragments]
    statements = await store.load_statements(reading.session, fragment_ids)
    rows = await selections.load_latest(reading.session, fragment_ids, tests)
    treatments = await _treatments_of(reading, rows)
    briefs: list[tuple[PersonBrief, Person, Standing]] = []
    for owner in owners:
        fragments = set(owned[owner])
        consent = standing(one for one in statements if one.fragment_id in fragments)
        mine = sorted((row for row in rows if row.fragment_id in fragments), key=lambda row: (row.at, row.selection_id), reverse=True)
        views = [_selection_view(row, treatments, consent) for row in mine if row.treatment_id is not None]
        person = people[owner]
        assert person.buying is not None
        brief = PersonBrief(
            person_id=owner,
            stage=person.stage,
            buying_stage=person.buying.stage,
            treatment=next(iter(views), None),
            suggestion=next((view for view in views if view.trigger != selections.ASKED), None),
        )
        briefs.append((brief, person, consent))
    return briefs


async def _people(reading: Context[Workshop], owners: Sequence[str]) -> dict[str, Person]:
    """Everybody with a buying stage by the rulebook that decides now."""
    judge = await judge_of(reading)
    known = await store.load_people(reading.session, owners)
    stale = [owner for owner in owners if owner not in known or not _is_current(known[owner].buying, judge)]
    cards = await load_cards(reading.session, CARD, stale) if stale else {}
    for owner in stale:
        person = known.get(owner) or Person(owner)
        judgement = judge.judge(cards.get(owner) or blank(owner), person.stage)
        known[owner] = Person(owner, person.stage, person.stage_at, person.told_at, judgement.buying, person.is_test)
    return known


def _is_current(buying: Buying | None, judge: NurtureJudge) -> bool:
    return buying is not None and buying.rulebook == judge.label


async def _treatments_of(reading: Context[Workshop], rows: Sequence[Row]) -> dict[Head, Treatment]:
    wanted = {Head(row.treatment_id, row.revision) for row in rows if row.treatment_id is not None}
    return await workshop_of(reading).revisions(reading.session, sorted(wanted))


def _selection_view(row: Row, treatments: Mapping[Head, Treatment], consent: Standing) -> SelectionView:
    treatment = treatments.get(Head(row.treatment_id, row.revision))
    body = None if treatment is None else treatment.body
    return SelectionView(
        selection_id=row.selection_id,
        at=row.at,
        occurred_at=row.occurred_at,
        trigger=row.trigger,
        treatment_id=row.treatment_id,
        revision=row.revision,
        name=None if body is None else body.name,
        headline=None if body is None else body.content.headline,
        channel=None if body is None else body.channel,
        stage=row.stage,
        buying_stage=row.buying_stage,
        is_permitted=body is not None and refusal(body, consent) is None,
        is_test=row.is_test,
        sentence=row.sentence,
    )
