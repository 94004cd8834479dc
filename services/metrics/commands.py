"""What people ask for: campaigns, costs and rates, kept as they were told; reports, counted from facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from chassis.context import Context
from chassis.errors import BadInput, Conflict, NotFound
from chassis.store.statements import Row
from contracts.envelope import beginning
from contracts.events.metrics import CostRecorded
from contracts.ids import derive_id
from contracts.values import Money
from services.metrics.domain import reports
from services.metrics.domain.campaigns import Campaign
from services.metrics.domain.measures import (
    MILESTONES,
    Rates,
    ReportQuery,
    ReportSettings,
    day_of,
    from_e4,
    in_cents,
    to_e4,
)
from services.metrics.domain.referral_reports import ClockRow, ReferralCounts, ReferralFigures, ReferralRow, clock_row
from services.metrics.store import load, write
from services.metrics.store.queries import LOST, WON, campaigns, load_rates, sum_of_parts
from services.metrics.store.queries import stages as stage_queries


class CampaignNotFound(NotFound):
    """There is no such campaign."""

    slug = "campaign-not-found"


class ExternalIdTaken(Conflict):
    """Another campaign has this external id."""

    slug = "external-id-taken"


class CampaignUnknown(BadInput):
    """The cost names a campaign that does not exist."""

    slug = "campaign-unknown"


class CostDiffers(Conflict):
    """A cost with this external id was recorded with other content."""

    slug = "cost-differs"


class RateOfItself(BadInput):
    """The reporting currency is worth one of itself."""

    slug = "rate-of-itself"


@dataclass(frozen=True, slots=True)
class CostEntry:
    """A cost as it is told."""

    campaign_id: str
    amount: Money
    incurred_on: date
    note: str | None
    external_id: str | None


async def add_campaign(wanted: Campaign, context: Context) -> tuple[Campaign, bool]:
    """Writes a campaign, or what changed of the one with its external id; and whether it is new.

    All touches there are follow its matches.
    """
    await write.lock_campaigns(context.session)
    known = (
        None if wanted.external_id is None else await load.campaign_by_external_id(context.session, wanted.external_id)
    )
    if known is None:  # two that are sent at the very same moment are one
        known_twin = await load.campaign(context.session, wanted.campaign_id)
        kept, is_new = known_twin or wanted, known_twin is None
    else:
        kept, is_new = _over(known, wanted), False
    await write.campaign(context.session, kept)
    return kept, is_new


async def change_campaign(campaign_id: str, wanted: Campaign, context: Context) -> Campaign:
    """Writes all of it anew. Raises CampaignNotFound, ExternalIdTaken."""
    await write.lock_campaigns(context.session)
    known = await get_campaign(campaign_id, context)
    namesake = (
        None if wanted.external_id is None else await load.campaign_by_external_id(context.session, wanted.external_id)
    )
    if namesake is not None and namesake.campaign_id != campaign_id:
        raise ExternalIdTaken(
            f"{namesake.campaign_id} has the external id {wanted.external_id}",
            field="body.external_id",
            remedy="Choose another",
        )
    kept = _over(known, wanted)
    await write.campaign(context.session, kept)
    return kept


async def get_campaign(campaign_id: str, context: Context) -> Campaign:
    """Raises CampaignNotFound."""
    found = await load.campaign(context.session, campaign_id)
    if found is None:
        raise CampaignNotFound(f"There is no campaign {campaign_id}")
    return found


async def record_cost(told: CostEntry, by: str, context: Context) -> tuple[Row, bool]:
    """Writes a cost and says so; or answers with the one that has its external id.

    Raises CampaignUnknown, CostDiffers.
    """
    if await load.campaign(context.session, told.campaign_id) is None:
        remedy = "Create it first: POST /v1/campaigns"
        raise CampaignUnknown(f"There is no campaign {told.campaign_id}", field="body.campaign_id", remedy=remedy)
    content = {
        "campaign_id": told.campaign_id,
        "amount_e4": to_e4(told.amount.amount),
        "currency": told.amount.currency,
        "incurred_on": told.incurred_on,
        "note": told.note,
        "external_id": told.external_id,
    }
    cost_id = derive_id("cst", context.now, context.now.isoformat(), by, *map(str, content.values()))
    is_new = await write.cost(
        context.session, {"cost_id": cost_id, **content, "recorded_at": context.now, "recorded_by": by}
    )
    row = await load.cost(context.session, cost_id, told.external_id)
    if any(getattr(row, name) != value for name, value in content.items()):
        remedy = "Costs are never rewritten: record the difference, which may be negative, as another cost"
        raise CostDiffers(
            f"{row.cost_id} has this external id and other content", field="body.external_id", remedy=remedy
        )
    if is_new:
        context.say(_cost_recorded(row, context))
    return row, is_new


def _cost_recorded(row: Row, context: Context) -> CostRecorded:
    event_id = derive_id("evt", context.now, CostRecorded.wire_name, row.cost_id)
    return CostRecorded(
        meta=beginning(event_id, context.now),
        cost_id=row.cost_id,
        campaign_id=row.campaign_id,
        amount=Money(amount=in_cents(row.amount_e4), currency=row.currency),
        incurred_on=row.incurred_on,
        note=row.note,
    )


async def set_rate(currency: str, starts_on: date, rate: Decimal, by: str, context: Context[ReportSettings]) -> None:
    """From that day on a unit of `currency` is worth `rate` units of the reporting currency. Raises RateOfItself."""
    if currency == context.service.currency:
        raise RateOfItself(
            f"Reports are in {currency} already", field="path.currency", remedy="Send rates of other currencies only"
        )
    await write.rate(context.session, currency, starts_on, rate, (by, context.now))


def _over(known: Campaign, wanted: Campaign) -> Campaign:
    return replace(wanted, campaign_id=known.campaign_id, created_at=known.created_at, created_by=known.created_by)


@dataclass(frozen=True, slots=True)
class FunnelReport:
    rows: list[reports.FunnelRow]
    total: reports.FunnelTotal
    unlisted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeInStageReport:
    rows: list[reports.StayRow]
    total: reports.StayTotal


@dataclass(frozen=True, slots=True)
class CampaignReport:
    rows: list[reports.ReturnRow]
    total: reports.Figures
    unconverted: list[reports.Unconverted]
    without_amount: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReferralReport:
    rows: list[ReferralRow]
    total: ReferralFigures
    clocks: list[ClockRow]
    unoffered: int


async def report_funnel(query: ReportQuery, context: Context[ReportSettings]) -> FunnelReport:
    order = context.service.stage_order
    seen = await stage_queries.load_stage_names(context.session)
    stages = order.arranged(seen)
    counts = await stage_queries.count_moves(context.session, query, order, stages)
    leavers = await stage_queries.count_leavers(context.session, query, order)
    present = await stage_queries.count_present(context.session, query, order)
    total = reports.FunnelTotal(cohort=counts["cohort"], in_stage_now=sum(present.values()))
    return FunnelReport(reports.funnel_rows(order, counts, leavers, present, stages), total, order.unlisted(seen))


async def report_time_in_stage(query: ReportQuery, context: Context[ReportSettings]) -> TimeInStageReport:
    order = context.service.stage_order
    ended = {
        row.stage: reports.StayQuantiles(row.n, row.low_us, row.high_us, row.p90_us, sum_of_parts(row))
        for row in await stage_queries.load_stays(context.session, query, order)
    }
    waiting = {
        row.stage: (row.n, row.since_us) for row in await stage_queries.load_waiting(context.session, query, order)
    }
    stages = order.arranged({*ended, *waiting})
    rows = [reports.stay_row(stage, ended.get(stage), *waiting.get(stage, (0, None))) for stage in stages]
    return TimeInStageReport(
        rows, reports.StayTotal(n=sum(row.n for row in rows), still_in=sum(row.still_in for row in rows))
    )


async def report_campaigns(query: ReportQuery, context: Context[ReportSettings]) -> CampaignReport:
    session, reporting = context.session, context.service
    names = await campaigns.load_campaign_names(session, query)
    rates = await load_rates(session, reporting.currency)
    rows = [row.campaign_id for row in names] + ([] if query.is_filtered else [None])
    by_campaign = {campaign_id: reports.CampaignCounts() for campaign_id in rows}
    for row in await campaigns.load_costs(session, query.period):
        if row.campaign_id in by_campaign:
            by_campaign[row.campaign_id].cost.add(rates, from_e4(sum_of_parts(row)), row.currency, row.incurred_on)
    touched, everybody = await campaigns.count_touched(session, query)
    reports.add_counts(by_campaign, "touched", touched)
    reports.add_counts(by_campaign, "treatments", await campaigns.count_treatments(session, query))
    for row in await campaigns.count_milestones(session, query, reporting.stage_order):
        for name in MILESTONES if row.campaign_id in by_campaign else ():
            by_campaign[row.campaign_id].add(name, getattr(row, name))
    without_amount = _add_deals(by_campaign, await campaigns.load_deals(session, query), rates, reporting)
    rows = [
        reports.ReturnRow(
            campaign_id=one.campaign_id, name=one.name, channel=one.channel, **by_campaign[one.campaign_id].figures()
        )
        for one in names
    ]
    if None in by_campaign:
        rows.append(
            reports.ReturnRow(campaign_id=None, name=reports.NO_CAMPAIGN, channel=None, **by_campaign[None].figures())
        )
    unconverted = [one for campaign_id, counts in by_campaign.items() for one in counts.unconverted(campaign_id)]
    return CampaignReport(rows, reports.total_of(by_campaign.values(), everybody), unconverted, without_amount)


async def report_referrals(query: ReportQuery, context: Context[ReportSettings]) -> ReferralReport:
    by_rep: dict[str, ReferralCounts] = {}
    everybody, unoffered = ReferralCounts(), 0
    for row in await campaigns.count_referrals(context.session, query):
        for counts in (by_rep.setdefault(row.rep_id, ReferralCounts()), everybody):
            counts.add(row.kind, row.reason, row.n)
    for row in await campaigns.load_acceptance_waits(context.session, query):
        unoffered += row.waited_us is None
        for counts in (by_rep[row.rep_id], everybody) if row.waited_us is not None else ():
            counts.waits_us.append(row.waited_us)
    clocks: dict[str, list[tuple[str, bool, int]]] = {}
    for row in await campaigns.count_clocks(context.session, query):
        clocks.setdefault(row.clock, []).append((row.kind, row.was_breached, row.n))
    rows = [ReferralRow(rep_id=rep_id, **counts.figures().model_dump()) for rep_id, counts in sorted(by_rep.items())]
    return ReferralReport(
        rows, everybody.figures(), [clock_row(clock, told) for clock, told in sorted(clocks.items())], unoffered
    )


def _add_deals(
    by_campaign: reports.CountsByCampaign, deals: Sequence[Any], rates: Rates, reporting: ReportSettings
) -> list[str]:
    """Puts each opportunity where it belongs; answers with those that were won without an amount."""
    without_amount = []
    for deal in deals:
        counts = by_campaign.get(deal.campaign_id)
        if counts is None:
            continue
        is_won, is_open = deal.step == WON and deal.was_closed, deal.step not in (WON, LOST) and deal.was_opened
        counts.add("opportunities", deal.was_opened)
        if deal.amount_e4 is None:
            counts.add("without_amount", int(is_won))
            without_amount += [deal.opportunity_id] if is_won else []
        elif is_won or is_open:
            amount = counts.revenue if is_won else counts.pipeline
            amount.add(rates, from_e4(deal.amount_e4), deal.currency, day_of(deal.occurred_us, reporting.zone))
    return without_amount
