"""Reads for the reports on stages: who entered which, who went on, who left, who is where, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
)

from chassis.store.session import Session
from services.metrics.domain.measures import ReportQuery, StageOrder
from services.metrics.store.queries import (
    CountedPeople,
    counted_movers,
    counted_people,
    first_seen,
    in_period,
    owned,
    part_sums,
    quotient,
    when,
)
from services.metrics.store.tables import FRAGMENT, STAGE


async def load_stage_names(session: Session) -> set[str]:
    """The stages that ever occurred; from each the index leads to the next, past all who are in it."""
    stages = select(func.min(STAGE.c.stage).label("stage")).cte("stages", recursive=True)
    following = select(func.min(STAGE.c.stage)).where(STAGE.c.stage > stages.c.stage).scalar_subquery()
    stages = stages.union_all(select(following).where(stages.c.stage.is_not(None)))
    return set(await session.scalars(select(stages.c.stage).where(stages.c.stage.is_not(None))))


async def count_moves(
    session: Session, query: ReportQuery, order: StageOrder, stages: tuple[str, ...]
) -> dict[str, int]:
    """`entered_<n>`, `continued_<n>` for the n-th of `stages`; `reached_<n>` and `cohort` for those who were first seen
    in the period.

    To go on is to enter a stage further down the line, at the same moment or later;
    from aside, to come back to the line, later.
    """
    moves = entries(query, counted_movers(query), order)
    rank = _rank(moves.c.stage, order)
    columns: list[ColumnElement[Any]] = [func.min(moves.c.at_us).label("first_us"), func.max(rank).label("furthest")]
    for number, stage in enumerate(stages):
        in_it = and_(moves.c.stage == stage, in_period(moves.c.at_us, query))
        beyond = rank > order.rank(stage) if stage in order.line else rank.is_not(None)
        columns += [
            func.min(case((in_it, moves.c.at_us))).label(f"in_{number}"),
            func.max(case((beyond, moves.c.at_us))).label(f"beyond_{number}"),
        ]
    people = select(*columns).group_by(moves.c.person_id).subquery("people")
    is_new = in_period(people.c.first_us, query)
    counts = [_count(is_new).label("cohort")]
    for number, stage in enumerate(stages):
        entered, beyond = people.c[f"in_{number}"], people.c[f"beyond_{number}"]
        went_on = beyond >= entered if stage in order.line else beyond > entered
        counts += [func.count(entered).label(f"entered_{number}"), _count(went_on).label(f"continued_{number}")]
        if stage in order.line:
            counts.append(_count(and_(is_new, people.c.furthest >= order.rank(stage))).label(f"reached_{number}"))
    return (await session.execute(select(*counts).select_from(people))).one()._asdict()


async def count_leavers(session: Session, query: ReportQuery, order: StageOrder) -> dict[tuple[str, str], int]:
    """(stage, stage aside) -> people who entered the one in the period and went from it straight to the other, then or
    later.
    """
    moves = entries(query, counted_movers(query), order)
    left = (
        select(
            moves.c.person_id,
            moves.c.previous.label("stage"),
            moves.c.stage.label("aside"),
            func.max(moves.c.at_us).label("left_us"),
        )
        .where(moves.c.stage.not_in(order.line), moves.c.previous.in_(order.line))
        .group_by(moves.c.person_id, moves.c.previous, moves.c.stage)
        .subquery("gone")
    )
    came = (
        select(moves.c.person_id, moves.c.stage, func.min(moves.c.at_us).label("came_us"))
        .where(in_period(moves.c.at_us, query), moves.c.person_id.in_(select(left.c.person_id)))
        .group_by(moves.c.person_id, moves.c.stage)
        .subquery("came")
    )
    joined = left.join(
        came, and_(came.c.person_id == left.c.person_id, came.c.stage == left.c.stage, left.c.left_us >= came.c.came_us)
    )
    rows = await session.execute(
        select(left.c.stage, left.c.aside, func.count()).select_from(joined).group_by(left.c.stage, left.c.aside)
    )
    return {(stage, aside): count for stage, aside, count in rows}


async def count_present(session: Session, query: ReportQuery, order: StageOrder) -> dict[str, int]:
    """Stage -> people who are in it now."""
    now = current_stages(order, counted_people(query))
    rows = await session.execute(select(now.c.stage, func.count().label("n")).group_by(now.c.stage))
    return {row.stage: row.n for row in rows}


def entries(query: ReportQuery, counted: CountedPeople, order: StageOrder) -> CTE:
    """(person_id, stage, previous, at_us): all moves of people who count, and where they began; corrections are
    none.
    """
    moves = owned(STAGE, STAGE.c.stage, STAGE.c.previous, when(STAGE, query).label("at_us")).where(
        ~STAGE.c.is_correction
    )
    begun = begun_in(order, null().label("previous"), first_seen(query).label("at_us"))
    return counted.of(moves).union_all(counted.of(begun)).cte("entries")


def begun_in(order: StageOrder, *columns: ColumnElement[Any]) -> Select[Any]:
    """(person_id, stage, ...): where everybody began, who is a person by themselves or was one before a merge."""
    stage = literal(order.line[0], String).label("stage")
    return select(FRAGMENT.c.person_id, stage, *columns).where(FRAGMENT.c.first_us.is_not(None))


def current_stages(order: StageOrder, counted: CountedPeople) -> CTE:
    """(person_id, stage, occurred_us): where each person is: what was last said of them, else where everybody
    begins.
    """
    said = _said(order, counted)
    silent = FRAGMENT.c.person_id.not_in(select(said.c.person_id))
    begun = (
        counted.of(begun_in(order, func.min(FRAGMENT.c.first_us).label("occurred_us")))
        .where(silent)
        .group_by(FRAGMENT.c.person_id)
    )
    return select(said.c.person_id, said.c.stage, said.c.occurred_us).union_all(begun).cte("standing")


def _said(order: StageOrder, counted: CountedPeople) -> CTE:
    """(person_id, stage): what was last said of each person.

    It is what was last said under the id they have now; while lifecycle has not yet said anything under it (right after
    a merge), what was last said of any of their fragments. What was said at one moment (one capture can bring about a
    correction and moves) is a chain: the last is the one that no other began at.
    """
    latest_first = [
        STAGE.c.told_us.desc(),
        _is_followed(),
        STAGE.c.occurred_us.desc(),
        place_of(order).desc(),
        STAGE.c.stage.desc(),
    ]
    latest = (
        select(STAGE.c.person_id, func.max(STAGE.c.told_us).label("told_us"))
        .group_by(STAGE.c.person_id)
        .subquery("latest")
    )
    is_own = STAGE.c.person_id == FRAGMENT.c.person_id
    said = _ranked(owned(STAGE, STAGE.c.stage, STAGE.c.occurred_us), latest_first)
    own = said.join(latest, and_(latest.c.person_id == STAGE.c.person_id, latest.c.told_us == STAGE.c.told_us)).where(
        is_own
    )
    silent = FRAGMENT.c.person_id.not_in(select(STAGE.c.person_id))
    others = said.where(~is_own, silent)
    both = counted.of(own).union_all(counted.of(others)).subquery("both_ways")
    return select(both.c.person_id, both.c.stage, both.c.occurred_us).where(both.c.place == 1).cte("said")


def _ranked(statement: Select[Any], order: list[Any]) -> Select[Any]:
    return statement.add_columns(
        func.row_number().over(partition_by=FRAGMENT.c.person_id, order_by=order).label("place")
    )


def _is_followed() -> ColumnElement[Any]:
    other = STAGE.alias("other")
    follower = select(literal(1)).where(
        other.c.person_id == STAGE.c.person_id, other.c.told_us == STAGE.c.told_us, other.c.previous == STAGE.c.stage
    )
    return case((follower.exists(), 1), else_=0)


def place_of(order: StageOrder, stage: ColumnElement[Any] = STAGE.c.stage) -> ColumnElement[Any]:
    """The place of a stage in the order of reports: of two moves at one moment the one further down came later."""
    places = {name: place for place, name in enumerate((*order.line, *order.aside))}
    return case(*((stage == name, place) for name, place in places.items()), else_=len(places))


def _rank(stage: ColumnElement[Any], order: StageOrder) -> ColumnElement[Any]:
    return case(*((stage == name, place) for place, name in enumerate(order.line)))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


async def load_stays(session: Session, query: ReportQuery, order: StageOrder) -> Sequence[Any]:
    """Per stage, of stays that ended in the period: `n`, the two middle ones, the 90th of a hundred, and the sum in two
    parts.
    """
    moves = _moves(query, counted_movers(query), order)
    turn: dict[str, Any] = {
        "partition_by": moves.c.person_id,
        "order_by": [moves.c.occurred_us, moves.c.told_us, place_of(order, moves.c.stage), moves.c.stage],
    }
    moved = select(
        moves, func.row_number().over(**turn).label("place"), func.lag(moves.c.stage).over(**turn).label("before")
    ).subquery("moved")
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
    over = select(stays.c.stage, stays.c.stayed_us, place).where(
        stays.c.left_us.is_not(None), in_period(stays.c.left_us, query)
    )
    rows: Sequence[Any] = await session.execute(_quantiles(over.cte("ordered")))
    return rows


async def load_waiting(session: Session, query: ReportQuery, order: StageOrder) -> Sequence[Any]:
    """Per stage: how many people are in it now, and since when the one who has been there longest (`since_us`)."""
    counted = counted_people(query)
    now = current_stages(order, counted)
    moves = _moves(query, counted, order)
    entered = (
        select(moves.c.person_id, moves.c.stage, func.max(moves.c.occurred_us).label("since_us"))
        .group_by(moves.c.person_id, moves.c.stage)
        .subquery("entered")
    )
    joined = now.join(
        entered, and_(entered.c.person_id == now.c.person_id, entered.c.stage == now.c.stage), isouter=True
    )
    since = func.min(func.coalesce(entered.c.since_us, now.c.occurred_us))
    return await session.execute(
        select(now.c.stage, func.count().label("n"), type_coerce(since, BigInteger).label("since_us"))
        .select_from(joined)
        .group_by(now.c.stage)
    )


def _moves(query: ReportQuery, counted: CountedPeople, order: StageOrder) -> Subquery:
    """(person_id, stage, occurred_us, told_us, at_us): all moves of people who count, and where they began."""
    told = owned(STAGE, STAGE.c.stage, STAGE.c.occurred_us, STAGE.c.told_us, when(STAGE, query).label("at_us")).where(
        ~STAGE.c.is_correction
    )
    begun = begun_in(
        order,
        FRAGMENT.c.first_us.label("occurred_us"),
        FRAGMENT.c.first_told_us.label("told_us"),
        first_seen(query).label("at_us"),
    )
    return counted.of(told).union_all(counted.of(begun)).subquery("moves")


def _quantiles(ordered: CTE) -> Select[Any]:
    """Of stays in the order of their length, per stage: those in the middle, the 90th of a hundred, and the sum."""
    sizes = select(ordered.c.stage, func.count().label("n")).group_by(ordered.c.stage).subquery("sizes")
    n, stayed = sizes.c.n, ordered.c.stayed_us

    def at(wanted: ColumnElement[Any], name: str) -> ColumnElement[Any]:
        return func.max(case((ordered.c.place == wanted, stayed))).label(name)

    columns = [
        at(quotient(n + 1), "low_us"),
        at(quotient(n + 2), "high_us"),
        at(quotient(9 * n + 9, 10), "p90_us"),
        *part_sums(stayed),
    ]
    joined = ordered.join(sizes, sizes.c.stage == ordered.c.stage)
    return select(ordered.c.stage, func.max(n).label("n"), *columns).select_from(joined).group_by(ordered.c.stage)
