"""How long people stayed in a stage, and for how long those who are still there have been."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CTE, BigInteger, ColumnElement, Select, Subquery, and_, case, func, or_, select, type_coerce

from chassis.store.session import Session
from services.metrics.domain.asking import Ask
from services.metrics.domain.stages import Process
from services.metrics.store.funnel import begun_in, place_of, standing
from services.metrics.store.present import Scope, first_seen, in_period, owned, scope_of, scope_of_movers, when
from services.metrics.store.sums import halved, part_sums
from services.metrics.store.tables import FRAGMENT, STAGE


async def load_stays(session: Session, ask: Ask, process: Process) -> Sequence[Any]:
    """Per stage, of stays that ended in the period: `n`, the two middle ones, the 90th of a hundred, and the sum in two parts."""
    moves = _moves(ask, scope_of_movers(ask), process)
    turn: dict[str, Any] = {
        "partition_by": moves.c.person_id,
        "order_by": [moves.c.occurred_us, moves.c.told_us, place_of(process, moves.c.stage), moves.c.stage],
    }
    moved = select(moves, func.row_number().over(**turn).label("place"), func.lag(moves.c.stage).over(**turn).label("before")).subquery("moved")
    # people who were merged entered a stage twice: they stayed from the first time on
    onward: dict[str, Any] = {"partition_by": moved.c.person_id, "order_by": moved.c.place}
    stays = (
        select(
            moved.c.stage,
            (func.lead(moved.c.occurred_us).over(**onward) - moved.c.occurred_us).label("stayed_us"),
            func.lead(moved.c.at_us).over(**onward).label("left_us"),
        )
        .where(or_(moved.c.before.is_(None), moved.c.before != moved.c.stage))
        .subquery("stays")
    )
    place = func.row_number().over(partition_by=stays.c.stage, order_by=stays.c.stayed_us).label("place")
    over = select(stays.c.stage, stays.c.stayed_us, place).where(stays.c.left_us.is_not(None), in_period(stays.c.left_us, ask))
    rows: Sequence[Any] = await session.execute(_picked(over.cte("ordered")))
    return rows


async def load_waiting(session: Session, ask: Ask, process: Process) -> Sequence[Any]:
    """Per stage: how many people are in it now, and since when the one who has been there longest (`since_us`)."""
    scope = scope_of(ask)
    now = standing(process, scope)
    moves = _moves(ask, scope, process)
    entered = (
        select(moves.c.person_id, moves.c.stage, func.max(moves.c.occurred_us).label("since_us"))
        .group_by(moves.c.person_id, moves.c.stage)
        .subquery("entered")
    )
    joined = now.join(entered, and_(entered.c.person_id == now.c.person_id, entered.c.stage == now.c.stage), isouter=True)
    since = func.min(func.coalesce(entered.c.since_us, now.c.occurred_us))
    return await session.execute(
        select(now.c.stage, func.count().label("n"), type_coerce(since, BigInteger).label("since_us")).select_from(joined).group_by(now.c.stage)
    )


def _moves(ask: Ask, scope: Scope, process: Process) -> Subquery:
    """(person_id, stage, occurred_us, told_us, at_us): all moves of people who count, and where they began."""
    told = owned(STAGE, STAGE.c.stage, STAGE.c.occurred_us, STAGE.c.told_us, when(STAGE, ask).label("at_us")).where(~STAGE.c.is_correction)
    begun = begun_in(process, FRAGMENT.c.first_us.label("occurred_us"), FRAGMENT.c.first_told_us.label("told_us"), first_seen(ask).label("at_us"))
    return scope.of(told).union_all(scope.of(begun)).subquery("moves")


def _picked(ordered: CTE) -> Select[Any]:
    """Of stays in the order of their length, per stage: those in the middle, the 90th of a hundred, and the sum."""
    sizes = select(ordered.c.stage, func.count().label("n")).group_by(ordered.c.stage).subquery("sizes")
    n, stayed = sizes.c.n, ordered.c.stayed_us

    def at(wanted: ColumnElement[Any], name: str) -> ColumnElement[Any]:
        return func.max(case((ordered.c.place == wanted, stayed))).label(name)

    columns = [at(halved(n + 1), "low_us"), at(halved(n + 2), "high_us"), at(halved(9 * n + 9, 10), "p90_us"), *part_sums(stayed)]
    joined = ordered.join(sizes, sizes.c.stage == ordered.c.stage)
    return select(ordered.c.stage, func.max(n).label("n"), *columns).select_from(joined).group_by(ordered.c.stage)
