"""What a rep, or somebody in charge, makes of a referral: looks at it, takes it, gives it back, gives it to another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from people_kernel.workspace import Cause
from services.routing.domain.assignment import ASSIGNMENT
from services.routing.domain.outgoing_events import (
    ANSWER,
    raise_withdrawn,
    say_accepted,
    say_reassigned,
    say_returned,
    say_seen,
    until,
    write_receipt,
)
from services.routing.domain.referrals import ask_next, offer
from services.routing.domain.workspace import ASKED, Offer, Outcome, Referral, RoutingWorkspace, State


class Reason(StrEnum):
    """Why a rep gives somebody back."""

    NOT_A_FIT = "not_a_fit"
    BAD_TIMING = "bad_timing"
    BAD_DATA = "bad_data"
    NO_ANSWER = "no_answer"  # the person could not be reached
    WRONG_REP = "wrong_rep"  # another rep is asked; all other reasons are lifecycle's to act on
    OTHER = "other"


class AnswerRefused(Exception):
    """The answer does not fit the state of things; the text says how they stand."""


class NotYours(AnswerRefused):
    """Somebody else is asked, and it never was this rep."""


class WentOn(AnswerRefused):
    """It was this rep's and is another's now, or nobody's any more."""


class RepUnfit(AnswerRefused):
    """The rep that is named cannot be asked."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who answers. `is_in_charge`: may answer for a rep."""

    subject: str
    rep_id: str | None
    is_in_charge: bool


def see(workspace: RoutingWorkspace, referral: Referral, asker: Asker, cause: Cause) -> Referral:
    """The rep looked at it. Looking twice changes nothing."""
    _refuse_strangers(workspace, referral, asker, cause)
    if referral.state is not State.OFFERED:
        return referral
    seen = workspace.put(replace(referral, state=State.SEEN))
    handed = workspace.offer_in_hand(seen)
    if handed is not None:
        workspace.put_offer(replace(handed, seen_at=cause.at))
    say_seen(workspace, seen, cause)
    return seen


def accept(
    workspace: RoutingWorkspace, referral: Referral, asker: Asker, cause: Cause, note: str | None = None
) -> Referral:
    """The rep takes care of this person from now on.

    Accepting twice changes nothing; of two at once the first one has it.
    """
    if referral.state is State.UNASSIGNED:
        referral = _take(workspace, referral, asker, cause)
    _refuse_strangers(workspace, referral, asker, cause)
    if referral.state is State.ACCEPTED:
        if asker.rep_id not in (None, referral.rep_id):
            raise WentOn(_how_it_stands(workspace, referral, cause.at))
        return referral
    accepted = replace(
        referral, state=State.ACCEPTED, due_at=None, answered_at=cause.at, accepted_rep_id=referral.rep_id
    )
    workspace.put(accepted)
    workspace.end_offer(accepted, Outcome.ACCEPTED, cause.at, asker.subject, (None, note))
    sentence = f"{workspace.rep_name(accepted.rep_id)} takes care of them{_for_them(accepted, asker)}."
    receipt = write_receipt(
        workspace,
        accepted,
        cause,
        (ANSWER, "accepted", accepted.rep_id),
        (sentence, {"note": note, "by": asker.subject}),
    )
    say_accepted(workspace, accepted, cause, receipt)
    return accepted


def give_back(
    workspace: RoutingWorkspace, referral: Referral, asker: Asker, cause: Cause, words: tuple[Reason, str | None]
) -> Referral:
    """The rep gives this person back, also one they accepted before. With `wrong_rep` the next rep is asked."""
    reason, note = words
    if _gave_back(workspace, referral, asker, reason):
        return referral
    if referral.state is State.UNASSIGNED:
        raise WentOn("Nobody has this referral, so nobody can give it back")
    _refuse_strangers(workspace, referral, asker, cause)
    workspace.end_offer(referral, Outcome.RETURNED, cause.at, asker.subject, (reason.value, note))
    onward = " Another rep is asked." if reason is Reason.WRONG_REP else ""
    sentence = (
        f"{workspace.rep_name(referral.rep_id)} gave them back{_for_them(referral, asker)}:"
        f" {reason.value.replace('_', ' ')}.{onward}"
    )
    receipt = write_receipt(
        workspace, referral, cause, (ANSWER, "returned", reason.value), (sentence, {"note": note, "by": asker.subject})
    )
    say_returned(workspace, referral, cause, receipt, (reason.value, note))
    if reason is Reason.WRONG_REP:
        freed = workspace.put(replace(referral, state=State.UNASSIGNED, rep_id=None, due_at=None, accepted_rep_id=None))
        return ask_next(workspace, freed, cause)
    return workspace.put(replace(referral, state=State.RETURNED, due_at=None, answered_at=cause.at))


def reassign(
    workspace: RoutingWorkspace, referral: Referral, rep_id: str, cause: Cause, note: str | None = None
) -> Referral:
    """Somebody in charge gives it to `rep_id`, whatever their turn, team or capacity; they are asked like anybody
    else.
    """
    rep = workspace.reps.get(rep_id)
    if rep is None or not rep.is_active:
        raise RepUnfit(
            f"{workspace.rep_name(rep_id)} is {'unknown' if rep is None else 'inactive'}, and cannot be asked"
        )
    if not referral.is_live:
        raise WentOn(_how_it_stands(workspace, referral, cause.at))
    if referral.rep_id == rep_id:
        return referral
    previous = referral.rep_id
    if referral.state in ASKED:
        workspace.end_offer(referral, Outcome.REASSIGNED, cause.at, cause.by, (None, note))
    raise_withdrawn(workspace, referral, cause, f"it was given to {rep.name}")
    freed = workspace.put(replace(referral, state=State.UNASSIGNED, rep_id=None, due_at=None))
    given = replace(freed, rep_id=rep_id, attempt=freed.attempt + 1)
    sentence = (
        f"Given to {rep.name} by {cause.by}{f', before with {workspace.rep_name(previous)}' if previous else ''}."
    )
    receipt = write_receipt(
        workspace,
        given,
        cause,
        (ASSIGNMENT, "reassigned", rep_id),
        (sentence, {"note": note, "previous_rep_id": previous, "by": cause.by}),
    )
    say_reassigned(workspace, given, cause, receipt, previous)
    return offer(workspace, freed, rep, cause, receipt)


def _take(workspace: RoutingWorkspace, referral: Referral, asker: Asker, cause: Cause) -> Referral:
    """A rep takes what nobody is asked about. They are their own offer."""
    rep = workspace.reps.get(asker.rep_id or "")
    if rep is None:
        raise RepUnfit("Nobody is asked about this referral, and only a rep can take it; give it to one with :reassign")
    if not rep.is_active:
        raise RepUnfit(f"{rep.name} is inactive, and cannot take it")
    asked = referral.asked if rep.rep_id in referral.asked else (*referral.asked, rep.rep_id)
    taken = replace(
        referral, state=State.OFFERED, rep_id=rep.rep_id, attempt=referral.attempt + 1, asked=asked, offered_at=cause.at
    )
    workspace.put_offer(Offer(taken.referral_id, taken.attempt, rep.rep_id, cause.at, None))
    return taken


def _refuse_strangers(workspace: RoutingWorkspace, referral: Referral, asker: Asker, cause: Cause) -> None:
    """Raises NotYours, WentOn.

    A rep whose time is over does not answer for the next one, not even one who is in charge.
    """
    is_theirs = asker.rep_id is not None and asker.rep_id == referral.rep_id
    was_theirs = asker.rep_id in referral.asked and not is_theirs
    if referral.state not in ASKED | {State.ACCEPTED} or was_theirs:
        raise WentOn(_how_it_stands(workspace, referral, cause.at))
    if is_theirs or asker.is_in_charge:
        return
    if referral.state is State.ACCEPTED:
        raise WentOn(_how_it_stands(workspace, referral, cause.at))
    raise NotYours(f"{workspace.rep_name(referral.rep_id)} is asked about this referral, not you")


def _how_it_stands(workspace: RoutingWorkspace, referral: Referral, now: datetime) -> str:
    name = workspace.rep_name(referral.rep_id)
    match referral.state:
        case State.ACCEPTED:
            return f"{name} took this referral over on {_day(referral.answered_at)}"
        case State.OFFERED | State.SEEN:
            return (
                f"This referral went on to {name} on {_day(referral.offered_at)}, who is to answer by"
                f" {until(referral.due_at or now, now)}"
            )
        case State.RETURNED:
            return f"{name} gave this referral back on {_day(referral.answered_at)}"
        case State.CLOSED:
            return (
                f"This referral is over since {_day(referral.closed_at)}:"
                f" {(referral.closed_because or '').replace('_', ' ')}"
            )
    return "Nobody is asked about this referral; any rep may accept it"


def _gave_back(workspace: RoutingWorkspace, referral: Referral, asker: Asker, reason: Reason) -> bool:
    """The same answer, sent again: what became of the rep's own last offer, or, for who answers for a rep, of the one
    in hand.
    """
    trail = [one for (referral_id, _), one in sorted(workspace.offers.items()) if referral_id == referral.referral_id]
    own = [one for one in trail if one.rep_id == asker.rep_id] or [
        one for one in trail if one.attempt == referral.attempt
    ]
    return bool(own) and (own[-1].outcome, own[-1].reason, own[-1].by) == (
        Outcome.RETURNED,
        reason.value,
        asker.subject,
    )


def _for_them(referral: Referral, asker: Asker) -> str:
    return "" if asker.rep_id == referral.rep_id else f", says {asker.subject}"


def _day(moment: datetime | None) -> str:
    return "an unknown day" if moment is None else f"{moment.day} {moment:%B} at {moment:%H:%M} UTC"
