"""Reports over HTTP, and what metrics knows of people, for the view of a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query

from chassis.context import Context
from chassis.errors import BadInput
from chassis.web.auth import Caller, Principal, require
from chassis.web.problems import problem_responses
from contracts.values import Money
from people_kernel.api.pages import LookupRequest
from people_kernel.store.people import survivors
from services.metrics.api.views import (
    MAY_READ,
    FunnelAnswer,
    MeasuredLookupAnswer,
    MeasuredPerson,
    Parameters,
    Read,
    ReferralsAnswer,
    ReportRequest,
    ReturnsAnswer,
    StaysAnswer,
    TouchView,
)
from services.metrics.commands import (
    get_campaign,
    report_campaigns,
    report_funnel,
    report_referrals,
    report_time_in_stage,
)
from services.metrics.domain.measures import (
    Attribution,
    By,
    ConvertedSum,
    ReportQuery,
    ReportSettings,
    day_of,
    from_e4,
    moment_of,
    money_text,
    period_of,
)
from services.metrics.store.queries import count_tests, load_credits, load_heard, load_rates, load_wins
from services.metrics.store.tables import FRAGMENT

reports_router = APIRouter(tags=["reports"])
Asked = Annotated[ReportRequest, Query()]
_OWNERS = ("identity", "lifecycle", "nurture", "routing")
_LISTED = 100


@reports_router.get("/v1/reports/funnel", responses=problem_responses(403, 404))
async def report_on_funnel(reading: Read, caller: Caller, asked: Asked) -> FunnelAnswer:
    """Stage by stage: who entered it in the period, who went on, who was lost to what, and who is in it now."""
    query = await _ask(asked, reading, caller)
    frame = await _frame("funnel", asked, reading)
    made = await report_funnel(query, reading)
    notes = ["in_stage_now and what became of people is as of now, whatever the period."]
    if made.unlisted:
        notes.append(f"Not on the line of stages that metrics was set up with: {', '.join(made.unlisted)}.")
    return FunnelAnswer(**frame, notes=notes, rows=made.rows, total=made.total)


@reports_router.get("/v1/reports/time-in-stage", responses=problem_responses(403, 404))
async def report_on_time_in_stage(reading: Read, caller: Caller, asked: Asked) -> StaysAnswer:
    """Stage by stage: how long those who left it in the period had been in it,
    and how long those who are in it have been.
    """
    query = await _ask(asked, reading, caller)
    frame = await _frame("time-in-stage", asked, reading)
    made = await report_time_in_stage(query, reading)
    notes = [
        "The period chooses stays by when they ended; their length is the time between happening and happening."
        " still_in is as of now."
    ]
    return StaysAnswer(**frame, notes=notes, rows=made.rows, total=made.total)


@reports_router.get("/v1/reports/campaigns", responses=problem_responses(403, 404))
async def report_on_campaigns(reading: Read, caller: Caller, asked: Asked) -> ReturnsAnswer:
    """Campaign by campaign: cost, people, pipeline, revenue, and what a lead, an MQL and a customer cost."""
    query = await _ask(asked, reading, caller)
    frame = await _frame("campaigns", asked, reading)
    made = await report_campaigns(query, reading)
    return ReturnsAnswer(
        **frame,
        notes=_return_notes(query, bool(made.unconverted), len(made.without_amount), made.total.roi),
        rows=made.rows,
        total=made.total,
        unconverted=made.unconverted,
        without_amount=made.without_amount[:_LISTED],
    )


@reports_router.get("/v1/reports/referrals", responses=problem_responses(403, 404))
async def report_on_referrals(reading: Read, caller: Caller, asked: Asked) -> ReferralsAnswer:
    """Rep by rep: offered, accepted, returned and expired, and how long acceptance took; clocks kept and breached."""
    query = await _ask(asked, reading, caller)
    frame = await _frame("referrals", asked, reading)
    made = await report_referrals(query, reading)
    notes = ["Each figure counts what was told in the period: an offer before it may have been accepted in it."]
    if made.unoffered:
        notes.append(f"{made.unoffered} were accepted without an offer; median_acceptance leaves them out.")
    return ReferralsAnswer(**frame, notes=notes, rows=made.rows, total=made.total, clocks=made.clocks)


async def _ask(asked: ReportRequest, reading: Context[ReportSettings], caller: Principal) -> ReportQuery:
    require(caller, *MAY_READ)
    reporting: ReportSettings = reading.service
    period = period_of(asked.start, asked.end, reporting.zone)
    if period.start_us is not None and period.end_us is not None and period.end_us <= period.start_us:
        raise BadInput(
            "The period ends before it begins",
            field="query.to",
            remedy="Give a later `to`; the day or moment itself does not count",
        )
    if asked.campaign_id is not None:
        await get_campaign(asked.campaign_id, reading)
    return ReportQuery(
        period, asked.by, asked.attribution, asked.campaign_id, None if asked.channel is None else asked.channel.value
    )


async def _frame(name: str, asked: ReportRequest, reading: Context[ReportSettings]) -> dict[str, Any]:
    """Asked for before anything is counted: what is heard meanwhile may be in the figures, and is not promised."""
    reporting: ReportSettings = reading.service
    heard = await load_heard(reading.session)
    parameters = Parameters(**asked.model_dump(), time_zone=reporting.zone.key, currency=reporting.currency)
    return {
        "name": name,
        "parameters": parameters,
        "complete_up_to": {owner: heard.get(owner) for owner in _OWNERS},
        "as_of": reading.now,
        "excluded_tests": await count_tests(reading.session),
    }


def _return_notes(query: ReportQuery, has_unconverted: bool, without_amount: int, roi: str | None) -> list[str]:
    credit = (
        "the earliest campaign touch of a person"
        if query.attribution is Attribution.FIRST_TOUCH
        else "the latest campaign touch before a person's first opportunity (for an opportunity: before it was opened)"
    )
    notes = [f"Credited: {credit}. touched, treatments and cost are the campaign's own, whoever is credited."]
    if query.by is By.RECEIVED:
        notes.append("Costs count by the day they were incurred on, also by=received.")
    if has_unconverted:
        notes.append(
            "The sums lack the amounts listed under unconverted: there is no rate of exchange on or before their day."
        )
    if without_amount:
        notes.append(
            f"{without_amount} opportunities were won without an amount: they count as customers, and revenue lacks"
            " them."
        )
    if roi is None:
        notes.append("roi is null where nothing was spent.")
    return notes


people_router = APIRouter(tags=["metrics"])


@people_router.post("/v1/metrics/people:lookup")
async def look_up_measured_people(reading: Read, body: LookupRequest) -> MeasuredLookupAnswer:
    """Up to 200 people by id, in one go. Ids that a merge absorbed answer
    with the survivor; unknown ids are left out.
    """
    current = await survivors(reading.session, FRAGMENT, set(body.person_ids))
    people = sorted(set(current.values()))
    first = await load_credits(reading.session, people, Attribution.FIRST_TOUCH)
    last = await load_credits(reading.session, people, Attribution.LAST_TOUCH)
    reporting: ReportSettings = reading.service
    rates = await load_rates(reading.session, reporting.currency)
    revenue: dict[str, ConvertedSum] = {}
    converted: set[str] = set()
    for win in await load_wins(reading.session, people):
        amount, day = revenue.setdefault(win.person_id, ConvertedSum()), day_of(win.occurred_us, reporting.zone)
        if rates.converted(from_e4(win.amount_e4), win.currency, day) is not None:
            converted.add(win.person_id)
        amount.add(rates, from_e4(win.amount_e4), win.currency, day)
    items = [
        MeasuredPerson(
            person_id=person_id,
            first_touch=_touch(first.get(person_id)),
            last_touch=_touch(last.get(person_id)),
            revenue=_money(revenue[person_id], reporting.currency) if person_id in converted else None,
        )
        for person_id in people
    ]
    return MeasuredLookupAnswer(items=items, current=dict(sorted(current.items())))


def _touch(row: Any) -> TouchView | None:
    return (
        None
        if row is None
        else TouchView(campaign_id=row.campaign_id, name=row.name, occurred_at=moment_of(row.occurred_us))
    )


def _money(amount: ConvertedSum, currency: str) -> Money:
    return Money.model_construct(amount=Decimal(money_text(amount.total)), currency=currency)
