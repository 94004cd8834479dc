"""Reads for the reports on campaigns, referrals and clocks; and what people told of campaigns, costs and rates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import FromClause, Select, and_, case, func, literal, or_, select

from chassis.store.session import Session
from chassis.store.statements import Row
from services.metrics.domain.campaigns import Campaign
from services.metrics.domain.measures import MILESTONES, Period, ReportQuery, StageOrder
from services.metrics.store.queries import (
    LOST,
    WON,
    CountedPeople,
    counted_people,
    credits_of_deals,
    credits_of_people,
    in_period,
    is_asked_for,
    latest_deals,
    matched_touches,
    movers,
    owned,
    part_sums,
    test_people,
    when,
)
from services.metrics.store.rows import campaign_of
from services.metrics.store.tables import (
    CAMPAIGN,
    CLOCK,
    COST,
    DEAL,
    FRAGMENT,
    RATE,
    REFERRAL,
    STAGE,
    TAG,
    TOUCH,
    TREATMENT,
)


async def load_campaign_names(session: Session, query: ReportQuery) -> Sequence[Any]:
    """(campaign_id, name, channel) of those asked for, the oldest first."""
    statement = select(CAMPAIGN.c.campaign_id, CAMPAIGN.c.name, CAMPAIGN.c.channel).where(is_asked_for(query))
    return await session.execute(statement.order_by(CAMPAIGN.c.campaign_id))


async def load_costs(session: Session, period: Period) -> Sequence[Any]:
    """Sums by campaign, currency and day."""
    statement = select(COST.c.campaign_id, COST.c.currency, COST.c.incurred_on, *part_sums(COST.c.amount_e4))
    if period.first_day is not None:
        statement = statement.where(COST.c.incurred_on >= period.first_day)
    if period.end_day is not None:
        statement = statement.where(COST.c.incurred_on < period.end_day)
    return await session.execute(statement.group_by(COST.c.campaign_id, COST.c.currency, COST.c.incurred_on))


async def count_touched(session: Session, query: ReportQuery) -> tuple[dict[str | None, int], int]:
    """Campaign -> people it touched in the period; and how many people in all."""
    seen = (
        CountedPeople(test_people())
        .of(matched_touches())
        .where(in_period(when(TOUCH, query), query))
        .distinct()
        .subquery("seen")
    )
    pairs = select(seen.c.person_id, TAG.c.campaign_id).join(TAG, TAG.c.tag_id == seen.c.tag_id).distinct().cte("pairs")
    asked = select(CAMPAIGN.c.campaign_id).where(is_asked_for(query))
    everybody = select(literal(None), func.count(pairs.c.person_id.distinct())).where(pairs.c.campaign_id.in_(asked))
    counts = {row.campaign_id: row.n for row in await session.execute(_by_campaign(pairs).union_all(everybody))}
    return counts, counts.pop(None)


async def count_milestones(session: Session, query: ReportQuery, order: StageOrder) -> Sequence[Any]:
    """Per credited campaign (None: no campaign): people who came as far as a milestone for the first time in the
    period.
    """
    at_us, names = when(STAGE, query), list(MILESTONES)
    firsts = []
    for name in names:
        far_enough = order.line[order.rank(MILESTONES[name]) :]
        firsts.append(func.min(case((STAGE.c.stage.in_(far_enough), at_us))).label(name))
    concerned = movers(query)
    moves = (
        CountedPeople(test_people(), concerned=concerned)
        .of(owned(STAGE, *firsts))
        .where(~STAGE.c.is_correction, STAGE.c.stage.in_(order.line))
    )
    people = moves.group_by(FRAGMENT.c.person_id).subquery("people")
    credit = credits_of_people(
        query.attribution, None if concerned is None else FRAGMENT.c.person_id.in_(select(concerned.c.person_id))
    )
    counts = [func.count(case((in_period(people.c[name], query), people.c[name]))).label(name) for name in names]
    joined = people.join(credit, credit.c.person_id == people.c.person_id, isouter=True)
    return await session.execute(
        select(credit.c.campaign_id, *counts).select_from(joined).group_by(credit.c.campaign_id)
    )


async def load_deals(session: Session, query: ReportQuery) -> Sequence[Any]:
    """Opportunities that were opened or closed in the period, each with the campaign credited with it."""
    tests, deals = test_people(), latest_deals(told_of=_told_of(query))
    credit = credits_of_deals(query.attribution, deals)
    opened_us, told_us = (
        (deals.c.opened_us, deals.c.occurred_us)
        if query.by.value == "occurred"
        else (deals.c.opened_told_us, deals.c.told_us)
    )
    was_opened = in_period(opened_us, query)
    was_closed = and_(deals.c.step.in_((WON, LOST)), in_period(told_us, query))
    statement = (
        select(
            credit.c.campaign_id,
            deals.c.opportunity_id,
            deals.c.step,
            deals.c.amount_e4,
            deals.c.currency,
            deals.c.occurred_us,
            case((was_opened, 1), else_=0).label("was_opened"),
            case((was_closed, 1), else_=0).label("was_closed"),
        )
        .select_from(deals.join(credit, credit.c.opportunity_id == deals.c.opportunity_id, isouter=True))
        .where(or_(was_opened, was_closed), deals.c.person_id.not_in(select(tests.c.person_id)))
        .order_by(deals.c.opportunity_id)
    )
    return await session.execute(statement)


def _told_of(query: ReportQuery) -> Select[Any] | None:
    """The opportunities of which anything was told in the period: no others were opened or closed in it.

    None where the period is all time.
    """
    if query.period.start_us is None and query.period.end_us is None:
        return None
    return select(DEAL.c.opportunity_id).where(in_period(when(DEAL, query), query))


async def count_treatments(session: Session, query: ReportQuery) -> dict[str | None, int]:
    """Campaign -> treatments that carry it and were chosen in the period."""
    chosen_ones = (
        CountedPeople(test_people())
        .of(owned(TREATMENT, TREATMENT.c.campaign_id))
        .where(in_period(when(TREATMENT, query), query))
        .subquery("chosen_ones")
    )
    named = _by_campaign(chosen_ones).where(chosen_ones.c.campaign_id.is_not(None))
    return {row.campaign_id: row.n for row in await session.execute(named)}


def _by_campaign(rows: FromClause) -> Select[Any]:
    return select(rows.c.campaign_id, func.count().label("n")).group_by(rows.c.campaign_id)


async def count_referrals(session: Session, query: ReportQuery) -> Sequence[Any]:
    """(rep_id, kind, reason, n) of what was told of referrals in the period."""
    told = owned(REFERRAL, REFERRAL.c.rep_id, REFERRAL.c.kind, REFERRAL.c.reason).where(
        in_period(when(REFERRAL, query), query)
    )
    mine = counted_people(query).of(told).subquery("mine")
    columns = (mine.c.rep_id, mine.c.kind, mine.c.reason)
    return await session.execute(select(*columns, func.count().label("n")).group_by(*columns))


async def load_acceptance_waits(session: Session, query: ReportQuery) -> Sequence[Any]:
    """(rep_id, waited_us) of each acceptance in the period: since the last offer of that referral before it; None
    without an offer.
    """
    offer = REFERRAL.alias("offer")
    offered_us = (
        select(func.max(offer.c.occurred_us))
        .where(
            offer.c.referral_id == REFERRAL.c.referral_id,
            offer.c.kind == "offered",
            offer.c.occurred_us <= REFERRAL.c.occurred_us,
        )
        .scalar_subquery()
    )
    accepted = owned(REFERRAL, REFERRAL.c.rep_id, (REFERRAL.c.occurred_us - offered_us).label("waited_us")).where(
        REFERRAL.c.kind == "accepted", in_period(when(REFERRAL, query), query)
    )
    mine = counted_people(query).of(accepted).subquery("mine")
    return await session.execute(select(mine.c.rep_id, mine.c.waited_us))


async def count_clocks(session: Session, query: ReportQuery) -> Sequence[Any]:
    """(clock, kind, was_breached, n) of what was told of clocks in the period."""
    told = owned(CLOCK, CLOCK.c.clock, CLOCK.c.kind, CLOCK.c.was_breached).where(in_period(when(CLOCK, query), query))
    mine = counted_people(query).of(told).subquery("mine")
    columns = (mine.c.clock, mine.c.kind, mine.c.was_breached)
    return await session.execute(select(*columns, func.count().label("n")).group_by(*columns))


async def campaigns_page(session: Session, channel: str | None, after: str | None, limit: int) -> list[Campaign]:
    """Campaigns in the order of their ids: the oldest first."""
    statement = select(CAMPAIGN).order_by(CAMPAIGN.c.campaign_id).limit(limit)
    if channel is not None:
        statement = statement.where(CAMPAIGN.c.channel == channel)
    if after is not None:
        statement = statement.where(CAMPAIGN.c.campaign_id > after)
    return [campaign_of(row) for row in await session.execute(statement)]


async def costs_page(
    session: Session, campaign_id: str | None, after: tuple[date, str] | None, limit: int
) -> Sequence[Row]:
    """Costs, the latest day first."""
    statement = select(COST).order_by(COST.c.incurred_on.desc(), COST.c.cost_id.desc()).limit(limit)
    if campaign_id is not None:
        statement = statement.where(COST.c.campaign_id == campaign_id)
    if after is not None:
        day, cost_id = after
        statement = statement.where(
            or_(COST.c.incurred_on < day, and_(COST.c.incurred_on == day, COST.c.cost_id < cost_id))
        )
    return await session.execute(statement)


async def rate_rows(session: Session, currency: str | None) -> Sequence[Row]:
    """What was told, by currency, the latest first."""
    statement = select(RATE).order_by(RATE.c.currency, RATE.c.starts_on.desc())
    return await session.execute(statement if currency is None else statement.where(RATE.c.currency == currency))
