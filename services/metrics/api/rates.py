"""Rates of exchange over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.auth import Caller, require
from chassis.errors import problem_responses
from services.metrics.api.fields import MAY_READ, MAY_WRITE, Day, Read, Write
from services.metrics.handlers.campaigns import set_rate
from services.metrics.store.campaigns import rate_rows

router = APIRouter(tags=["rates"])
Rate = Annotated[Decimal, Field(gt=0, le=10**9, max_digits=18, decimal_places=9, examples=["0.9213"])]
_CURRENCY = "^[A-Z]{3}$"


class RateRequest(BaseModel):
    """What one unit is worth."""

    model_config = ConfigDict(extra="forbid")

    rate: Rate = Field(description="Units of the reporting currency per unit")


class RateView(BaseModel):
    """What one unit of a currency is worth in the reporting currency, from that day on until the next rate."""

    currency: str = Field(examples=["USD"])
    starts_on: Day
    rate: Decimal
    reporting_currency: str
    set_at: AwareDatetime
    set_by: str


class RatesAnswer(BaseModel):
    """All rates."""

    reporting_currency: str
    items: list[RateView]
    next_cursor: None = None


@router.put("/v1/rates/{currency}/{on}", responses=problem_responses(403))
async def put_rate(
    body: RateRequest,
    writing: Write,
    caller: Caller,
    currency: Annotated[str, Path(pattern=_CURRENCY, description="ISO 4217", examples=["USD"])],
    on: Annotated[Day, Path(description="From this day on", examples=["2026-03-01"])],
) -> RateView:
    """From that day on, amounts in this currency are converted by this rate, in reports about the past as well."""
    require(caller, *MAY_WRITE)
    await set_rate(currency, on, body.rate, caller.subject, writing)
    return RateView(
        currency=currency,
        starts_on=on,
        rate=body.rate,
        reporting_currency=writing.service.currency,
        set_at=writing.now,
        set_by=caller.subject,
    )


@router.get("/v1/rates", responses=problem_responses(403))
async def list_rates(
    reading: Read,
    caller: Caller,
    currency: Annotated[str | None, Query(pattern=_CURRENCY, description="Only those of this currency")] = None,
) -> RatesAnswer:
    """Rates by currency, the latest first."""
    require(caller, *MAY_READ)
    home = reading.service.currency
    items = [
        RateView(currency=row.currency, starts_on=row.starts_on, rate=row.rate, reporting_currency=home, set_at=row.set_at, set_by=row.set_by)
        for row in await rate_rows(reading.session, currency)
    ]
    return RatesAnswer(reporting_currency=home, items=items)
