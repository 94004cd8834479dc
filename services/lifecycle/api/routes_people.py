"""Where people are and how they came there, what humans decide about them, and the process
in words that everybody can read together.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chassis.context import Context
from chassis.errors import BadInput
from chassis.web.auth import Caller, Principal, require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from people_kernel.api.pages import (
    CURSOR,
    AmongRequest,
    AsOf,
    Cursor,
    Limit,
    LookupAsOfRequest,
    PersonId,
    from_cursor,
    to_cursor,
)
from people_kernel.store.people import Place, load_fragments_of, survivors
from services.lifecycle.api.views import (
    ClockRuleView,
    DisqualifyRequest,
    HistoryPage,
    LookupAnswer,
    MoveView,
    PeoplePage,
    PersonView,
    ProcessView,
    QualifyRequest,
    RecycleRequest,
    ReopenRequest,
    RuleView,
    StageView,
    StandingView,
)
from services.lifecycle.api.views.people import show
from services.lifecycle.commands import find_owner, give_verdict
from services.lifecycle.domain.sales import SalesVerdict
from services.lifecycle.domain.workspace import CurrentStage, Move, in_order, live
from services.lifecycle.rulebooks import REGISTRY, process_of, rule_in_words
from services.lifecycle.store import queries
from services.lifecycle.store.load import load_moves
from services.lifecycle.store.tables import FRAGMENT

router = APIRouter(tags=["lifecycle"])

MAY_JUDGE = ("sales", "manager", "marketing", "agent", "admin")
"""Who may decide about people and their deals."""

_PROBLEMS = problem_responses(403, 404, 409)
_AHEAD = timedelta(minutes=1)  # clocks differ
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_WAIT = timedelta(days=3660)


class StageQuery(BaseModel):
    """Whom to list."""

    stage: str | None = Field(
        default=None, min_length=1, max_length=50, description="Only people in this stage", examples=["mql"]
    )
    include_test: bool = Field(default=False, description="Test people too")
    cursor: str | None = Field(
        default=None, max_length=128, description="`next_cursor` of the page before", examples=[CURSOR]
    )
    limit: int = Field(default=50, ge=1, le=200, description="Items on a page at most", examples=[50])

    def filter(self) -> queries.StageFilter:
        """One more than the page holds: that tells whether others follow. Raises BadInput."""
        return queries.StageFilter(self.stage, self.include_test, from_cursor(self.cursor), self.limit + 1)


@router.get("/v1/lifecycle/people")
async def list_people_by_stage(reading: Read, asked: Annotated[StageQuery, Query()]) -> PeoplePage:
    """People and where they are, those who came there last first."""
    return await _page_by_stage(reading, asked.filter())


@router.post("/v1/lifecycle/people:among")
async def list_by_stage_among(reading: Read, body: AmongRequest, asked: Annotated[StageQuery, Query()]) -> PeoplePage:
    """The list of people and where they are, among these alone."""
    return await _page_by_stage(reading, asked.filter()._replace(person_ids=body.person_ids))


async def _page_by_stage(reading: Context, wanted: queries.StageFilter) -> PeoplePage:
    await _refuse_unknown_stage(reading, wanted.stage)
    found = [
        view for current in await queries.list_current_stages(reading.session, wanted) for view in _in_short(current)
    ]
    items = found[: wanted.limit - 1]
    return PeoplePage(
        items=items,
        next_cursor=to_cursor(items[-1].entered_at, items[-1].person_id) if len(found) >= wanted.limit else None,
    )


@router.post("/v1/lifecycle/people:lookup")
async def look_stages_up(reading: Read, body: LookupAsOfRequest) -> LookupAnswer:
    """Up to 200 people by id, in one go. Ids that a merge absorbed answer
    with the survivor; unknown ids are left out.
    """
    current = await survivors(reading.session, FRAGMENT, set(body.person_ids))
    views = await show(reading, set(current.values()), body.as_of)
    return LookupAnswer(items=[views[key] for key in sorted(views)], current=dict(sorted(current.items())))


@router.get("/v1/lifecycle/people/{person_id}", responses=problem_responses(404))
async def read_stage(reading: Read, person_id: PersonId, as_of: AsOf = None) -> PersonView:
    """The stage a person is in, since when and why, the clocks that run and what can be done."""
    owner = await find_owner(reading, person_id)
    return (await show(reading, [owner], as_of))[owner]


@router.get("/v1/lifecycle/people/{person_id}/history", responses=problem_responses(404))
async def list_stage_history(
    reading: Read, person_id: PersonId, as_of: AsOf = None, cursor: Cursor = None, limit: Limit = 50
) -> HistoryPage:
    """All moves of a person, the first one first; also those of people that they turned out to be."""
    place = from_cursor(cursor)
    owner = await find_owner(reading, person_id)
    owned = (await load_fragments_of(reading.session, FRAGMENT, [owner]))[owner]
    moves = [move for move in await load_moves(reading.session, owned) if as_of is None or move.occurred_at <= as_of]
    in_force = {move.move_id for move in live(moves)}
    rest = _after(in_order(moves), place)
    items = [_move(move, is_superseded=move.move_id not in in_force) for move in rest[:limit]]
    return HistoryPage(
        items=items, next_cursor=to_cursor(items[-1].occurred_at, items[-1].move_id) if len(rest) > limit else None
    )


async def _refuse_unknown_stage(reading: Context, stage: str | None) -> None:
    versions = await REGISTRY.versions(reading)
    if stage is None or stage in versions.active.stages:
        return
    # people may still be in a stage of an older version that the active one has no more
    known = dict.fromkeys(
        (*versions.active.stages, *(name for process in versions.by_version.values() for name in process.stages))
    )
    if stage not in known:
        raise BadInput(f"There is no stage {stage}", field="query.stage", remedy=f"Known are: {', '.join(known)}")


def _after(moves: list[Move], place: Place | None) -> list[Move]:
    """What follows the move that the page before ended with. The order is not that of the ids:
    the steps of one cause share their moment.
    """
    if place is None:
        return moves
    at = next((index for index, move in enumerate(moves) if move.move_id == place[1]), None)
    return [move for move in moves if move.occurred_at > place[0]] if at is None else moves[at + 1 :]


def _in_short(current: CurrentStage) -> list[StandingView]:
    if current.stage is None or current.since is None or current.entered_at is None:
        return []
    return [
        StandingView(
            person_id=current.person_id,
            stage=current.stage,
            since=current.since,
            entered_at=current.entered_at,
            is_test=current.is_test,
        )
    ]


def _move(move: Move, *, is_superseded: bool) -> MoveView:
    return MoveView(
        move_id=move.move_id,
        stage=move.stage,
        previous=move.previous,
        occurred_at=move.occurred_at,
        at=move.at,
        by=move.by,
        reason=move.reason,
        rule=move.rule,
        rulebook=move.rulebook,
        fragment_id=move.fragment_id,
        receipt_id=move.receipt_id,
        is_superseded=is_superseded,
    )


def happened(claimed: datetime | None, now: datetime) -> datetime:
    """When something happened. Raises BadInput."""
    if claimed is None:
        return now
    if claimed > now + _AHEAD:
        raise BadInput(
            "This has not happened yet",
            field="body.occurred_at",
            remedy="Leave it out for now, or name a moment that is over",
        )
    if claimed < _BEFORE_ALL:
        raise BadInput("Nothing was recorded then", field="body.occurred_at", remedy="Name a moment after 1970")
    return claimed


def ahead(wanted: datetime | None, now: datetime) -> datetime | None:
    """When to come back to somebody. Raises BadInput."""
    if wanted is None or now < wanted <= now + _LONGEST_WAIT:
        return wanted
    raise BadInput(
        "This moment is over, or more than ten years ahead",
        field="body.wake_at",
        remedy="Name a moment within ten years",
    )


@router.post("/v1/lifecycle/people/{person_id}:qualify", responses=_PROBLEMS)
async def qualify_person(writing: Write, caller: Caller, person_id: PersonId, body: QualifyRequest) -> PersonView:
    """Sales found a real need. What was learned of budget, authority, need and timing is kept in the receipt."""
    bant = {} if body.bant is None else body.bant.model_dump(exclude_none=True)
    return await _give(writing, caller, person_id, replace(_verdict(writing, caller, "qualify", body), bant=bant))


@router.post("/v1/lifecycle/people/{person_id}:recycle", responses=_PROBLEMS)
async def recycle_person(writing: Write, caller: Caller, person_id: PersonId, body: RecycleRequest) -> PersonView:
    """Not now: back to nurture, until new interest, or until `wake_at`."""
    wake_at = ahead(body.wake_at, writing.now)
    return await _give(
        writing,
        caller,
        person_id,
        replace(_verdict(writing, caller, "recycle", body), reason=body.reason, wake_at=wake_at),
    )


@router.post("/v1/lifecycle/people/{person_id}:disqualify", responses=_PROBLEMS)
async def disqualify_person(writing: Write, caller: Caller, person_id: PersonId, body: DisqualifyRequest) -> PersonView:
    """Will not buy: no rule takes this person up again, only a human does."""
    return await _give(
        writing, caller, person_id, replace(_verdict(writing, caller, "disqualify", body), reason=body.reason)
    )


@router.post("/v1/lifecycle/people/{person_id}:reopen", responses=_PROBLEMS)
async def reopen_person(writing: Write, caller: Caller, person_id: PersonId, body: ReopenRequest) -> PersonView:
    """After all. Without `to` the process says where to begin again, and its rules go on
    from there; a stage that you choose stays.
    """
    return await _give(writing, caller, person_id, replace(_verdict(writing, caller, "reopen", body), to=body.to))


def _verdict(
    writing: Context,
    caller: Principal,
    verb: str,
    body: QualifyRequest | RecycleRequest | DisqualifyRequest | ReopenRequest,
) -> SalesVerdict:
    return SalesVerdict(
        verdict_id="",  # derived when it is known whom it is on
        verb=verb,
        by=caller.subject,
        at=writing.now,
        occurred_at=happened(body.occurred_at, writing.now),
        note=body.note,
    )


async def _give(writing: Context, caller: Principal, person_id: str, verdict: SalesVerdict) -> PersonView:
    require(caller, *MAY_JUDGE)
    owner = await give_verdict(writing, person_id, verdict)
    return (await show(writing, [owner]))[owner]


@router.get("/v1/lifecycle/process")
async def read_process(reading: Read) -> ProcessView:
    """The stages, the rules that lead from one to the next, and the clocks that run on the way."""
    process = await process_of(reading)
    return ProcessView(
        rulebook=process.label,
        title=process.rulebook.title,
        stages=[StageView(**stage.model_dump()) for stage in process.stages.values()],
        rules=[
            RuleView(
                name=rule.name,
                leaves=list(rule.on),
                triggers=list(rule.named),
                when=rule.when,
                to=rule.effect.to,
                choices=list(rule.effect.choices),
                reason=rule.reason,
                sentence=rule_in_words(rule),
            )
            for rule in process.rulebook.rules
        ],
        clocks=[ClockRuleView(**clock.model_dump()) for clock in process.clocks],
    )
