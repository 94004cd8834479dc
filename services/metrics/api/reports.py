"""Reports over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from chassis.auth import Caller, Principal, require
from chassis.context import Context
from chassis.errors import BadInput, problem_responses
from services.metrics.api.fields import MAY_READ, Read
from services.metrics.api.report_views import FunnelAnswer, Parameters, ReferralsAnswer, ReportQuery, ReturnsAnswer, StaysAnswer
from services.metrics.domain.asking import Ask, Attribution, By, Reporting, period_of
from services.metrics.handlers.campaigns import get_campaign
from services.metrics.handlers.reports import report_funnel, report_referrals, report_returns, report_stays
from services.metrics.store.present import count_tests
from services.metrics.store.reading import load_heard

router = APIRouter(tags=["reports"])
Asked = Annotated[ReportQuery, Query()]
_OWNERS = ("identity", "lifecycle", "nurture", "routing")
_LISTED = 100


@router.get("/v1/reports/funnel", responses=problem_responses(403, 404))
async def report_on_funnel(reading: Read, caller: Caller, asked: Asked) -> FunnelAnswer:
    """Stage by stage: who entered it in the period, who went on, who was lost to what, and who is in it now."""
    ask = await _ask(asked, reading, caller)
    frame = await _frame("funnel", asked, reading)
    made = await report_funnel(ask, reading)
    notes = ["in_stage_now and what became of people is as of now, whatever the period."]
    if made.strangers:
        notes.append(f"Not on the line of stages that metrics was set up with: {', '.join(made.strangers)}.")
    return FunnelAnswer(**frame, notes=notes, rows=made.rows, total=made.total)


@router.get("/v1/reports/time-in-stage", responses=problem_responses(403, 404))
async def report_on_time_in_stage(reading: Read, caller: Caller, asked: Asked) -> StaysAnswer:
    """Stage by stage: how long those who left it in the period had been in it, and how long those who are in it have been."""
    ask = await _ask(asked, reading, caller)
    frame = await _frame("time-in-stage", asked, reading)
    made = await report_stays(ask, reading)
    notes = ["The period chooses stays by when they ended; their length is the time between happening and happening. still_in is as of now."]
    return StaysAnswer(**frame, notes=notes, rows=made.rows, total=made.total)


@router.get("/v1/reports/campaigns", responses=problem_responses(403, 404))
async def report_on_campaigns(reading: Read, caller: Caller, asked: Asked) -> ReturnsAnswer:
    """Campaign by campaign: cost, people, pipeline, revenue, and what a lead, an MQL and a customer cost."""
    ask = await _ask(asked, reading, caller)
    frame = await _frame("campaigns", asked, reading)
    made = await report_returns(ask, reading)
    return ReturnsAnswer(
        **frame,
        notes=_return_notes(ask, bool(made.unconverted), len(made.without_amount), made.total.roi),
        rows=made.rows,
        total=made.total,
        unconverted=made.unconverted,
        without_amount=made.without_amount[:_LISTED],
    )


@router.get("/v1/reports/referrals", responses=problem_responses(403, 404))
async def report_on_referrals(reading: Read, caller: Caller, asked: Asked) -> ReferralsAnswer:
    """Rep by rep: offered, accepted, returned and expired, and how long acceptance took; clocks kept and breached."""
    ask = await _ask(asked, reading, caller)
    frame = await _frame("referrals", asked, reading)
    made = await report_referrals(ask, reading)
    notes = ["Each figure counts what was told in the period: an offer before it may have been accepted in it."]
    if made.unoffered:
        notes.append(f"{made.unoffered} were accepted without an offer; median_acceptance leaves them out.")
    return ReferralsAnswer(**frame, notes=notes, rows=made.rows, total=made.total, clocks=made.clocks)


async def _ask(asked: ReportQuery, reading: Context[Reporting], caller: Principal) -> Ask:
    require(caller, *MAY_READ)
    reporting: Reporting = reading.service
    period = period_of(asked.start, asked.end, reporting.zone)
    if period.start_us is not None and period.end_us is not None and period.end_us <= period.start_us:
        raise BadInput("The period ends before it begins", field="query.to", remedy="Give a later `to`; the day or moment itself does not count")
    if asked.campaign_id is not None:
        await get_campaign(asked.campaign_id, reading)
    return Ask(period, asked.by, asked.attribution, asked.campaign_id, None if asked.channel is None else asked.channel.value)


async def _frame(name: str, asked: ReportQuery, reading: Context[Reporting]) -> dict[str, Any]:
    """Asked for before anything is counted: what is heard meanwhile may be in the figures, and is not promised."""
    reporting: Reporting = reading.service
    heard = await load_heard(reading.session)
    parameters = Parameters(**asked.model_dump(), time_zone=reporting.zone.key, currency=reporting.currency)
    return {
        "name": name,
        "parameters": parameters,
        "complete_up_to": {owner: heard.get(owner) for owner in _OWNERS},
        "as_of": reading.now,
        "excluded_tests": await count_tests(reading.session),
    }


def _return_notes(ask: Ask, has_unconverted: bool, without_amount: int, roi: str | None) -> list[str]:
    credit = (
        "the earliest campaign touch of a person"
        if ask.attribution is Attribution.FIRST_TOUCH
        else "the latest campaign touch before a person's first opportunity (for an opportunity: before it was opened)"
    )
    notes = [f"Credited: {credit}. touched, treatments and cost are the campaign's own, whoever is credited."]
    if ask.by is By.RECEIVED:
        notes.append("Costs count by the day they were incurred on, also by=received.")
    if has_unconverted:
        notes.append("The sums lack the amounts listed under unconverted: there is no rate of exchange on or before their day.")
    if without_amount:
        notes.append(f"{without_amount} opportunities were won without an amount: they count as customers, and revenue lacks them.")
    if roi is None:
        notes.append("roi is null where nothing was spent.")
    return notes
