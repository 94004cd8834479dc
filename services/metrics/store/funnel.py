"""Who entered which stage, who went on, who left, and who is where."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.metrics.domain.asking import Ask
from services.metrics.domain.stages import Process
from services.metrics.store.present import Scope, in_period, owned, scope_of, when
from services.metrics.store.tables import FRAGMENT, STAGE


async def load_stage_names(session: AsyncSession) -> set[str]:
    """The stages that ever occurred."""
    return set(await session.scalars(select(STAGE.c.stage).distinct()))


async def count_moves(session: AsyncSession, ask: Ask, process: Process, stages: tuple[str, ...]) -> dict[str, int]:
    """`entered_<n>`, `continued_<n>` for the n-th of `stages`; `reached_<n>` and `cohort` for those who were first seen in the period.

    To go on is to enter a stage further down the line, at the same moment or later; from aside, to come back to the line, later.
    """
    moves = entries(ask, scope_of(ask))
    rank = _rank(moves.c.stage, process)
    columns: list[ColumnElement[Any]] = [func.min(moves.c.at_us).label("first_us"), func.max(rank).label("furthest")]
    for number, stage in enumerate(stages):
        in_it = and_(moves.c.stage == stage, in_period(moves.c.at_us, ask))
        beyond = rank > process.rank(stage) if stage in process.line else rank.is_not(None)
        columns += [
            func.min(case((in_it, moves.c.at_us))).label(f"in_{number}"),
            func.max(case((beyond, moves.c.at_us))).label(f"beyond_{number}"),
        ]
    people = select(*columns).group_by(moves.c.person_id).subquery("people")
    is_new = in_period(people.c.first_us, ask)
    counts = [_count(is_new).label("cohort")]
    for number, stage in enumerate(stages):
        entered, beyond = people.c[f"in_{number}"], people.c[f"beyond_{number}"]
        went_on = beyond >= entered if stage in process.line else beyond > entered
        counts += [func.count(entered).label(f"entered_{number}"), _count(went_on).label(f"continued_{number}")]
        if stage in process.line:
            counts.append(_count(and_(is_new, people.c.furthest >= process.rank(stage))).label(f"reached_{number}"))
    return dict((await session.execute(select(*counts).select_from(people))).one()._mapping)


async def count_leavers(session: AsyncSession, ask: Ask, process: Process) -> dict[tuple[str, str], int]:
    """(stage, stage aside) -> people who entered the one in the period and went from it straight to the other, then or later."""
    moves = entries(ask, scope_of(ask))
    left = (
        select(moves.c.person_id, moves.c.previous.label("stage"), moves.c.stage.label("aside"), func.max(moves.c.at_us).label("left_us"))
        .where(moves.c.stage.not_in(process.line), moves.c.previous.in_(process.line))
        .group_by(moves.c.person_id, moves.c.previous, moves.c.stage)
        .subquery("gone")
    )
    came = (
        select(moves.c.person_id, moves.c.stage, func.min(moves.c.at_us).label("came_us"))
        .where(in_period(moves.c.at_us, ask), moves.c.person_id.in_(select(left.c.person_id)))
        .group_by(moves.c.person_id, moves.c.stage)
        .subquery("came")
    )
    joined = left.join(came, and_(came.c.person_id == left.c.person_id, came.c.stage == left.c.stage, left.c.left_us >= came.c.came_us))
    rows = await session.execute(select(left.c.stage, left.c.aside, func.count()).select_from(joined).group_by(left.c.stage, left.c.aside))
    return {(stage, aside): count for stage, aside, count in rows}


async def count_present(session: AsyncSession, ask: Ask, process: Process) -> dict[str, int]:
    """Stage -> people who are in it now."""
    now = standing(process, scope_of(ask))
    rows = await session.execute(select(now.c.stage, func.count().label("n")).group_by(now.c.stage))
    return {row.stage: row.n for row in rows}


def entries(ask: Ask, scope: Scope) -> CTE:
    """(person_id, stage, previous, at_us): all moves of people who count; corrections are none."""
    moves = owned(STAGE, STAGE.c.stage, STAGE.c.previous, when(STAGE, ask).label("at_us")).where(~STAGE.c.is_correction)
    return scope.of(moves).cte("entries")


def standing(process: Process, scope: Scope) -> CTE:
    """(person_id, stage): what was last said of each person.

    It is what was last said under the id they have now; while lifecycle has not yet said anything under it (right after a merge), what was
    last said of any of their fragments. What was said at one moment (one capture can bring about a correction and moves) is a chain: the last is
    the one that no other began at.
    """
    order = [STAGE.c.told_us.desc(), _is_followed(), STAGE.c.occurred_us.desc(), place_of(process).desc(), STAGE.c.stage.desc()]
    latest = select(STAGE.c.person_id, func.max(STAGE.c.told_us).label("told_us")).group_by(STAGE.c.person_id).subquery("latest")
    is_own = STAGE.c.person_id == FRAGMENT.c.person_id
    said = _ranked(owned(STAGE, STAGE.c.stage, STAGE.c.occurred_us), order)
    own = said.join(latest, and_(latest.c.person_id == STAGE.c.person_id, latest.c.told_us == STAGE.c.told_us)).where(is_own)
    silent = FRAGMENT.c.person_id.not_in(select(STAGE.c.person_id))
    others = said.where(~is_own, silent)
    both = scope.of(own).union_all(scope.of(others)).subquery("both_ways")
    return select(both.c.person_id, both.c.stage, both.c.occurred_us).where(both.c.place == 1).cte("standing")


def _ranked(statement: Select[Any], order: list[Any]) -> Select[Any]:
    return statement.add_columns(func.row_number().over(partition_by=FRAGMENT.c.person_id, order_by=order).label("place"))


def _is_followed() -> ColumnElement[Any]:
    other = STAGE.alias("other")
    follower = select(literal(1)).where(other.c.person_id == STAGE.c.person_id, other.c.told_us == STAGE.c.told_us, other.c.previous == STAGE.c.stage)
    return case((follower.exists(), 1), else_=0)


def place_of(process: Process) -> ColumnElement[Any]:
    """The place of a stage in the order of reports: of two moves at one moment the one further down came later."""
    places = {stage: place for place, stage in enumerate((*process.line, *process.aside))}
    return case(*((STAGE.c.stage == stage, place) for stage, place in places.items()), else_=len(places))


def _rank(stage: ColumnElement[Any], process: Process) -> ColumnElement[Any]:
    return case(*((stage == name, place) for place, name in enumerate(process.line)))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
