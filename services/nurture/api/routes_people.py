"""Where people stand, what was chosen for them, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from chassis.context import Context
from chassis.errors import NotFound
from chassis.store.statements import Row
from chassis.web.problems import problem_responses
from chassis.web.routes import READING
from contracts.values import Receipt
from people_kernel.api.pages import LookupRequest, PersonId
from people_kernel.api.receipts import PersonNotFound
from people_kernel.consent import answers
from people_kernel.people import blank
from people_kernel.store.people import find_receipt, load_cards, load_fragments_of, survivors
from services.nurture.api.views import ConsentView, LookupAnswer, PersonBrief, PersonView, SelectionView
from services.nurture.domain.outgoing_events import AGAINST, CATALOGUE
from services.nurture.domain.rules import Buying, NurtureJudge
from services.nurture.domain.selection import decode_against, reasons_in_words, refusal
from services.nurture.domain.treatments import Treatment, TreatmentRevision
from services.nurture.domain.workspace import ConsentByChannel, NurturedPerson
from services.nurture.rulebooks import judge_of
from services.nurture.store import load, queries
from services.nurture.store.load import CompiledCatalogue
from services.nurture.store.tables import CARD, FRAGMENT, RECEIPT

router = APIRouter(tags=["nurture"])
ReceiptId = Annotated[
    str, Path(min_length=1, max_length=64, description="A receipt of a choice of treatment", examples=["rcp_01J8Z0"])
]
_MOST_SELECTIONS = 20


class ReceiptNotFound(NotFound):
    """This person has no such receipt of a choice that says which catalogue was chosen from."""

    slug = "receipt-not-found"


class PassedOver(BaseModel):
    """A treatment of the catalogue that was chosen from."""

    treatment_id: str = Field(description="The treatment's id", examples=["trt_01J8Z0"])
    revision: int = Field(description="Which revision of it was weighed", examples=[3])
    name: str | None = Field(description="What you call it; null: not known", examples=["Talk to us"])
    reasons: list[str] | None = Field(
        description="Why it did not fit; none: it did; null: not kept",
        examples=[["is for decision, not for awareness"]],
    )


class WhyNotAnswer(BaseModel):
    """What spoke against each treatment of the catalogue."""

    receipt_id: str = Field(description="The receipt of the choice", examples=["rcp_01J8Z0"])
    catalogue: str = Field(description="The revision of the catalogue; equal ones are equal", examples=["cat_01J8Z0"])
    items: list[PassedOver] = Field(description="Each treatment of it, with what spoke against it")


@router.post("/v1/nurture/people:lookup")
async def look_people_up(reading: Annotated[Context[CompiledCatalogue], READING], body: LookupRequest) -> LookupAnswer:
    """Up to 200 people by id, in one go. Ids that a merge absorbed answer
    with the survivor; unknown ids are left out.
    """
    current = await survivors(reading.session, FRAGMENT, body.person_ids)
    briefs = await _briefs(reading, sorted(set(current.values())))
    return LookupAnswer(items=[brief for brief, _, _ in briefs], current=dict(sorted(current.items())))


@router.get("/v1/nurture/people/{person_id}", responses=problem_responses(404))
async def read_nurture(reading: Annotated[Context[CompiledCatalogue], READING], person_id: PersonId) -> PersonView:
    """One person: both stages and why, what they agreed to, and what was chosen for them lately."""
    owner = (await survivors(reading.session, FRAGMENT, [person_id])).get(person_id)
    if owner is None:
        raise PersonNotFound(f"Nothing was ever heard of {person_id}")
    ((brief, person, consent),) = await _briefs(reading, [owner])
    assert person.buying is not None
    owned = await load_fragments_of(reading.session, FRAGMENT, [owner])
    rows = await queries.selections_of(reading.session, owned[owner], _MOST_SELECTIONS)
    treatments = await _treatments_of(reading, rows)
    return PersonView(
        **dict(brief),
        stage_since=person.stage_at,
        buying_reason=person.buying.sentence,
        buying_rule=f"{person.buying.rulebook} {person.buying.rule}",
        is_test=person.is_test,
        consent=[
            ConsentView(
                channel=channel,
                consent=one.consent,
                occurred_at=one.deciding.occurred_at,
                source_id=one.deciding.source_id,
                interaction_id=one.deciding.interaction_id,
                wording=one.deciding.wording,
                strength=one.deciding.strength,
            )
            for channel, one in sorted(consent.items())
        ],
        selections=[_selection_view(row, treatments, consent) for row in rows],
    )


@router.get("/v1/nurture/people/{person_id}/receipts/{receipt_id}/why-not", responses=problem_responses(404))
async def explain_why_not(
    reading: Annotated[Context[CompiledCatalogue], READING], person_id: PersonId, receipt_id: ReceiptId
) -> WhyNotAnswer:
    """What spoke against each treatment that there was when a choice was made."""
    receipt = await _receipt(reading, person_id, receipt_id)
    catalogue, against = str(receipt.inputs[CATALOGUE]), decode_against(str(receipt.inputs[AGAINST]))
    heads = [_head(label) for label in await queries.catalogue_labels(reading.session, catalogue)]
    treatments = await reading.service.revisions(reading.session, heads)
    items = []
    for place, head in enumerate(heads):
        body = treatments[head].body if head in treatments else None
        words = (
            list(reasons_in_words(against[place], body, receipt.inputs))
            if body is not None and place < len(against)
            else None
        )
        items.append(
            PassedOver(
                treatment_id=head.treatment_id,
                revision=head.revision,
                name=None if body is None else body.name,
                reasons=words,
            )
        )
    return WhyNotAnswer(receipt_id=receipt_id, catalogue=catalogue, items=items)


async def _briefs(
    reading: Context[CompiledCatalogue], owners: Sequence[str]
) -> list[tuple[PersonBrief, NurturedPerson, ConsentByChannel]]:
    people = await _people(reading, owners)
    owned = await load_fragments_of(reading.session, FRAGMENT, owners)
    fragment_ids = [fragment_id for fragments in owned.values() for fragment_id in fragments]
    tests = [fragment_id for owner, fragments in owned.items() if people[owner].is_test for fragment_id in fragments]
    statements = await load.consents(reading.session, fragment_ids)
    rows = await queries.latest_selections(reading.session, fragment_ids, tests)
    treatments = await _treatments_of(reading, rows)
    briefs: list[tuple[PersonBrief, NurturedPerson, ConsentByChannel]] = []
    for owner in owners:
        fragments = set(owned[owner])
        consent = answers(one for one in statements if one.fragment_id in fragments)
        mine = sorted((row for row in rows if row.fragment_id in fragments), key=_newest, reverse=True)
        views = [_selection_view(row, treatments, consent) for row in mine if row.treatment_id is not None]
        person = people[owner]
        assert person.buying is not None
        brief = PersonBrief(
            person_id=owner,
            stage=person.stage,
            buying_stage=person.buying.stage,
            treatment=next(iter(views), None),
            suggestion=next((view for view in views if view.trigger != load.ASKED), None),
        )
        briefs.append((brief, person, consent))
    return briefs


def _newest(row: Row) -> tuple[datetime, str]:
    return row.at, row.selection_id


async def _people(reading: Context[CompiledCatalogue], owners: Sequence[str]) -> dict[str, NurturedPerson]:
    """Everybody with a buying stage by the rulebook that decides now."""
    judge = await judge_of(reading)
    known = await load.people(reading.session, owners)
    stale = [owner for owner in owners if owner not in known or not _is_current(known[owner].buying, judge)]
    cards = await load_cards(reading.session, CARD, stale) if stale else {}
    for owner in stale:
        person = known.get(owner) or NurturedPerson(owner)
        judgement = judge.judge(cards.get(owner) or blank(owner), person.stage)
        known[owner] = NurturedPerson(
            owner, person.stage, person.stage_at, person.told_at, judgement.buying, person.is_test
        )
    return known


def _is_current(buying: Buying | None, judge: NurtureJudge) -> bool:
    return buying is not None and buying.rulebook == judge.label


async def _treatments_of(
    reading: Context[CompiledCatalogue], rows: Sequence[Row]
) -> dict[TreatmentRevision, Treatment]:
    wanted = {TreatmentRevision(row.treatment_id, row.revision) for row in rows if row.treatment_id is not None}
    return await reading.service.revisions(reading.session, sorted(wanted))


def _selection_view(
    row: Row, treatments: Mapping[TreatmentRevision, Treatment], consent: ConsentByChannel
) -> SelectionView:
    treatment = treatments.get(TreatmentRevision(row.treatment_id, row.revision))
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


async def _receipt(reading: Context[CompiledCatalogue], person_id: str, receipt_id: str) -> Receipt:
    receipt = await find_receipt(reading.session, RECEIPT, receipt_id)
    fragments = await load.fragments_of(reading.session, person_id)
    if receipt is None or receipt.fragment_id not in fragments or CATALOGUE not in receipt.inputs:
        raise ReceiptNotFound(f"{person_id} has no receipt {receipt_id} of a choice from a catalogue")
    return receipt


def _head(label: str) -> TreatmentRevision:
    treatment_id, _, revision = label.rpartition("@")
    return TreatmentRevision(treatment_id, int(revision))
