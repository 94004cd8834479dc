"""What is said about a referral: receipts and events that tell what was decided, and the alerts that a rep gets to see,
in words.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.events.routing import (
    AlertRaised,
    ReferralAccepted,
    ReferralExpired,
    ReferralOffered,
    ReferralReassigned,
    ReferralReturned,
    ReferralSeen,
)
from contracts.ids import with_prefix
from contracts.values import JsonObject, Receipt
from people_kernel.people import Card
from people_kernel.profile import display_name, text_of
from people_kernel.workspace import Cause
from services.routing.domain.assignment import ASSIGNMENT, NAME, RepChoice
from services.routing.domain.workspace import Referral, RoutingWorkspace

ANSWER, EXPIRY, CLOSING = "referral.answer", "referral.expiry", "referral.closing"
"""Kinds of receipts."""
OFFERED, REMINDED, WITHDRAWN = "offered", "reminded", "withdrawn"
"""Kinds of alerts."""
_ANSWERS = ("see", "accept", "return")
_LONGEST = 120


def assignment_receipt(workspace: RoutingWorkspace, referral: Referral, cause: Cause, choice: RepChoice) -> Receipt:
    """Who was chosen by the rules of the referral, and why nobody else."""
    ground = referral.ground.receipt
    chosen_by = {"team": referral.ground.asking.team, "chosen_by": choice.how.value}
    name = "Nobody is assigned" if choice.rep is None else f"Assigned to {choice.rep.name}"
    receipt = ground.model_copy(
        update={
            "receipt_id": cause.receipt_id(ASSIGNMENT, referral.referral_id, str(referral.attempt + 1)),
            "at": cause.at,
            "person_id": referral.person_id,
            "fragment_id": with_prefix("frg", referral.person_id),
            "cause_id": cause.cause_id,
            "inputs": {**ground.inputs, **_looked_at(referral, referral.attempt + 1), **chosen_by},
            "outcome": None if choice.rep is None else choice.rep.rep_id,
            "rejected": (*choice.rejected, *ground.rejected),
            "sentence": f"{name}: {choice.why}. {ground.sentence}",
        }
    )
    workspace.receipts.append(receipt)
    return receipt


def write_receipt(
    workspace: RoutingWorkspace,
    referral: Referral,
    cause: Cause,
    what: tuple[str, str, str | None],
    words: tuple[str, JsonObject],
) -> Receipt:
    """`what`: kind, rule, outcome; `words`: the sentence, and what was looked at."""
    kind, rule, outcome = what
    sentence, inputs = words
    receipt = Receipt(
        receipt_id=cause.receipt_id(kind, referral.referral_id, rule, str(referral.attempt)),
        at=cause.at,
        owner=NAME,
        kind=kind,
        person_id=referral.person_id,
        fragment_id=with_prefix("frg", referral.person_id),
        cause_id=cause.cause_id,
        rule=rule,
        rulebook=referral.ground.receipt.rulebook,
        inputs={
            **_looked_at(referral, referral.attempt),
            **{name: value for name, value in inputs.items() if value is not None},
        },
        outcome=outcome,
        sentence=sentence,
    )
    workspace.receipts.append(receipt)
    return receipt


def say_offered(
    workspace: RoutingWorkspace, referral: Referral, cause: Cause, due_at: datetime, receipt: Receipt
) -> None:
    # an offer begins when it is made, whatever brought it about
    fields = {**_fields(referral, cause), "occurred_at": cause.at}
    meta = cause.meta(ReferralOffered.wire_name, referral.referral_id, str(referral.attempt), rulebook=receipt.rulebook)
    workspace.said.append(ReferralOffered(meta=meta, **fields, due_at=due_at, receipt=receipt))


def say_seen(workspace: RoutingWorkspace, referral: Referral, cause: Cause) -> None:
    workspace.said.append(
        ReferralSeen(meta=cause.meta(ReferralSeen.wire_name, referral.referral_id), **_fields(referral, cause))
    )


def say_accepted(workspace: RoutingWorkspace, referral: Referral, cause: Cause, receipt: Receipt) -> None:
    meta = cause.meta(ReferralAccepted.wire_name, referral.referral_id)
    workspace.said.append(ReferralAccepted(meta=meta, **_fields(referral, cause), receipt=receipt))


def say_returned(
    workspace: RoutingWorkspace, referral: Referral, cause: Cause, receipt: Receipt, words: tuple[str, str | None]
) -> None:
    meta = cause.meta(ReferralReturned.wire_name, referral.referral_id)
    workspace.said.append(
        ReferralReturned(meta=meta, **_fields(referral, cause), reason=words[0], note=words[1], receipt=receipt)
    )


def say_expired(
    workspace: RoutingWorkspace, referral: Referral, cause: Cause, receipt: Receipt, *, is_exhausted: bool
) -> None:
    meta = cause.meta(ReferralExpired.wire_name, referral.referral_id, str(referral.attempt))
    workspace.said.append(
        ReferralExpired(meta=meta, **_fields(referral, cause), is_exhausted=is_exhausted, receipt=receipt)
    )


def say_reassigned(
    workspace: RoutingWorkspace, referral: Referral, cause: Cause, receipt: Receipt, previous_rep_id: str | None
) -> None:
    """`referral` as it stands with the rep it was given to."""
    meta = cause.meta(ReferralReassigned.wire_name, referral.referral_id)
    workspace.said.append(
        ReferralReassigned(meta=meta, **_fields(referral, cause), previous_rep_id=previous_rep_id, receipt=receipt)
    )


def _looked_at(referral: Referral, attempt: int) -> JsonObject:
    return {"referral_id": referral.referral_id, "attempt": attempt}


def _fields(referral: Referral, cause: Cause) -> dict[str, Any]:
    """What all of routing's events about a referral name."""
    return {**_about(referral), "attempt": referral.attempt, "occurred_at": cause.occurred_at, "by": cause.by}


def _about(referral: Referral) -> dict[str, Any]:
    """What these events and alerts name."""
    return {
        "person_id": referral.person_id,
        "fragment_id": with_prefix("frg", referral.person_id),
        "graph_version": referral.graph_version,
        "referral_id": referral.referral_id,
        "rep_id": referral.rep_id,
        "stage": referral.stage,
        "account_id": referral.account_id,
        "is_test": referral.is_test,
    }


def raise_offered(workspace: RoutingWorkspace, referral: Referral, cause: Cause, assigned: Receipt) -> None:
    """Somebody is ready, and this rep is asked."""
    reason = best_reason(referral.card)
    ready = f"{who(referral.card)} is ready{f': {reason}' if reason else ''}."
    overdue = "Overdue, nobody answered in time: " if referral.is_overdue else ""
    _raise(workspace, referral, cause, (OFFERED, f"{overdue}{ready}{_answer_by(referral, cause)}"), assigned)


def raise_reminded(workspace: RoutingWorkspace, referral: Referral, cause: Cause) -> None:
    """Time is nearly up."""
    _raise(
        workspace,
        referral,
        cause,
        (REMINDED, f"{who(referral.card)} still waits for an answer.{_answer_by(referral, cause)}"),
    )


def raise_withdrawn(workspace: RoutingWorkspace, referral: Referral, cause: Cause, why: str) -> None:
    """The rep who has it need not answer any more.

    `referral` is as it stood while they had it; `why` ends the sentence.
    """
    _raise(workspace, referral, cause, (WITHDRAWN, f"{who(referral.card)} does not wait for you any more: {why}."))


def _answer_by(referral: Referral, cause: Cause) -> str:
    return "" if referral.due_at is None else f" Answer by {until(referral.due_at, cause.at)}."


def _raise(
    workspace: RoutingWorkspace,
    referral: Referral,
    cause: Cause,
    words: tuple[str, str],
    assigned: Receipt | None = None,
) -> None:
    if referral.rep_id is None:
        return
    kind, headline = words
    told = (referral.referral_id, referral.rep_id, kind)
    is_over = kind == WITHDRAWN
    workspace.said.append(
        AlertRaised(
            meta=cause.meta(AlertRaised.wire_name, *told, rulebook=referral.ground.receipt.rulebook),
            **_about(referral),
            kind=kind,
            headline=headline,
            occurred_at=cause.at,
            due_at=None if is_over else referral.due_at,
            attributes=dict(sorted(referral.card.attributes.items())),
            scores=referral.card.scores,
            because=_because(referral, assigned),
            actions={} if is_over else _actions(referral),
        )
    )


def _because(referral: Referral, assigned: Receipt | None) -> tuple[Receipt, ...]:
    """Why this rep, why this stage, and what made the score."""
    moved = (Receipt.model_validate_json(referral.move),) if referral.move else ()
    return (*(() if assigned is None else (assigned,)), *moved, *referral.card.highlights)


def _actions(referral: Referral) -> dict[str, str]:
    return {answer: f"POST /v1/referrals/{referral.referral_id}:{answer}" for answer in _ANSWERS}


def who(card: Card) -> str:
    """`Mara Lindqvist, Head of Logistics at Tidewater Freight`, as far as it is known."""
    name = display_name(card.attributes) or text_of(card.attributes, "email") or "Somebody"
    title, company = text_of(card.attributes, "title"), text_of(card.attributes, "company")
    name = _short(name)
    if title and company:
        return f"{name}, {_short(title)} at {_short(company)},"
    if title:
        return f"{name}, {_short(title)},"
    return f"{name} of {_short(company)}" if company else name


def account_name(card: Card, account_id: str | None) -> str:
    """How to call the company."""
    company = text_of(card.attributes, "company")
    return _short(company) if company else account_id or ""


def best_reason(card: Card) -> str | None:
    """What made the score: the engagement worth most, the newest of equals; as the second half of a sentence."""
    earned = [
        receipt
        for receipt in card.highlights
        if receipt.contribution is not None and receipt.contribution.measure == "engagement"
    ]
    best = max(earned, key=_worth, default=None)
    if best is None or best.contribution is None or best.contribution.points <= 0:
        return None
    sentence = best.sentence.strip().rstrip(".")
    begins_a_word = len(sentence) > 1 and sentence[0].isupper() and sentence[1].islower()
    return sentence[0].lower() + sentence[1:] if begins_a_word else sentence or None


def until(due_at: datetime, now: datetime) -> str:
    """`16:20 UTC`, with the day where it is not today."""
    clock = f"{due_at:%H:%M} UTC"
    return clock if due_at.date() == now.date() else f"{due_at.day} {due_at:%B}, {clock}"


def _worth(receipt: Receipt) -> tuple[float, datetime]:
    assert receipt.contribution is not None
    return float(receipt.contribution.points), receipt.at


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
