"""What is heard, event by event in the order of its stream, so that what is said does not depend on how a batch was
cut.

Merges and splits say which fragments make up which person: moves stay where they are, the stage is
folded anew, and nothing is fired again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from contracts.events.identity import PersonCreated, PersonMerged, PersonSplit
from contracts.events.routing import ReferralAccepted, ReferralExpired, ReferralReturned
from contracts.events.scoring import ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from contracts.ids import with_prefix
from contracts.values import Receipt
from people_kernel.people import (
    Placement,
    Placements,
    ScoringSaid,
    blank,
    happened_at,
    is_judged_anew,
    newer,
    placement_in,
    placements_of,
    updated,
)
from people_kernel.workspace import Cause, heard
from services.lifecycle.domain.process import (
    CREATED,
    NAME,
    REFERRAL_ACCEPTED,
    REFERRAL_EXHAUSTED,
    REFERRAL_RETURNED,
    SCORED,
    Trigger,
)
from services.lifecycle.domain.transitions import E4, decide
from services.lifecycle.domain.workspace import CurrentStage, LifecycleWorkspace, Move, homes_of, present, say_corrected

ReferralAnswered = ReferralAccepted | ReferralReturned | ReferralExpired
PersonRegrouped = PersonMerged | PersonSplit
IncomingEvent = PersonCreated | PersonRegrouped | ScoringSaid | ReferralAnswered
INCOMING_EVENTS: tuple[type[IncomingEvent], ...] = (
    PersonCreated,
    PersonMerged,
    PersonSplit,
    ProfileChanged,
    ProfileChangedV1,
    ScoreChanged,
    ScoreCorrected,
    ReferralAccepted,
    ReferralReturned,
    ReferralExpired,
)
"""Every kind of event that lifecycle hears."""

CORRECTION = "stage.correction"
REGROUPED = "regrouped"
_IN_PASSING = "Another service knew first whose this was"


def apply_event(workspace: LifecycleWorkspace, event: IncomingEvent) -> None:
    """`workspace` must hold what `placements_told_by` names."""
    if isinstance(event, PersonMerged | PersonSplit):
        placements = placements_told_by(event)
        workspace.regrouped |= placements.keys()
        regroup(workspace, placements, heard(event), event.sentence)
        return
    regroup(workspace, placements_told_by(event), heard(event), _IN_PASSING)
    if isinstance(event, PersonCreated):
        _created(workspace, event)
    elif isinstance(event, ProfileChanged | ProfileChangedV1 | ScoreChanged | ScoreCorrected):
        _scored(workspace, event)
    else:
        _answered(workspace, event)


def placements_told_by(event: IncomingEvent) -> Placements:
    """Whose which fragment is, as the event has it."""
    if isinstance(event, PersonMerged | PersonSplit):
        return placements_of(event)
    return {event.fragment_id: Placement(event.person_id, event.graph_version)}


def people_of(event: IncomingEvent) -> Iterator[str]:
    """Everybody whom the event names."""
    yield event.person_id
    if isinstance(event, PersonMerged):
        yield from event.absorbed_person_ids
    elif isinstance(event, PersonSplit):
        yield from (part.person_id for part in event.parts)


def people_at_risk(events: Iterable[IncomingEvent], known: Placements) -> set[str]:
    """Everybody who may win or lose a fragment: their moves must be at hand. May name too many."""
    tellings: dict[str, dict[str, int]] = {}
    for event in events:
        for fragment_id, placement in placements_told_by(event).items():
            owners = tellings.setdefault(fragment_id, {})
            owners[placement.person_id] = max(
                placement.graph_version, owners.get(placement.person_id, placement.graph_version)
            )
    at_risk: set[str] = set()
    for fragment_id, owners in tellings.items():
        at_risk |= _rivals(placement_in(known, fragment_id), owners)
    return at_risk


def _rivals(known: Placement, owners: Mapping[str, int]) -> set[str]:
    """Those between whom a fragment may go over."""
    rivals = {known.person_id} | {person_id for person_id, version in owners.items() if version > known.graph_version}
    return rivals if len(rivals) > 1 else set()


def _created(workspace: LifecycleWorkspace, event: PersonCreated) -> None:
    """Somebody can be told from others. They are where everybody begins already, since they were first seen."""
    person_id, cause = event.person_id, heard(event, event.occurred_at)
    if not workspace.is_present(person_id) or person_id != workspace.owner_of(event.fragment_id):
        return  # a merge was heard first
    if event.is_test and person_id not in workspace.cards:
        workspace.cards[person_id] = replace(blank(person_id), is_test=True)
    if person_id not in workspace.stages:
        workspace.stages[person_id] = CurrentStage(
            person_id, seen_at=cause.occurred_at, is_test=workspace.card(person_id).is_test
        )
    decide(workspace, person_id, cause, Trigger(CREATED))


def _scored(workspace: LifecycleWorkspace, event: ScoringSaid) -> None:
    """Cards are kept per person id, whoever that is now; the rules are asked where something happened to somebody who
    is there.
    """
    person_id = event.person_id
    workspace.cards[person_id] = updated(workspace.card(person_id), event)
    if person_id != workspace.owner_of(event.fragment_id):
        _forget_strangers(workspace, person_id)
        return  # absorbed meanwhile; scoring will tell what that makes of the survivor
    _mark(workspace, person_id)
    if isinstance(event, ScoreChanged):
        _count(workspace, event)
    if not is_judged_anew(event):
        decide(workspace, person_id, heard(event, happened_at(event)), Trigger(SCORED))
    _forget_strangers(workspace, person_id)


def _forget_strangers(workspace: LifecycleWorkspace, person_id: str) -> None:
    """Nothing is kept of somebody of whom nothing is known and who is where everybody begins."""
    if not workspace.keeps(person_id):
        del workspace.cards[person_id]


def _mark(workspace: LifecycleWorkspace, person_id: str) -> None:
    current, is_test = workspace.stages.get(person_id), workspace.card(person_id).is_test
    if current is not None and current.is_test is not is_test:
        workspace.stages[person_id] = replace(current, is_test=is_test)


def _count(workspace: LifecycleWorkspace, event: ScoreChanged) -> None:
    """Engagement earned since the stage was entered.

    What happened before and is only heard of now was no answer to anything.
    """
    current = workspace.stages.get(event.person_id)
    if current is None or current.since is None:
        return  # where everybody begins, all engagement was earned since
    given = [one.contribution for one in event.receipts if one.at > current.since]
    earned = sum(int(one.points * E4) for one in given if one is not None and one.measure == "engagement")
    if earned:
        points = current.points_since() + earned
        workspace.stages[event.person_id] = replace(current, points_e4=points, points_of=current.move_id)


def _answered(workspace: LifecycleWorkspace, event: ReferralAnswered) -> None:
    """A rep's answer is about whoever owns the fragment now: a promise is not lost in a merge."""
    person_id = workspace.owner_of(event.fragment_id)
    cause = heard(event, event.occurred_at, by=event.by)
    if isinstance(event, ReferralAccepted):
        decide(workspace, person_id, cause, Trigger(REFERRAL_ACCEPTED, noted={"rep_id": event.rep_id}))
    elif isinstance(event, ReferralReturned):
        noted = {"rep_id": event.rep_id} | ({} if event.note is None else {"note": event.note})
        decide(
            workspace,
            person_id,
            cause,
            Trigger(REFERRAL_RETURNED, {"referral.reason": event.reason}, event.reason, noted=noted),
        )
    elif event.is_exhausted:
        decide(workspace, person_id, cause, Trigger(REFERRAL_EXHAUSTED))


def regroup(workspace: LifecycleWorkspace, placements: Placements, cause: Cause, sentence: str) -> None:
    """Takes in where fragments belong. `workspace` must hold the moves of everybody who wins or loses one."""
    news = newer(workspace.placements, placements)
    affected: set[str] = set()
    for fragment_id, placement in news.items():
        before = workspace.owner_of(fragment_id)
        if before != placement.person_id:
            affected |= {before, placement.person_id}
    workspace.placements.update(news)
    for person_id in sorted(affected):
        _refold(workspace, person_id, cause, sentence)


def _refold(workspace: LifecycleWorkspace, person_id: str, cause: Cause, sentence: str) -> None:
    current = workspace.current_stage(person_id)
    if not workspace.is_present(person_id):
        if person_id in workspace.stages:
            workspace.stages[person_id] = replace(current, is_present=False, homes={})
        return
    moves = [
        move
        for fragment_id, moves in workspace.moves.items()
        if workspace.owner_of(fragment_id) == person_id
        for move in moves
    ]
    move = present(moves, workspace.process)
    if move is None:
        _begin_again(workspace, person_id, cause, sentence)
        return
    if move.stage != workspace.stage_of(person_id):
        grounds = {"move_id": move.move_id, "entered": move.occurred_at.isoformat()}
        _correct(workspace, person_id, cause, (move.stage, move.occurred_at, grounds), sentence)
    workspace.stages[person_id] = _folded(current, move, moves, is_test=workspace.card(person_id).is_test)


def _folded(before: CurrentStage, move: Move, moves: list[Move], *, is_test: bool) -> CurrentStage:
    """Where somebody is whom all these `moves` are of, and of them `move` counts."""
    return replace(
        before,
        is_present=True,
        stage=move.stage,
        move_id=move.move_id,
        move_home=move.fragment_id,
        since=move.occurred_at,
        entered_at=move.at,
        latest_at=max(one.occurred_at for one in moves),
        homes=homes_of(moves),
        is_test=is_test,
    )


def _begin_again(workspace: LifecycleWorkspace, person_id: str, cause: Cause, sentence: str) -> None:
    """No move is theirs (any more): they are where everybody begins."""
    current = workspace.stages.get(person_id)
    if current is None:
        return
    if workspace.stage_of(person_id) != workspace.process.first:
        _correct(workspace, person_id, cause, (workspace.process.first, cause.occurred_at, {}), sentence)
    workspace.stages[person_id] = CurrentStage(
        person_id, seen_at=current.seen_at, is_test=workspace.card(person_id).is_test
    )


def _correct(
    workspace: LifecycleWorkspace,
    person_id: str,
    cause: Cause,
    found: tuple[str, datetime, Mapping[str, str]],
    sentence: str,
) -> None:
    """`found`: the stage, since when, and what it rests on."""
    before = workspace.stage_of(person_id)
    stage, since, grounds = found
    receipt = Receipt(
        receipt_id=cause.receipt_id(CORRECTION, person_id),
        at=cause.at,
        owner=NAME,
        kind=CORRECTION,
        person_id=person_id,
        fragment_id=with_prefix("frg", person_id),
        cause_id=cause.cause_id,
        rule=REGROUPED,
        rulebook=workspace.process.label,
        inputs={"before": before, **grounds},
        outcome=stage,
        sentence=f"{sentence.rstrip('.')}. Taken together, the furthest stage is {_title(workspace, stage)}.",
    )
    workspace.receipts.append(receipt)
    say_corrected(workspace, person_id, cause, (stage, since), receipt)


def _title(workspace: LifecycleWorkspace, stage: str) -> str:
    known = workspace.process.stages.get(stage)
    return stage if known is None else known.title
