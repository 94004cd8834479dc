"""Referring: a person enters a stage that sales is asked about, and reps are asked one after the other until somebody answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from contracts.events.lifecycle import StageEntered
from contracts.ids import derive_id, with_prefix
from contracts.values import Receipt
from people_kernel.cards import Card, card_facts
from people_kernel.placements import Placement
from rulebook.receipts import Decision
from services.routing.domain.alerts import raise_offered, raise_withdrawn
from services.routing.domain.assignment import Choice, How, Question, choose
from services.routing.domain.cause import Cause, heard
from services.routing.domain.desk import Desk
from services.routing.domain.referral import ASKED, Offer, Outcome, Referral, State
from services.routing.domain.reps import Rep
from services.routing.domain.rules import ASSIGNMENT, NAME
from services.routing.domain.telling import CLOSING, EXPIRY, assignment_receipt, say_expired, say_offered, write_receipt
from services.routing.domain.wording import account_name, until


def refer(desk: Desk, event: StageEntered, cause: Cause, owner: Placement) -> None:
    """A new referral for `owner`, who entered a stage, and the first rep asked."""
    place(desk, new_referral(desk, event, cause, owner), cause)


def new_referral(desk: Desk, event: StageEntered, cause: Cause, owner: Placement) -> Referral:
    """The referral that this entry into a stage brings about; nobody is asked yet."""
    card = Card(owner.person_id, event.attributes, event.scores, event.highlights, event.is_test)
    account_id = event.account_id or card.account_id
    owner_id = desk.owners.get(account_id or "")
    owner_rep = desk.reps.get(owner_id or "")
    facts = {
        **card_facts(card),
        "account.is_owned": owner_id is not None,
        "account.owner_teams": None if owner_rep is None else list(owner_rep.teams),
        "stage.previous": event.previous,
        "stage.reason": event.reason,
    }
    decision = Decision(NAME, ASSIGNMENT, owner.person_id, with_prefix("frg", owner.person_id), cause.cause_id, cause.at)
    return Referral(
        referral_id=derive_id("ref", event.meta.at, event.meta.event_id),
        fragment_id=event.fragment_id,
        person_id=owner.person_id,
        graph_version=owner.graph_version,
        stage=event.stage,
        state=State.UNASSIGNED,
        card=card,
        ground=desk.rules.ground(event.stage, facts, decision),
        created_at=cause.at,
        account_id=account_id,
        move=event.receipt.model_dump_json(),
        stage_due_at=event.due_at,
    )


def team_of(desk: Desk, event: StageEntered) -> str:
    """The team that would be asked about somebody who enters a stage, whoever they are."""
    who = Placement(event.person_id, event.graph_version)
    return new_referral(desk, event, heard(event, event.meta.at), who).ground.asking.team


def next_choice(desk: Desk, referral: Referral) -> Choice:
    """Who would be asked now."""
    earlier = [past.accepted_rep_id for past in desk.of_person(referral.person_id) if past.accepted_rep_id is not None]
    owner_id = desk.owners.get(referral.account_id or "")
    team = referral.ground.asking.team
    return choose(
        Question(
            team=team,
            reps=desk.reps,
            load=desk.load,
            credits=desk.credits_of(team),
            asked=frozenset(referral.asked),
            owner_id=owner_id,
            account=account_name(referral.card, referral.account_id),
            earlier_id=earlier[-1] if earlier else None,
        )
    )


def place(desk: Desk, referral: Referral, cause: Cause, choice: Choice | None = None) -> Referral:
    """Asks the next rep, or lets the referral wait for one; a receipt says why either way."""
    choice = choice or next_choice(desk, referral)
    receipt = assignment_receipt(desk, referral, cause, choice)
    if choice.rep is None:
        return desk.put(replace(referral, state=State.UNASSIGNED, rep_id=None, due_at=None, offered_at=None))
    if choice.how is How.TURN and not referral.is_test:  # a test takes nobody's turn
        desk.credits |= {(referral.ground.asking.team, rep_id): credit for rep_id, credit in choice.credits.items()}
    return offer(desk, referral, choice.rep, cause, receipt)


def offer(desk: Desk, referral: Referral, rep: Rep, cause: Cause, receipt: Receipt) -> Referral:
    """`rep` is asked from now on."""
    due_at = deadline(referral, cause.at)
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
    desk.put(offered)
    desk.put_offer(Offer(offered.referral_id, offered.attempt, rep.rep_id, cause.at, due_at))
    say_offered(desk, offered, cause, due_at, receipt)
    raise_offered(desk, offered, cause, receipt)
    return offered


def deadline(referral: Referral, now: datetime) -> datetime:
    """The rulebook's time from now on, and never beyond the stage's own clock while that runs."""
    due_at = now + referral.ground.asking.answer_within
    stage_due_at = referral.stage_due_at
    return due_at if stage_due_at is None or stage_due_at <= now else min(due_at, stage_due_at)


def expire(desk: Desk, referral: Referral, cause: Cause, why: str | None = None) -> Referral:
    """The rep in hand did not answer (or `why`); the next one is asked, if anybody is left."""
    if referral.state not in ASKED:
        return referral
    choice = next_choice(desk, referral)
    name = desk.rep_name(referral.rep_id)
    told = why or f"{name} did not answer by {until(referral.due_at or cause.at, cause.at)}"
    onward = "Nobody else can be asked." if choice.rep is None else f"{choice.rep.name} is asked next."
    rule = "no_answer" if why is None else "cannot_answer"
    due = None if referral.due_at is None else referral.due_at.isoformat()
    receipt = write_receipt(desk, referral, cause, (EXPIRY, rule, referral.rep_id), (f"{told}. {onward}", {"due_at": due}))
    desk.end_offer(referral, Outcome.EXPIRED, cause.at)
    say_expired(desk, referral, cause, receipt, is_exhausted=choice.rep is None)
    raise_withdrawn(desk, referral, cause, f"it went to {choice.rep.name}" if choice.rep else "any rep may take it")
    return place(desk, _let_go(desk, referral), cause, choice)


def close(desk: Desk, referral: Referral, cause: Cause, because: tuple[str, str], merged_into: str | None = None) -> Referral:
    """The referral is over without an answer. `because`: one word, and what ends a sentence."""
    word, why = because
    was_asked = referral.state in ASKED
    rep = "" if referral.rep_id is None else f" ({desk.rep_name(referral.rep_id)} {'was asked' if was_asked else 'took care'})"
    write_receipt(desk, referral, cause, (CLOSING, word, None), (f"The referral is over{rep}: {why}.", {"state": referral.state.value}))
    if was_asked:
        desk.end_offer(referral, Outcome.WITHDRAWN, cause.at, cause.by)
    if was_asked or (merged_into is not None and referral.state is State.ACCEPTED):
        raise_withdrawn(desk, referral, cause, why)
    return desk.put(replace(referral, state=State.CLOSED, due_at=None, closed_at=cause.at, closed_because=word, merged_into=merged_into))


def _let_go(desk: Desk, referral: Referral) -> Referral:
    # put, so that the room is given back before the next one takes it
    return desk.put(replace(referral, state=State.UNASSIGNED, rep_id=None, due_at=None))
