"""What all reads have in common: whose a fact is now, who is a test, which campaign is credited with whom; and reads
for the view of a person.

Nothing of it is kept, so that a merge, a split, a mark or a late fact is in the next answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy import Table as CoreTable

from chassis.store.batch import one_of
from chassis.store.session import Session
from services.metrics.domain.measures import Attribution, By, Rates, ReportQuery
from services.metrics.store.tables import CAMPAIGN, DEAL, FRAGMENT, HEARD, RATE, STAGE, TAG, TOUCH

WON, LOST = 2, 3
"""Steps of an opportunity that end it."""

# in the words of the index, or SQLite would not know it for the same
_IS_SUSPECT = text("(fragment.has_test OR fragment.is_marked OR fragment.told_test)")


def test_people() -> CTE:
    """Who does not count: somebody with a marked fragment; else, of whom something was captured, somebody of whom
    nothing real was; else whoever was a test by the last word said of them.
    """
    suspects = select(FRAGMENT.c.person_id).where(_IS_SUSPECT)
    marked, real, test = (
        func.max(case((flag, 1), else_=0)) == 1
        for flag in (FRAGMENT.c.is_marked, FRAGMENT.c.has_real, FRAGMENT.c.has_test)
    )
    said_test = func.max(case((FRAGMENT.c.told_test, FRAGMENT.c.told_key), else_=""))
    said_real = func.max(case((FRAGMENT.c.told_test, ""), else_=FRAGMENT.c.told_key))
    people = select(FRAGMENT.c.person_id).where(FRAGMENT.c.person_id.in_(suspects)).group_by(FRAGMENT.c.person_id)
    return people.having(or_(marked, and_(~real, or_(test, said_test > said_real)))).cte("test_people")


def owned(table: CoreTable, *columns: ColumnElement[Any]) -> Select[Any]:
    """Rows of facts with the person they belong to now, `person_id` first."""
    # the needless bound has SQLite go through fragments in the order of people,
    # so that grouping by person sorts nothing
    in_order = FRAGMENT.c.person_id > ""
    return (
        select(FRAGMENT.c.person_id, *columns)
        .join_from(FRAGMENT, table, FRAGMENT.c.fragment_id == table.c.fragment_id)
        .where(in_order)
    )


@dataclass(frozen=True, slots=True)
class CountedPeople:
    """Who counts in one statement: nobody of `tests`; where only some campaigns are asked for, only those `credited` to
    them; and where a report is on a period, only those who are `concerned` by it.
    """

    tests: CTE
    credited: CTE | None = None
    concerned: CTE | None = None

    def of(self, statement: Select[Any]) -> Select[Any]:
        """Only facts of people who count."""
        statement = statement.where(FRAGMENT.c.person_id.not_in(select(self.tests.c.person_id)))
        for people in (self.credited, self.concerned):
            if people is not None:
                statement = statement.where(FRAGMENT.c.person_id.in_(select(people.c.person_id)))
        return statement


def counted_people(query: ReportQuery) -> CountedPeople:
    """Everybody but tests; with `query.campaign_id` or `query.channel` only people whom such a campaign is credited
    with.
    """
    if not query.is_filtered:
        return CountedPeople(test_people())
    credit = credits_of_people(query.attribution)
    people = (
        select(credit.c.person_id)
        .join(CAMPAIGN, CAMPAIGN.c.campaign_id == credit.c.campaign_id)
        .where(is_asked_for(query))
    )
    return CountedPeople(test_people(), people.cte("credited"))


def counted_movers(query: ReportQuery) -> CountedPeople:
    """As `counted_people`, and where there is a period only those who entered a stage in it, told or begun: what a
    report on entries or stays counts is about nobody else, so that it reads what happened in the period, and the
    whole way of these people only.
    """
    return replace(counted_people(query), concerned=movers(query))


def movers(query: ReportQuery) -> CTE | None:
    """(person_id): everybody who entered a stage in the period; None where the period is all time."""
    if query.period.start_us is None and query.period.end_us is None:
        return None
    told = select(STAGE.c.fragment_id).where(in_period(when(STAGE, query), query), ~STAGE.c.is_correction)
    moved = select(FRAGMENT.c.person_id).where(FRAGMENT.c.fragment_id.in_(told))
    return moved.union(select(FRAGMENT.c.person_id).where(in_period(first_seen(query), query))).cte("movers")


def first_seen(query: ReportQuery) -> ColumnElement[Any]:
    """When a person was first seen, which is when they began where everybody begins: the time that decides.

    Null on their other fragments.
    """
    return FRAGMENT.c.first_us if query.by is By.OCCURRED else FRAGMENT.c.first_told_us


def in_period(moment: ColumnElement[Any], query: ReportQuery) -> ColumnElement[bool]:
    """Whether a moment lies in the period."""
    bounds = [] if query.period.start_us is None else [moment >= query.period.start_us]
    return and_(True, *bounds, *([] if query.period.end_us is None else [moment < query.period.end_us]))


def when(table: CoreTable, query: ReportQuery) -> ColumnElement[Any]:
    """The time that decides: when it happened, or when it was told."""
    if query.by is By.OCCURRED:
        return table.c.occurred_us
    return table.c.received_us if table is TOUCH else table.c.told_us


def is_asked_for(query: ReportQuery) -> ColumnElement[bool]:
    """Whether a campaign is one of those asked for."""
    named = [] if query.campaign_id is None else [CAMPAIGN.c.campaign_id == query.campaign_id]
    return and_(True, *named, *([] if query.channel is None else [CAMPAIGN.c.channel == query.channel]))


def matched_touches(*columns: ColumnElement[Any]) -> Select[Any]:
    """Touches that belong to a campaign, each with its person and its tag; test interactions are none."""
    matched = select(TAG.c.tag_id).where(TAG.c.campaign_id.is_not(None))
    return owned(TOUCH, TOUCH.c.tag_id, *columns).where(TOUCH.c.tag_id.in_(matched), ~TOUCH.c.is_test)


def latest_deals(limit: ColumnElement[bool] | None = None, told_of: Select[Any] | None = None) -> CTE:
    """Opportunities as they were last told of: `step`, amount; and whose they are, by the fragment they were first told
    on.

    `limit` restricts the people looked at, `told_of` the opportunities.
    """
    order = (DEAL.c.told_us, DEAL.c.occurred_us, DEAL.c.step, DEAL.c.event_id)
    first: dict[str, Any] = {"partition_by": DEAL.c.opportunity_id, "order_by": order}
    told = select(
        DEAL.c.opportunity_id,
        DEAL.c.step,
        DEAL.c.amount_e4,
        DEAL.c.currency,
        DEAL.c.occurred_us,
        DEAL.c.told_us,
        func.first_value(DEAL.c.fragment_id).over(**first).label("fragment_id"),
        func.first_value(DEAL.c.occurred_us).over(**first).label("opened_us"),
        func.first_value(DEAL.c.told_us).over(**first).label("opened_told_us"),
        func.row_number()
        .over(partition_by=DEAL.c.opportunity_id, order_by=[column.desc() for column in order])
        .label("place"),
    )
    if limit is not None:
        told = told.where(
            DEAL.c.opportunity_id.in_(
                owned(DEAL, DEAL.c.opportunity_id).where(limit).with_only_columns(DEAL.c.opportunity_id)
            )
        )
    if told_of is not None:
        told = told.where(DEAL.c.opportunity_id.in_(told_of))
    each = told.subquery("told")
    latest = select(each, FRAGMENT.c.person_id).join(FRAGMENT, FRAGMENT.c.fragment_id == each.c.fragment_id)
    return latest.where(each.c.place == 1).cte("deals")


def credits_of_people(attribution: Attribution, limit: ColumnElement[bool] | None = None) -> Subquery:
    """(person_id, campaign_id, occurred_us): the touch that is credited with a person.

    `limit` restricts the people looked at.

    The first touch is the earliest of all; the last touch the latest that came no later than the
    person's first opportunity, if there is one.
    """
    touches = matched_touches(TOUCH.c.occurred_us)
    if limit is not None:
        touches = touches.where(limit)
    if attribution is Attribution.LAST_TOUCH:
        deals = latest_deals(limit)
        firsts = (
            select(deals.c.person_id, func.min(deals.c.opened_us).label("opened_us"))
            .group_by(deals.c.person_id)
            .subquery("firsts")
        )
        touches = touches.join(firsts, firsts.c.person_id == FRAGMENT.c.person_id, isouter=True)
        touches = touches.where(or_(firsts.c.opened_us.is_(None), TOUCH.c.occurred_us <= firsts.c.opened_us))
    return _best(touches, FRAGMENT.c.person_id, attribution).subquery("credit")


def credits_of_deals(attribution: Attribution, deals: CTE) -> Subquery:
    """(opportunity_id, campaign_id): the touch credited with an opportunity; a last touch came no later than it was
    opened.
    """
    touches = matched_touches(deals.c.opportunity_id).join(deals, deals.c.person_id == FRAGMENT.c.person_id)
    if attribution is Attribution.LAST_TOUCH:
        touches = touches.where(TOUCH.c.occurred_us <= deals.c.opened_us)
    return _best(touches, deals.c.opportunity_id, attribution).subquery("credit")


async def count_tests(session: Session) -> int:
    """How many people are tests."""
    tests = test_people()
    return int(await session.scalar(select(func.count()).select_from(tests)) or 0)


def among(session: Session, person_ids: Collection[str]) -> ColumnElement[bool]:
    """A limit to these people."""
    return one_of(FRAGMENT.c.person_id, person_ids)


def _best(touches: Select[Any], of: ColumnElement[Any], attribution: Attribution) -> Select[Any]:
    order: list[ColumnElement[Any]] = [TOUCH.c.occurred_us, TOUCH.c.interaction_id]
    if attribution is Attribution.LAST_TOUCH:
        order = [column.desc() for column in order]
    ranked = touches.add_columns(func.row_number().over(partition_by=of, order_by=order).label("place")).subquery(
        "ranked"
    )
    return select(ranked, TAG.c.campaign_id).join(TAG, TAG.c.tag_id == ranked.c.tag_id).where(ranked.c.place == 1)


async def load_heard(session: Session) -> dict[str, datetime]:
    """Owner -> the time of the latest event heard of it."""
    rows = await session.execute(
        select(HEARD.c.owner, func.max(HEARD.c.latest_at).label("latest_at")).group_by(HEARD.c.owner)
    )
    return {row.owner: row.latest_at for row in rows}


async def load_credits(session: Session, person_ids: Collection[str], attribution: Attribution) -> dict[str, Any]:
    """Person -> (campaign_id, name, occurred_us) of the touch credited with them."""
    credit = credits_of_people(attribution, among(session, person_ids))
    joined = credit.join(CAMPAIGN, CAMPAIGN.c.campaign_id == credit.c.campaign_id)
    rows = await session.execute(
        select(credit.c.person_id, credit.c.campaign_id, CAMPAIGN.c.name, credit.c.occurred_us).select_from(joined)
    )
    return {row.person_id: row for row in rows}


async def load_wins(session: Session, person_ids: Collection[str]) -> Sequence[Any]:
    """Opportunities of these people that were won and have an amount."""
    deals = latest_deals(among(session, person_ids))
    mine = one_of(deals.c.person_id, person_ids)  # type: ignore[arg-type]
    columns = (deals.c.person_id, deals.c.amount_e4, deals.c.currency, deals.c.occurred_us)
    return await session.execute(select(*columns).where(mine, deals.c.step == WON, deals.c.amount_e4.is_not(None)))


async def load_rates(session: Session, currency: str) -> Rates:
    """Rates into the reporting currency."""
    rows = await session.execute(select(RATE.c.currency, RATE.c.starts_on, RATE.c.rate))
    return Rates(currency, [(row.currency, row.starts_on, row.rate) for row in rows])


_PART = 1_000_000  # stores divide whole numbers without a remainder, and sums must not run over 64 bits


def quotient(number: ColumnElement[Any], by: int = 2) -> ColumnElement[Any]:
    """number / by, cut off."""
    return number.op("/", precedence=8)(literal_column(str(by)))


def part_sums(column: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The sum of a column in two parts, `high` and `low`: one alone could run over."""
    high, low = (column.op(sign)(literal_column(str(_PART))) for sign in ("/", "%"))
    return type_coerce(func.sum(high), BigInteger).label("high"), type_coerce(func.sum(low), BigInteger).label("low")


def sum_of_parts(row: Any) -> int:
    """The sum that `part_sums` gave."""
    return int(row.high or 0) * _PART + int(row.low or 0)
