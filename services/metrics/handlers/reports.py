"""Reports: load what was counted, make rows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis.context import Context
from services.metrics.domain.asking import Ask, Reporting
from services.metrics.domain.funnel import FunnelRow, FunnelTotal, funnel_rows
from services.metrics.domain.moments import day_of
from services.metrics.domain.money import Rates, from_e4
from services.metrics.domain.referrals import Answers, ClockRow, ReferralFigures, ReferralRow, clock_row
from services.metrics.domain.returns import NO_CAMPAIGN, Figures, ReturnRow, Tally, Unconverted, total_of
from services.metrics.domain.stages import MILESTONES
from services.metrics.domain.stays import StayRow, Stays, StayTotal, stay_row
from services.metrics.store import funnel, referrals, returns, stays
from services.metrics.store.campaigns import load_rates
from services.metrics.store.present import LOST, WON
from services.metrics.store.sums import whole


@dataclass(frozen=True, slots=True)
class FunnelReport:
    rows: list[FunnelRow]
    total: FunnelTotal
    strangers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StayReport:
    rows: list[StayRow]
    total: StayTotal


@dataclass(frozen=True, slots=True)
class ReturnReport:
    rows: list[ReturnRow]
    total: Figures
    unconverted: list[Unconverted]
    without_amount: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReferralReport:
    rows: list[ReferralRow]
    total: ReferralFigures
    clocks: list[ClockRow]
    unoffered: int


async def report_funnel(ask: Ask, context: Context[Reporting]) -> FunnelReport:
    process = _reporting(context).process
    seen = await funnel.load_stage_names(context.session)
    stages = process.arranged(seen)
    counts = await funnel.count_moves(context.session, ask, process, stages)
    leavers = await funnel.count_leavers(context.session, ask, process)
    present = await funnel.count_present(context.session, ask, process)
    total = FunnelTotal(cohort=counts["cohort"], in_stage_now=sum(present.values()))
    return FunnelReport(funnel_rows(process, counts, leavers, present, stages), total, process.strangers(seen))


async def report_stays(ask: Ask, context: Context[Reporting]) -> StayReport:
    process = _reporting(context).process
    ended = {
        row.stage: Stays(row.n, row.low_us, row.high_us, row.p90_us, whole(row)) for row in await stays.load_stays(context.session, ask, process)
    }
    waiting = {row.stage: (row.n, row.since_us) for row in await stays.load_waiting(context.session, ask, process)}
    stages = process.arranged({*ended, *waiting})
    rows = [stay_row(stage, ended.get(stage), *waiting.get(stage, (0, None))) for stage in stages]
    return StayReport(rows, StayTotal(n=sum(row.n for row in rows), still_in=sum(row.still_in for row in rows)))


async def report_returns(ask: Ask, context: Context[Reporting]) -> ReturnReport:
    session, reporting = context.session, _reporting(context)
    names = await returns.load_names(session, ask)
    rates = await load_rates(session, reporting.currency)
    tallies: dict[str | None, Tally] = {row.campaign_id: Tally() for row in names} | ({} if ask.is_filtered else {None: Tally()})
    for row in await returns.load_costs(session, ask.period):
        if row.campaign_id in tallies:
            tallies[row.campaign_id].cost.put(rates, from_e4(whole(row)), row.currency, row.incurred_on)
    touched, everybody = await returns.count_touched(session, ask)
    _count(tallies, "touched", touched)
    _count(tallies, "treatments", await returns.count_treatments(session, ask))
    for row in await returns.count_milestones(session, ask, reporting.process):
        for name in MILESTONES if row.campaign_id in tallies else ():
            tallies[row.campaign_id].add(name, getattr(row, name))
    without_amount = _weigh(tallies, await returns.load_deals(session, ask), rates, reporting)
    rows = [ReturnRow(campaign_id=one.campaign_id, name=one.name, channel=one.channel, **tallies[one.campaign_id].figures()) for one in names]
    if None in tallies:
        rows.append(ReturnRow(campaign_id=None, name=NO_CAMPAIGN, channel=None, **tallies[None].figures()))
    unconverted = [one for campaign_id, tally in tallies.items() for one in tally.unconverted(campaign_id)]
    return ReturnReport(rows, total_of(tallies.values(), everybody), unconverted, without_amount)


async def report_referrals(ask: Ask, context: Context[Reporting]) -> ReferralReport:
    by_rep: dict[str, Answers] = {}
    everybody, unoffered = Answers(), 0
    for row in await referrals.count_answers(context.session, ask):
        for answers in (by_rep.setdefault(row.rep_id, Answers()), everybody):
            answers.add(row.kind, row.reason, row.n)
    for row in await referrals.load_waits(context.session, ask):
        unoffered += row.waited_us is None
        for answers in (by_rep[row.rep_id], everybody) if row.waited_us is not None else ():
            answers.waits_us.append(row.waited_us)
    clocks: dict[str, list[tuple[str, bool, int]]] = {}
    for row in await referrals.count_clocks(context.session, ask):
        clocks.setdefault(row.clock, []).append((row.kind, row.was_breached, row.n))
    rows = [ReferralRow(rep_id=rep_id, **answers.figures().model_dump()) for rep_id, answers in sorted(by_rep.items())]
    return ReferralReport(rows, everybody.figures(), [clock_row(clock, told) for clock, told in sorted(clocks.items())], unoffered)


def _weigh(tallies: Mapping[str | None, Tally], deals: Sequence[Any], rates: Rates, reporting: Reporting) -> list[str]:
    """Puts each opportunity where it belongs; answers with those that were won without an amount."""
    without_amount = []
    for deal in deals:
        tally = tallies.get(deal.campaign_id)
        if tally is None:
            continue
        is_won, is_open = deal.step == WON and deal.was_closed, deal.step not in (WON, LOST) and deal.was_opened
        tally.add("opportunities", deal.was_opened)
        if deal.amount_e4 is None:
            tally.add("without_amount", int(is_won))
            without_amount += [deal.opportunity_id] if is_won else []
        elif is_won or is_open:
            purse = tally.revenue if is_won else tally.pipeline
            purse.put(rates, from_e4(deal.amount_e4), deal.currency, day_of(deal.occurred_us, reporting.zone))
    return without_amount


def _count(tallies: Mapping[str | None, Tally], name: str, counts: Mapping[str | None, int]) -> None:
    for campaign_id, count in counts.items():
        if campaign_id in tallies:
            tallies[campaign_id].add(name, count)


def _reporting(context: Context[Reporting]) -> Reporting:
    reporting: Reporting = context.service
    return reporting
