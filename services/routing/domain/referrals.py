"""The life of a referral: a person enters a stage that sales is asked about, and reps are asked one after the other
until somebody answers.

What lifecycle says of the person afterwards may end it. A referral goes with its fragment: after a merge a person is
referred once, and a split brings back what the merge closed.
"""

from __future__ import annotations

from dataclasses import replace

from contracts.events.identity import PersonMerged, PersonSplit
from contracts.events.lifecycle import SlaBreached, SlaReminded, StageCorrected, StageEntered
from contracts.ids import derive_id, with_prefix
from contracts.values import Receipt
from people_kernel.people import Card, Placement, card_facts, placements_of
from people_kernel.workspace import Cause, heard
from rulebook.receipts import Decision
from services.routing.domain.assignment import ASSIGNMENT, NAME, ChosenBy, Rep, RepChoice, choose
from services.routing.domain.outgoing_events import (
    CLOSING,
    EXPIRY,
    account_name,
    assignment_receipt,
    raise_offered,
    raise_reminded,
    raise_withdrawn,
    say_expired,
    say_offered,
    until,
    write_receipt,
)
from services.routing.domain.workspace import ASKED, LIVE, WAITING, Offer, Outcome, Referral, RoutingWorkspace, State

LifecycleEvent = StageEntered | StageCorrected | SlaReminded | SlaBreached
MERGED = "merged"
"""Why a referral is over: its person is referred already."""
_FURTHER = {State.ACCEPTED: 0, State.SEEN: 1, State.OFFERED: 2, State.UNASSIGNED: 3}


def new_referral(workspace: RoutingWorkspace, event: StageEntered, cause: Cause, owner: Placement) -> Referral:
    """The referral that this entry into a stage brings about; nobody is asked yet."""
    card = Card(owner.person_id, event.attributes, event.scores, event.highlights, event.is_test)
    account_id = event.account_id or card.account_id
    owner_id = workspace.owners.get(account_id or "")
    owner_rep = workspace.reps.get(owner_id or "")
    facts = {
        **card_facts(card),
        "account.is_owned": owner_id is not None,
        "account.owner_teams": None if owner_rep is None else list(owner_rep.teams),
        "stage.previous": event.previous,
        "stage.reason": event.reason,
    }
    decision = Decision(
        NAME, ASSIGNMENT, owner.person_id, with_prefix("frg", owner.person_id), cause.cause_id, cause.at
    )
    return Referral(
        referral_id=derive_id("ref", event.meta.at, event.meta.event_id),
        fragment_id=event.fragment_id,
        person_id=owner.person_id,
        graph_version=owner.graph_version,
        stage=event.stage,
        state=State.UNASSIGNED,
        card=card,
        ground=workspace.rules.ground(event.stage, facts, decision),
        created_at=cause.at,
        account_id=account_id,
        move=event.receipt.model_dump_json(),
        stage_due_at=event.due_at,
    )


def team_of(workspace: RoutingWorkspace, event: StageEntered) -> str:
    """The team that would be asked about somebody who enters a stage, whoever they are."""
    who = Placement(event.person_id, event.graph_version)
    return new_referral(workspace, event, heard(event), who).ground.asking.team


def next_choice(workspace: RoutingWorkspace, referral: Referral) -> RepChoice:
    """Who would be asked now."""
    return choose(workspace.search_for(referral, account_name(referral.card, referral.account_id)))


def ask_next(
    workspace: RoutingWorkspace, referral: Referral, cause: Cause, choice: RepChoice | None = None
) -> Referral:
    """Asks the next rep, or lets the referral wait for one; a receipt says why either way."""
    choice = choice or next_choice(workspace, referral)
    receipt = assignment_receipt(workspace, referral, cause, choice)
    if choice.rep is None:
        return workspace.put(replace(referral, state=State.UNASSIGNED, rep_id=None, due_at=None, offered_at=None))
    if choice.how is ChosenBy.TURN and not referral.is_test:  # a test takes nobody's turn
        workspace.credits |= {
            (referral.ground.asking.team, rep_id): credit for rep_id, credit in choice.credits.items()
        }
    return offer(workspace, referral, choice.rep, cause, receipt)


def offer(workspace: RoutingWorkspace, referral: Referral, rep: Rep, cause: Cause, receipt: Receipt) -> Referral:
    """`rep` is asked from now on."""
    due_at = referral.deadline(cause.at)
    offered = replace(
        referral,
        state=State.OFFERED,
        rep_id=rep.rep_id,
        attempt=referral.attempt + 1,
        asked=(*referral.asked, rep.rep_id) if rep.rep_id not in referral.asked else referral.asked,
        offered_at=cause.at,
        due_at=due_at,
        answered_at=None,
        is_settled=False,
    )
    workspace.put(offered)
    workspace.put_offer(Offer(offered.referral_id, offered.attempt, rep.rep_id, cause.at, due_at))
    say_offered(workspace, offered, cause, due_at, receipt)
    raise_offered(workspace, offered, cause, receipt)
    return offered


def expire(workspace: RoutingWorkspace, referral: Referral, cause: Cause, why: str | None = None) -> Referral:
    """The rep in hand did not answer (or `why`); the next one is asked, if anybody is left."""
    if referral.state not in ASKED:
        return referral
    choice = next_choice(workspace, referral)
    name = workspace.rep_name(referral.rep_id)
    told = why or f"{name} did not answer by {until(referral.due_at or cause.at, cause.at)}"
    onward = "Nobody else can be asked." if choice.rep is None else f"{choice.rep.name} is asked next."
    rule = "no_answer" if why is None else "cannot_answer"
    due = None if referral.due_at is None else referral.due_at.isoformat()
    receipt = write_receipt(
        workspace, referral, cause, (EXPIRY, rule, referral.rep_id), (f"{told}. {onward}", {"due_at": due})
    )
    workspace.end_offer(referral, Outcome.EXPIRED, cause.at)
    say_expired(workspace, referral, cause, receipt, is_exhausted=choice.rep is None)
    raise_withdrawn(
        workspace, referral, cause, f"it went to {choice.rep.name}" if choice.rep else "any rep may take it"
    )
    return ask_next(workspace, _let_go(workspace, referral), cause, choice)


def close(
    workspace: RoutingWorkspace,
    referral: Referral,
    cause: Cause,
    because: tuple[str, str],
    merged_into: str | None = None,
) -> Referral:
    """The referral is over without an answer. `because`: one word, and what ends a sentence."""
    word, why = because
    was_asked = referral.state in ASKED
    rep = (
        ""
        if referral.rep_id is None
        else f" ({workspace.rep_name(referral.rep_id)} {'was asked' if was_asked else 'took care'})"
    )
    write_receipt(
        workspace,
        referral,
        cause,
        (CLOSING, word, None),
        (f"The referral is over{rep}: {why}.", {"state": referral.state.value}),
    )
    if was_asked:
        workspace.end_offer(referral, Outcome.WITHDRAWN, cause.at, cause.by)
    if was_asked or (merged_into is not None and referral.state is State.ACCEPTED):
        raise_withdrawn(workspace, referral, cause, why)
    return workspace.put(
        replace(
            referral, state=State.CLOSED, due_at=None, closed_at=cause.at, closed_because=word, merged_into=merged_into
        )
    )


def _let_go(workspace: RoutingWorkspace, referral: Referral) -> Referral:
    # put, so that the room is given back before the next one takes it
    return workspace.put(replace(referral, state=State.UNASSIGNED, rep_id=None, due_at=None))


def apply_event(workspace: RoutingWorkspace, event: LifecycleEvent, cause: Cause) -> None:
    """One statement. What is said under an id that was absorbed meanwhile moves nobody on; a lead under it is referred
    all the same, once.
    """
    told = {event.fragment_id: Placement(event.person_id, event.graph_version)}
    workspace.place(told)
    workspace.follow_fragments(told)
    owner = workspace.placements[event.fragment_id]
    live = workspace.live_of(owner.person_id)
    if isinstance(event, StageEntered) and event.stage in workspace.rules.stages.refer:
        _enter_referred(workspace, event, cause, owner)
    elif live is None or owner.person_id != event.person_id:
        return
    elif isinstance(event, StageEntered | StageCorrected):
        _move_on(workspace, live, event, cause)
    elif event.stage == live.stage:
        _clock(workspace, live, event, cause)


def _enter_referred(workspace: RoutingWorkspace, event: StageEntered, cause: Cause, owner: Placement) -> None:
    live = workspace.live_of(owner.person_id)
    if live is not None and (live.state in WAITING or owner.person_id != event.person_id):
        return  # somebody is asked about this person, or takes care of them, already
    if live is not None:
        close(workspace, live, cause, ("stage_entered", f"they entered the stage {event.stage} again"))
    ask_next(workspace, new_referral(workspace, event, cause, owner), cause)


def _move_on(workspace: RoutingWorkspace, live: Referral, event: StageEntered | StageCorrected, cause: Cause) -> None:
    stages = workspace.rules.stages
    if event.stage in stages.refer:
        return
    if live.state is State.ACCEPTED and event.stage in (*stages.hold, *stages.keep):
        is_settled = event.stage in stages.keep
        if live.is_settled != is_settled:
            workspace.put(replace(live, is_settled=is_settled))
        return
    by = f", by {event.by}" if event.by else ""
    close(workspace, live, cause, ("stage_left", f"the stage is {event.stage} now{by}"))


def _clock(workspace: RoutingWorkspace, live: Referral, event: SlaReminded | SlaBreached, cause: Cause) -> None:
    if isinstance(event, SlaReminded):
        if live.state in ASKED:
            raise_reminded(workspace, live, cause)
        return
    if live.state is State.ACCEPTED:
        return
    overdue = workspace.put(replace(live, is_overdue=True))
    if overdue.offered_at is not None and overdue.offered_at < event.due_at:
        expire(workspace, overdue, cause)


def regroup(workspace: RoutingWorkspace, event: PersonMerged | PersonSplit, cause: Cause) -> None:
    """Moves referrals to who owns their fragments now; of several of one person the furthest goes on."""
    told = placements_of(event)
    workspace.regrouped |= told.keys()
    workspace.place(told)
    workspace.follow_fragments(told)
    owners = {workspace.placements[fragment_id].person_id for fragment_id in told}
    for person_id in sorted(owners):
        _keep_the_furthest(workspace, person_id, cause)
    if isinstance(event, PersonSplit):
        for person_id in sorted(owners):
            _bring_back(workspace, person_id)


def _keep_the_furthest(workspace: RoutingWorkspace, person_id: str, cause: Cause) -> None:
    live = [referral for referral in workspace.of_person(person_id) if referral.state in LIVE]
    if len(live) < 2:
        return
    kept, *others = sorted(
        live, key=lambda referral: (_FURTHER[referral.state], referral.created_at, referral.referral_id)
    )
    who = workspace.rep_name(kept.rep_id)
    why = {State.ACCEPTED: f"{who} takes care of them", State.UNASSIGNED: "any rep may take it"}.get(
        kept.state, f"{who} is asked"
    )
    for other in others:
        close(
            workspace, other, cause, (MERGED, f"this is somebody who was referred before, and {why}"), kept.referral_id
        )


def _bring_back(workspace: RoutingWorkspace, person_id: str) -> None:
    """What a merge closed comes back with a split, if nothing was decided meanwhile.

    Quietly: nobody is asked anew, but any rep may take it.
    """
    if workspace.live_of(person_id) is not None:
        return
    for past in reversed(workspace.of_person(person_id)):
        kept = workspace.referrals.get(past.merged_into or "")
        if (
            past.state is State.CLOSED
            and kept is not None
            and kept.person_id != person_id
            and _is_untouched(kept, past)
        ):
            was_accepted = past.accepted_rep_id is not None and past.accepted_rep_id == past.rep_id
            state = State.ACCEPTED if was_accepted else State.UNASSIGNED
            workspace.put(
                replace(
                    past,
                    state=state,
                    rep_id=past.rep_id if was_accepted else None,
                    closed_at=None,
                    closed_because=None,
                    merged_into=None,
                )
            )
            return


def _is_untouched(kept: Referral, past: Referral) -> bool:
    answered_at, closed_at = kept.answered_at, past.closed_at
    return kept.is_live and (answered_at is None or (closed_at is not None and answered_at <= closed_at))
