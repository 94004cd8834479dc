"""The store and the handlers against the pure domain: whatever happens, and however it is cut into batches, both come
to the same.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

import pytest
import pytest_asyncio
from sqlalchemy import func, select, text

from chassis.context import Context
from chassis.store.database import Database
from chassis.store.migrate import drift
from chassis.store.timers import Timer
from contracts.envelope import Event
from contracts.events.lifecycle import SlaBreached, SlaReminded, StageCorrected, StageEntered
from contracts.events.scoring import ProfileChanged, ScoreChanged
from services.lifecycle.commands import DealReport, give_verdict, lose_deal, open_deal
from services.lifecycle.domain.incoming_events import IncomingEvent
from services.lifecycle.domain.sales import WAKE, SalesVerdict
from services.lifecycle.domain.transitions import BREACH, REMIND
from services.lifecycle.domain.workspace import Clock, CurrentStage, Move, in_order
from services.lifecycle.events import on_breaches_due, on_people_told, on_reminders_due, on_wakes_due
from services.lifecycle.rulebooks import REGISTRY
from services.lifecycle.store.load import find_external_deal
from services.lifecycle.store.rows import clock_of, current_stage_of, move_of
from services.lifecycle.store.tables import CLOCK, CURRENT_STAGE, MOVE, Table
from tests.support.eventually import eventually
from tests.support.people import at, frg, merged, per
from tests.support.statement_recorder import recorded
from tests.support.stores import prepare
from tests.unit.lifecycle.builders import DEFAULT, accepted, created, profile, ready, scored
from tests.unit.lifecycle.lives import a_life
from tests.unit.lifecycle.world import World

ADA, BEA = per(1), per(2)


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Database]:
    await prepare(store_url, "services.lifecycle.migrations")
    database = Database(store_url)
    async with database.begin() as session:
        context = Context(session, at(-1))
        await REGISTRY.add_draft(context, DEFAULT, "tester")
        await REGISTRY.activate(context, 1, "tester")
    yield database
    await database.close()


async def hear(store: Database, events: Sequence[IncomingEvent]) -> Context:
    """One transaction of consecutive events."""
    async with store.begin() as session:
        context = Context(session, at(100))
        await on_people_told(events, context)
        return context


async def fire(store: Database, kind: str, key: str, due_at: datetime, now: datetime) -> list[Event]:
    async with store.begin() as session:
        context = Context(session, now)
        handler = {REMIND: on_reminders_due, BREACH: on_breaches_due, WAKE: on_wakes_due}[kind]
        await handler([Timer(kind, key, due_at, {"fragment_id": frg(1)})], context)
        return list(context.said)


async def rows_of(store: Database) -> tuple[list[Move], dict[str, CurrentStage], dict[str, Clock]]:
    async with store.read() as session:
        moves = [move_of(row) for row in await session.execute(select(MOVE))]
        stages = {row.person_id: current_stage_of(row) for row in await session.execute(select(CURRENT_STAGE))}
        clocks = {row.clock_id: clock_of(row) for row in await session.execute(select(CLOCK))}
    return moves, stages, clocks


async def test_the_migrations_make_the_tables_that_the_code_speaks_of(store_url: str) -> None:
    await prepare(store_url, "services.lifecycle.migrations")
    assert await drift(store_url, Table.metadata) == []


@pytest.mark.parametrize("seed", range(6))
async def test_the_store_comes_to_what_the_domain_comes_to_however_batches_are_cut(store: Database, seed: int) -> None:
    rng = random.Random(seed)
    events = a_life(rng, 90)
    world = World().hear(*events)
    said: list[Event] = []
    rest = list(events)
    while rest:
        size = rng.choice([1, 3, 10, 40])
        said += (await hear(store, rest[:size])).said
        del rest[:size]
    assert [(one.meta.event_id, one.body()) for one in said] == [
        (one.meta.event_id, one.body()) for one in world.workspace.said
    ]
    moves, stages, clocks = await rows_of(store)
    assert in_order(moves) == in_order(world.workspace.new_moves)
    assert stages == world.workspace.stages
    assert clocks == world.workspace.clocks
    assert len(said) > 10


async def test_what_is_heard_costs_the_same_number_of_statements_for_few_as_for_many(store: Database) -> None:
    await hear(store, [event for number in range(1, 61) for event in ready(per(number))])
    counts = []
    for people, day in ((5, 1), (60, 2)):  # few rows are asked what became of them, more are looked for first
        answers = [
            event
            for number in range(1, people + 1)
            for event in (accepted(per(number), at(day)), scored(per(number), "A1", at(day, hours=1)))
        ]
        counts.append(await _counted(store, answers))
    assert counts[0] == counts[1]
    assert counts[1] < 20


async def _counted(store: Database, events: Sequence[IncomingEvent]) -> int:
    async with store.begin() as session:
        recording, recorder = recorded(session)
        await on_people_told(events, Context(recording, at(100)))
    return len(recorder.statements)


async def test_a_clock_reminds_and_breaches_by_its_timers_and_is_only_then_silent(store: Database) -> None:
    context = await hear(store, ready(ADA))
    alarms = {kind: (key, alarm.due_at) for (kind, key), alarm in context.timers.items() if alarm is not None}
    assert {kind: due for kind, (_, due) in alarms.items()} == {REMIND: at(hours=20), BREACH: at(hours=24)}
    (reminded,) = await fire(store, REMIND, *alarms[REMIND], at(hours=20))
    assert isinstance(reminded, SlaReminded)
    (breached,) = await fire(store, BREACH, *alarms[BREACH], at(hours=30))  # the timer was late
    assert isinstance(breached, SlaBreached)
    assert (breached.occurred_at, breached.meta.at) == (at(hours=24), at(hours=30))
    assert await fire(store, BREACH, *alarms[BREACH], at(hours=30)) == []
    context = await hear(store, [accepted(ADA, at(2))])
    assert set(context.timers.values()) == {None}
    assert {clock.ended_at for clock in (await rows_of(store))[2].values()} == {at(2)}


async def test_a_reminder_that_comes_after_the_end_says_nothing(store: Database) -> None:
    context = await hear(store, ready(ADA))
    ((kind, key),) = [name for name in context.timers if name[0] == REMIND]
    assert await fire(store, kind, key, at(hours=20), at(hours=25)) == []


async def test_a_person_is_woken_by_the_timer_of_the_move_also_after_a_merge(store: Database) -> None:
    await hear(store, [*ready(ADA), accepted(ADA, at(hours=1))])
    async with store.begin() as session:
        context = Context(session, at(1))
        await give_verdict(
            context, ADA, SalesVerdict("", "recycle", "usr_ines", at(1), at(1), "bad_timing", wake_at=at(60))
        )
        ((kind, key),) = [name for name, alarm in context.timers.items() if alarm is not None]
    assert kind == WAKE
    await hear(store, [created(per(0), at(2)), merged([0, 1], 2, at(3))])
    said = await fire(store, kind, key, at(60), at(60))
    assert [(one.person_id, one.stage) for one in said if isinstance(one, StageEntered)] == [(per(0), "known")]
    assert await fire(store, kind, key, at(60), at(60)) == []


async def test_who_is_seen_and_merged_in_one_batch_takes_nothing_from_the_survivor(store: Database) -> None:
    await hear(store, ready(ADA))
    context = await hear(store, [created(BEA, at(1)), merged([1, 2], 2, at(2))])
    assert [event.stage for event in context.said if isinstance(event, StageEntered | StageCorrected)] == []
    assert (await rows_of(store))[1][ADA].stage == "mql"


async def test_who_loses_a_part_in_passing_keeps_what_hangs_on_the_others(store: Database) -> None:
    """Scoring may speak of a split before identity does, and names one fragment only."""
    everybody = [1, 2, 3]
    await hear(store, [created(ADA), created(BEA), *ready(per(3)), merged([1, 3], 2), merged(everybody, 3)])
    await hear(store, [scored(BEA, "D4", at(1), version=4)])
    stages = (await rows_of(store))[1]
    assert (stages[ADA].stage, sorted(stages[ADA].homes), stages[BEA].stage) == ("mql", [frg(3)], None)


async def test_nothing_is_written_of_a_stranger_who_stays_where_everybody_begins(store: Database) -> None:
    context = await hear(
        store, [scored(ADA, "D3", at(1)), scored(ADA, "D2", at(2), version=1), scored(BEA, "D3", at(1))]
    )
    assert list(context.said) == []
    async with store.read() as session:
        counts = {
            table.name: await session.scalar(select(func.count()).select_from(table))
            for table in Table.metadata.sorted_tables
        }
    assert {name for name, count in counts.items() if count} == {"rulebook"}


async def test_a_stranger_who_was_merged_is_found_by_either_name(store: Database) -> None:
    """Nothing was known of either, and still the merge is remembered: what is told later of the one who was absorbed is
    about the survivor.
    """
    await hear(store, [scored(ADA, "D3", at(1)), scored(BEA, "D3", at(1)), merged([1, 2], 2, at(2))])
    await hear(store, [event for event in ready(BEA, at(3)) if isinstance(event, ScoreChanged | ProfileChanged)])
    await hear(store, [profile(ADA, at(4), version=2, email="ada@acme.example")])
    moves, stages, _ = await rows_of(store)
    assert [(move.fragment_id, move.stage) for move in in_order(moves)] == [(frg(1), "anonymous"), (frg(1), "known")]
    assert set(stages) == {ADA}


async def test_a_verdict_that_waited_for_a_merge_is_on_the_survivor(store: Database) -> None:
    await hear(store, [*ready(ADA), *ready(BEA)])

    async def recycle() -> str:
        async with store.begin() as session:
            return await give_verdict(
                Context(session, at(1)), BEA, SalesVerdict("", "recycle", "usr_ines", at(1), at(1), "bad_timing")
            )

    async with store.begin() as session:
        await on_people_told([merged([1, 2], 2, at(1))], Context(session, at(1)))
        waiting = asyncio.create_task(recycle())
        if store.dialect == "postgresql":  # on SQLite it waits for its turn to write
            await eventually(lambda: _is_anybody_waiting(store))
    assert await waiting == ADA
    assert (await rows_of(store))[1][ADA].stage == "recycled"


async def _is_anybody_waiting(store: Database) -> bool:
    async with store.read() as session:
        return bool(
            await session.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
        )


async def test_two_verdicts_at_once_make_one_move(store: Database) -> None:
    """On PostgreSQL two transactions meet at the lock of the person; on SQLite they take turns."""
    await hear(store, [*ready(ADA), accepted(ADA, at(hours=1))])

    async def qualify(by: str) -> int:
        async with store.begin() as session:
            context = Context(session, at(1))
            await give_verdict(context, ADA, SalesVerdict("", "qualify", by, at(1), at(1)))
            return len(context.said)

    assert sorted(await asyncio.gather(qualify("usr_ines"), qualify("usr_omar"))) == [0, 1]
    assert [move.stage for move in in_order((await rows_of(store))[0])] == [
        "anonymous",
        "known",
        "engaged",
        "mql",
        "sal",
        "sql",
    ]


async def test_whatever_is_asked_about_a_deal_its_person_is_loaded_once(store: Database) -> None:
    await hear(store, [*ready(ADA), accepted(ADA, at(hours=1))])

    async def ask(hours: int, command: Callable[[Context], Awaitable[object]]) -> int:
        async with store.begin() as session:
            recording, recorder = recorded(session)
            await command(Context(recording, at(2, hours=hours)))
        return sum("FROM current_stage" in sql for sql, _ in recorder.statements)

    report = DealReport("usr_ines", at(2), name="Forklifts", external_id="crm-1", reason="price")
    await ask(0, lambda context: give_verdict(context, ADA, SalesVerdict("", "qualify", "usr_ines", at(2), at(2))))
    opened = await ask(1, lambda context: open_deal(context, ADA, report))
    changed = await ask(2, lambda context: open_deal(context, ADA, replace(report, step="offer")))
    async with store.read() as session:
        deal = await find_external_deal(session, "crm-1")
    assert deal is not None
    lost = await ask(3, lambda context: lose_deal(context, deal.opportunity_id, report))
    assert (deal.step, opened, changed, lost) == ("offer", 1, 1, 1)
