"""Who entered which stage, who went on, who left, and who is where."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, String, and_, case, func, literal, null, select

from chassis.store.session import Session
from services.metrics.domain.asking import Ask
from services.metrics.domain.stages import Process
from services.metrics.store.present import Scope, first_seen, in_period, owned, scope_of, scope_of_movers, when
from services.metrics.store.tables import FRAGMENT, STAGE


async def load_stage_names(session: Session) -> set[str]:
    """The stages that ever occurred; from each the index leads to the next, past all who are in it."""
    stages = select(func.min(STAGE.c.stage).label("stage")).cte("stages", recursive=True)
    following = select(func.min(STAGE.c.stage)).where(STAGE.c.stage > stages.c.stage).scalar_subquery()
    stages = stages.union_all(select(following).where(stages.c.stage.is_not(None)))
    return set(await session.scalars(select(stages.c.stage).where(stages.c.stage.is_not(None))))


async def count_moves(session: Session, ask: Ask, process: Process, stages: tuple[str, ...]) -> dict[str, int]:
    """`entered_<n>`, `continued_<n>` for the n-th of `stages`; `reached_<n>` and `cohort` for those who were first seen in the period.

    To go on is to enter a stage further down the line, at the same moment or later; from aside, to come back to the line, later.
    """
    moves = entries(ask, scope_of_movers(ask), process)
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
    return (await session.execute(select(*counts).select_from(people))).one()._asdict()


async def count_leavers(session: Session, ask: Ask, process: Process) -> dict[tuple[str, str], int]:
    """(stage, stage aside) -> people who entered the one in the period and went from it straight to the other, then or later."""
    moves = entries(ask, scope_of_movers(ask), process)
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


async def count_present(session: Session, ask: Ask, process: Process) -> dict[str, int]:
    """Stage -> people who are in it now."""
    now = standing(process, scope_of(ask))
    rows = await session.execute(select(now.c.stage, func.count().label("n")).group_by(now.c.stage))
    return {row.stage: row.n for row in rows}


def entries(ask: Ask, scope: Scope, process: Process) -> CTE:
    """(person_id, stage, previous, at_us): all moves of people who count, and where they began; corrections are none."""
    moves = owned(STAGE, STAGE.c.stage, STAGE.c.previous, when(STAGE, ask).label("at_us")).where(~STAGE.c.is_correction)
    begun = begun_in(process, null().label("previous"), first_seen(ask).label("at_us"))
    return scope.of(moves).union_all(scope.of(begun)).cte("entries")


def begun_in(process: Process, *columns: ColumnElement[Any]) -> Select[Any]:
    """(person_id, stage, ...): where everybody began, who is a person by themselves or was one before a merge."""
    stage = literal(process.line[0], String).label("stage")
    return select(FRAGMENT.c.person_id, stage, *columns).where(FRAGMENT.c.first_us.is_not(None))


def standing(process: Process, scope: Scope) -> CTE:
    """(person_id, stage, occurred_us): where each person is: what was last said of them, else where everybody begins."""
    said = _said(process, scope)
    silent = FRAGMENT.c.person_id.not_in(select(said.c.person_id))
    begun = scope.of(begun_in(process, func.min(FRAGMENT.c.first_us).label("occurred_us"))).where(silent).group_by(FRAGMENT.c.person_id)
    return select(said.c.person_id, said.c.stage, said.c.occurred_us).union_all(begun).cte("standing")


def _said(process: Process, scope: Scope) -> CTE:
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
    return select(both.c.person_id, both.c.stage, both.c.occurred_us).where(both.c.place == 1).cte("said")


def _ranked(statement: Select[Any], order: list[Any]) -> Select[Any]:
    return statement.add_columns(func.row_number().over(partition_by=FRAGMENT.c.person_id, order_by=order).label("place"))


def _is_followed() -> ColumnElement[Any]:
    other = STAGE.alias("other")
    follower = select(literal(1)).where(other.c.person_id == STAGE.c.person_id, other.c.told_us == STAGE.c.told_us, other.c.previous == STAGE.c.stage)
    return case((follower.exists(), 1), else_=0)


def place_of(process: Process, stage: ColumnElement[Any] = STAGE.c.stage) -> ColumnElement[Any]:
    """The place of a stage in the order of reports: of two moves at one moment the one further down came later."""
    places = {name: place for place, name in enumerate((*process.line, *process.aside))}
    return case(*((stage == name, place) for name, place in places.items()), else_=len(places))


def _rank(stage: ColumnElement[Any], process: Process) -> ColumnElement[Any]:
    return case(*((stage == name, place) for place, name in enumerate(process.line)))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
