"""Whatever comes in whatever order and however often: reports are those of a plain reckoning over the raw facts, under
the present grouping.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from chassis.context import Context
from chassis.store.database import Database
from contracts.envelope import Event
from contracts.events.lifecycle import SlaBreached, SlaKept, SlaStarted, StageCorrected
from contracts.ids import derive_id
from services.metrics.commands import (
    CostEntry,
    add_campaign,
    record_cost,
    report_campaigns,
    report_funnel,
    report_referrals,
    report_time_in_stage,
)
from services.metrics.domain.campaigns import CampaignMatch
from services.metrics.domain.measures import Attribution, By, ReportQuery, money_text, period_of
from services.metrics.domain.reports import seconds
from services.metrics.store.tables import Table
from tests.support.people import at, merged, per, split
from tests.support.stores import prepare
from tests.unit.metrics import plain_reports
from tests.unit.metrics.builders import (
    REPORTING,
    a_campaign,
    a_clock,
    accepted,
    advanced,
    cmp,
    corrected,
    created,
    entered,
    euros,
    expired,
    hear,
    lost,
    marked,
    offered,
    opened,
    returned,
    treated,
    visited,
    won,
)
from tests.unit.metrics.plain_reports import ORDER, PlainReports

FRAGMENTS = 5
CAMPAIGNS = [
    a_campaign(1, CampaignMatch(name="spring")),
    a_campaign(2, CampaignMatch(source="fair")),
    a_campaign(3, CampaignMatch(name="spring", source="fair")),
]
COSTS = [
    (cmp(1), Decimal("120.50"), at(1).date()),
    (cmp(2), Decimal(80), at(2).date()),
    (cmp(1), Decimal("-20.50"), at(8).date()),
]
CONTEXTS = [
    None,
    None,
    {"name": "Spring"},
    {"source": "FAIR"},
    {"name": "spring", "source": "fair"},
    {"name": "unheard of"},
]
QUERIES = [
    ReportQuery(),
    ReportQuery(attribution=Attribution.LAST_TOUCH),
    ReportQuery(period_of(at(2), at(7), REPORTING.zone)),
    ReportQuery(period_of(at(1).date(), at(6), REPORTING.zone), By.RECEIVED, Attribution.LAST_TOUCH),
]


def a_fact(rng: random.Random, number: int) -> Event:
    """Something about somebody, each with an id of its own however alike they are."""
    event = a_telling(rng, number)
    return event.model_copy(
        update={"meta": event.meta.model_copy(update={"event_id": derive_id("evt", event.meta.at, str(number))})}
    )


def a_telling(rng: random.Random, number: int) -> Event:
    """Moments collide now and then, and what is told may have happened days before."""
    person, when = rng.randint(1, FRAGMENTS), at(rng.randrange(10), hours=rng.choice([0, 0, 3, 7]))
    told_at = when + timedelta(days=rng.choice([0, 0, 2]), microseconds=number)
    meta = {"told_at": told_at}
    match rng.randrange(12):
        case 0 | 1 | 2:
            return visited(
                number,
                person,
                when=when,
                campaign=rng.choice(CONTEXTS),
                is_test=rng.random() < 0.2,
                received_at=told_at,
            )
        case 3 | 4 | 5 | 6:
            stage, previous = rng.choice(ORDER), rng.choice([None, *ORDER])
            return entered(
                person,
                stage,
                when,
                previous=previous,
                told_at=when + timedelta(days=rng.choice([0, 0, 2])),
                is_test=rng.random() < 0.2,
            )
        case 7:
            return rng.choice(
                [
                    created(person, when),
                    marked(person, rng.random() < 0.5, when),
                    corrected(person, rng.choice(ORDER), when),
                ]
            )
        case 8:
            return rng.choice(
                [
                    a_clock(SlaStarted, person, when),
                    a_clock(SlaKept, person, when, is_late=True),
                    a_clock(SlaBreached, person, when),
                ]
            )
        case 9:
            return treated(person, rng.choice([None, cmp(1), cmp(2)]), when)
        case 10:
            amount = rng.choice([None, euros(1000), euros("2500.75")])
            say = rng.choice([opened, opened, advanced, won, won, lost])
            return say(person, f"opp_{rng.randrange(4)}", when, amount=amount, **meta)
        case _:
            rep = rng.choice(["rep_a", "rep_b"])
            answer = rng.choice([offered, offered, accepted, accepted, returned, expired])
            return answer(person, rep, when, referral=f"ref_{person}")


def regroupings(rng: random.Random) -> list[Event]:
    """Merges and splits as identity would tell them."""
    groups, version = [[number] for number in range(1, FRAGMENTS + 1)], 1
    told: list[Event] = []
    for step in range(rng.randrange(5)):
        version += 1
        if rng.random() < 0.6 and len(groups) > 1:
            one, other = rng.sample(groups, 2)
            groups = [group for group in groups if group not in (one, other)] + [one + other]
            told.append(merged(one + other, version, at(step, minutes=1)))
        elif any(len(group) > 1 for group in groups):
            whole = next(group for group in groups if len(group) > 1)
            cut = rng.randrange(1, len(whole))
            groups = [group for group in groups if group is not whole] + [whole[:cut], whole[cut:]]
            told.append(split([whole[:cut], whole[cut:]], version, at(step, minutes=1)))
    return told


async def set_up(database: Database) -> None:
    """Campaigns and costs, and nothing heard."""
    async with database.begin() as session:
        for table in Table.metadata.sorted_tables:
            await session.execute(delete(table))
        context = Context(session, at(40), REPORTING)
        for campaign in CAMPAIGNS:
            await add_campaign(campaign, context)
        for campaign_id, amount, day in COSTS:
            await record_cost(CostEntry(campaign_id, euros(str(amount)), day, None, None), "mona", context)


@dataclass
class Shop:
    """A store that is emptied and filled again; one loop and one engine for all examples, because compiling statements
    takes the most time.
    """

    database: Database
    runner: asyncio.Runner

    def reports_of(self, events: Sequence[Event], cuts: Sequence[int] = ()) -> list[Any]:
        """All reports, after hearing the events in batches that end at these counts."""
        return self.runner.run(self._reports_of(events, cuts))

    async def _reports_of(self, events: Sequence[Event], cuts: Sequence[int]) -> list[Any]:
        await set_up(self.database)
        rest = list(events)
        for cut in cuts:
            await hear(self.database, *rest[:cut])
            del rest[:cut]
        await hear(self.database, *rest)
        async with self.database.read() as session:
            context = Context(session, at(40), REPORTING)
            made: list[Any] = []
            for query in QUERIES:
                made += [await report_funnel(query, context), await report_time_in_stage(query, context)]
                made += [await report_campaigns(query, context), await report_referrals(query, context)]
            return made


@pytest.fixture
def shop(store_url: str) -> Iterator[Shop]:
    with asyncio.Runner() as runner:
        runner.run(prepare(store_url, "services.metrics.migrations"))
        shop = Shop(Database(store_url), runner)
        yield shop
        runner.run(shop.database.close())


# seeds do not get simpler by being smaller
FEW = settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FEW
@given(st.integers(0, 10**6), st.integers(5, 60))
def test_reports_are_those_of_a_plain_reckoning_over_the_raw_facts(shop: Shop, seed: int, count: int) -> None:
    rng = random.Random(seed)
    events = [*(a_fact(rng, number) for number in range(count)), *regroupings(rng)]
    events += rng.choices(events, k=5)
    rng.shuffle(events)
    world = PlainReports(events, CAMPAIGNS, COSTS)
    made = iter(shop.reports_of(events, [3, 10]))
    for query in QUERIES:
        funnel, stays, returns, referrals = next(made), next(made), next(made), next(made)
        assert {
            row.stage: (row.entered, row.continued, row.reached, row.lost_to, row.in_stage_now) for row in funnel.rows
        } == plain_reports.funnel(world, query)
        assert {row.stage: (row.n, row.median, row.p90, row.mean) for row in stays.rows if row.n} == {
            stage: (n, *(seconds(round(length * 10**6)) for length in lengths))
            for stage, (n, *lengths) in plain_reports.time_in_stage(world, query).items()
        }
        now = plain_reports.standing(world)
        assert {row.stage: row.still_in for row in stays.rows if row.still_in} == {
            stage: list(now.values()).count(stage) for stage in now.values()
        }
        expected = plain_reports.returns(world, query)
        assert [row.campaign_id for row in returns.rows] == [cmp(1), cmp(2), cmp(3), None]
        for row in returns.rows:
            for name in (
                "touched",
                "treatments",
                "leads",
                "mqls",
                "sals",
                "sqls",
                "customers",
                "opportunities",
                "without_amount",
            ):
                assert getattr(row, name) == expected[row.campaign_id][name], (row.campaign_id, name)
            for name in ("cost", "revenue", "pipeline"):
                assert getattr(row, name) == money_text(Decimal(expected[row.campaign_id][name])), (
                    row.campaign_id,
                    name,
                )
        assert {
            row.rep_id: (row.offered, row.accepted, row.returned_by_reason, row.expired, row.median_acceptance)
            for row in referrals.rows
        } == plain_reports.referrals(world, query)
        told = [(row.started, row.kept, row.kept_late, row.breached) for row in referrals.clocks] or [(0, 0, 0, 0)]
        assert told == [plain_reports.clocks(world, query)]


@FEW
@given(st.integers(0, 10**6), st.lists(st.integers(0, 30), max_size=4))
def test_order_repetition_and_how_batches_are_cut_change_nothing(shop: Shop, seed: int, cuts: list[int]) -> None:
    rng = random.Random(seed)
    events = [*(a_fact(rng, number) for number in range(30)), *regroupings(rng)]
    control = shop.reports_of(events)
    shuffled = events + rng.choices(events, k=10)
    rng.shuffle(shuffled)
    assert shop.reports_of(shuffled, cuts) == control


@FEW
@given(st.integers(0, 10**6))
def test_people_who_were_merged_and_split_again_count_as_if_nothing_had_been(shop: Shop, seed: int) -> None:
    rng = random.Random(seed)
    facts = [fact for fact in (a_fact(rng, number) for number in range(40)) if not isinstance(fact, StageCorrected)]
    control = shop.reports_of(facts)
    everybody = list(range(1, FRAGMENTS + 1))
    now = plain_reports.standing(PlainReports(facts, CAMPAIGNS))
    # lifecycle corrects the survivor, and again when they are parted
    told: list[Event] = [merged(everybody, 2, at(20)), split([[number] for number in everybody], 3, at(21))]
    if per(1) in now:
        told += [corrected(1, "sql", at(20)), corrected(1, now[per(1)], at(21))]
    events = [*facts, *told]
    rng.shuffle(events)
    assert shop.reports_of(events, [7]) == control
