"""What routing makes of what lifecycle says."""

from __future__ import annotations

from dataclasses import replace

from contracts.events.lifecycle import SlaBreached, SlaReminded, StageCorrected, StageEntered
from people_kernel.placements import Placement, newer
from services.routing.domain.alerts import raise_reminded
from services.routing.domain.cause import Cause
from services.routing.domain.desk import Desk
from services.routing.domain.referral import ASKED, WAITING, Referral, State
from services.routing.domain.referring import close, expire, refer
from services.routing.domain.regrouping import follow_fragments

LifecycleSaid = StageEntered | StageCorrected | SlaReminded | SlaBreached


def hear(desk: Desk, event: LifecycleSaid, cause: Cause) -> None:
    """One statement. What is said under an id that was absorbed meanwhile moves nobody on; a lead under it is referred all the same, once."""
    told = {event.fragment_id: Placement(event.person_id, event.graph_version)}
    desk.placements |= newer(desk.placements, told)
    follow_fragments(desk, told)
    owner = desk.placements[event.fragment_id]
    live = desk.live_of(owner.person_id)
    if isinstance(event, StageEntered) and event.stage in desk.rules.stages.refer:
        _enter_referred(desk, event, cause, owner)
    elif live is None or owner.person_id != event.person_id:
        return
    elif isinstance(event, StageEntered | StageCorrected):
        _move_on(desk, live, event, cause)
    elif event.stage == live.stage:
        _clock(desk, live, event, cause)


def _enter_referred(desk: Desk, event: StageEntered, cause: Cause, owner: Placement) -> None:
    live = desk.live_of(owner.person_id)
    if live is not None and (live.state in WAITING or owner.person_id != event.person_id):
        return  # somebody is asked about this person, or takes care of them, already
    if live is not None:
        close(desk, live, cause, ("stage_entered", f"they entered the stage {event.stage} again"))
    refer(desk, event, cause, owner)


def _move_on(desk: Desk, live: Referral, event: StageEntered | StageCorrected, cause: Cause) -> None:
    stages = desk.rules.stages
    if event.stage in stages.refer:
        return
    if live.state is State.ACCEPTED and event.stage in (*stages.hold, *stages.keep):
        is_settled = event.stage in stages.keep
        if live.is_settled != is_settled:
            desk.put(replace(live, is_settled=is_settled))
        return
    by = f", by {event.by}" if event.by else ""
    close(desk, live, cause, ("stage_left", f"the stage is {event.stage} now{by}"))


def _clock(desk: Desk, live: Referral, event: SlaReminded | SlaBreached, cause: Cause) -> None:
    if isinstance(event, SlaReminded):
        if live.state in ASKED:
            raise_reminded(desk, live, cause)
        return
    if live.state is State.ACCEPTED:
        return
    overdue = desk.put(replace(live, is_overdue=True))
    if overdue.offered_at is not None and overdue.offered_at < event.due_at:
        expire(desk, overdue, cause)
