"""Why a treatment was not chosen, for every treatment there was, however long ago."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from chassis.context import Context
from chassis.errors import NotFound, problem_responses
from chassis.routes import READING
from contracts.values import Receipt
from people_kernel.api.paging import PersonId
from people_kernel.store.receipts import find_receipt
from services.nurture.domain.saying import AGAINST, CATALOGUE
from services.nurture.domain.why_not import in_words, read
from services.nurture.handlers.workshop import Workshop, workshop_of
from services.nurture.store.people import find_fragments
from services.nurture.store.selections import load_catalogue
from services.nurture.store.tables import RECEIPT
from services.nurture.store.treatments import Head

router = APIRouter(tags=["nurture"])


class ReceiptNotFound(NotFound):
    """This person has no such receipt of a choice that says which catalogue was chosen from."""


class PassedOver(BaseModel):
    """A treatment of the catalogue that was chosen from."""

    treatment_id: str = Field(examples=["trt_01J8Z0"])
    revision: int
    name: str | None = Field(examples=["Talk to us"])
    reasons: list[str] | None = Field(description="Why it did not fit; none: it did; null: not kept")


class WhyNotAnswer(BaseModel):
    """What spoke against each treatment of the catalogue."""

    receipt_id: str
    catalogue: str = Field(description="The revision of the catalogue; equal ones are equal", examples=["cat_01J8Z0"])
    items: list[PassedOver]


ReceiptId = Annotated[str, Path(min_length=1, max_length=64, examples=["rcp_01J8Z0"])]


@router.get("/v1/nurture/people/{person_id}/receipts/{receipt_id}/why-not", responses=problem_responses(404))
async def why_not_the_others(reading: Annotated[Context[Workshop], READING], person_id: PersonId, receipt_id: ReceiptId) -> WhyNotAnswer:
    """What spoke against each treatment that there was when a choice was made."""
    receipt = await _receipt(reading, person_id, receipt_id)
    catalogue, against = str(receipt.inputs[CATALOGUE]), read(str(receipt.inputs[AGAINST]))
    heads = [_head(label) for label in await load_catalogue(reading.session, catalogue)]
    treatments = await workshop_of(reading).revisions(reading.session, heads)
    items = []
    for place, head in enumerate(heads):
        body = treatments[head].body if head in treatments else None
        words = list(in_words(against[place], body, receipt.inputs)) if body is not None and place < len(against) else None
        items.append(PassedOver(treatment_id=head.treatment_id, revision=head.revision, name=None if body is None else body.name, reasons=words))
    return WhyNotAnswer(receipt_id=receipt_id, catalogue=catalogue, items=items)


async def _receipt(reading: Context[Workshop], person_id: str, receipt_id: str) -> Receipt:
    receipt = await find_receipt(reading.session, RECEIPT, receipt_id)
    fragments = await find_fragments(reading.session, person_id)
    if receipt is None or receipt.fragment_id not in fragments or CATALOGUE not in receipt.inputs:
        raise ReceiptNotFound(f"{person_id} has no receipt {receipt_id} of a choice from a catalogue")
    return receipt


def _head(label: str) -> Head:
    treatment_id, _, revision = label.rpartition("@")
    return Head(treatment_id, int(revision))
