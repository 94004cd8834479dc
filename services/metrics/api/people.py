"""What metrics knows of people, for the view of a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from contracts.values import Money
from people_kernel.api.paging import Current, LookupRequest
from people_kernel.store.placements import survivors
from services.metrics.api.fields import Read
from services.metrics.domain.asking import Attribution, Reporting
from services.metrics.domain.moments import day_of, moment_of
from services.metrics.domain.money import Purse, from_e4, money_text
from services.metrics.store.campaigns import load_rates
from services.metrics.store.reading import load_credits, load_wins
from services.metrics.store.tables import FRAGMENT

router = APIRouter(tags=["metrics"])


class TouchView(BaseModel):
    """A campaign that somebody came by."""

    campaign_id: str = Field(examples=["cmp_01J8Z0"])
    name: str
    occurred_at: AwareDatetime


class MeasuredPerson(BaseModel):
    """Which campaigns are credited with a person, and what they were worth."""

    person_id: str = Field(examples=["per_01J8Z0"])
    first_touch: TouchView | None
    last_touch: TouchView | None = Field(description="The last one before their first opportunity; of all, where there is none")
    revenue: Money | None = Field(
        description="Opportunities won, in the reporting currency; null when there is none with an amount that can be converted"
    )


class MeasuredLookupAnswer(BaseModel):
    """The people found; unknown ids are left out."""

    items: list[MeasuredPerson]
    current: Current


@router.post("/v1/metrics/people:lookup")
async def look_up_measured_people(reading: Read, body: LookupRequest) -> MeasuredLookupAnswer:
    """Up to 200 people by id, in one go. Ids that a merge absorbed answer with the survivor; unknown ids are left out."""
    current = await survivors(reading.session, FRAGMENT, set(body.person_ids))
    people = sorted(set(current.values()))
    first = await load_credits(reading.session, people, Attribution.FIRST_TOUCH)
    last = await load_credits(reading.session, people, Attribution.LAST_TOUCH)
    reporting: Reporting = reading.service
    rates = await load_rates(reading.session, reporting.currency)
    purses: dict[str, Purse] = {}
    converted: set[str] = set()
    for win in await load_wins(reading.session, people):
        purse, day = purses.setdefault(win.person_id, Purse()), day_of(win.occurred_us, reporting.zone)
        if rates.converted(from_e4(win.amount_e4), win.currency, day) is not None:
            converted.add(win.person_id)
        purse.put(rates, from_e4(win.amount_e4), win.currency, day)
    items = [
        MeasuredPerson(
            person_id=person_id,
            first_touch=_touch(first.get(person_id)),
            last_touch=_touch(last.get(person_id)),
            revenue=_money(purses[person_id], reporting.currency) if person_id in converted else None,
        )
        for person_id in people
    ]
    return MeasuredLookupAnswer(items=items, current=dict(sorted(current.items())))


def _touch(row: Any) -> TouchView | None:
    return None if row is None else TouchView(campaign_id=row.campaign_id, name=row.name, occurred_at=moment_of(row.occurred_us))


def _money(purse: Purse, currency: str) -> Money:
    return Money.model_construct(amount=Decimal(money_text(purse.total)), currency=currency)
