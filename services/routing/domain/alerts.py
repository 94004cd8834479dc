"""What a rep gets to see."""

from __future__ import annotations

from contracts.events.routing import AlertRaised
from contracts.ids import with_prefix
from contracts.values import Receipt
from services.routing.domain.cause import Cause
from services.routing.domain.desk import Desk
from services.routing.domain.referral import Referral
from services.routing.domain.wording import best_reason, until, who

OFFERED, REMINDED, WITHDRAWN = "offered", "reminded", "withdrawn"
_ANSWERS = ("see", "accept", "return")


def raise_offered(desk: Desk, referral: Referral, cause: Cause, assigned: Receipt) -> None:
    """Somebody is ready, and this rep is asked."""
    reason = best_reason(referral.card)
    ready = f"{who(referral.card)} is ready{f': {reason}' if reason else ''}."
    overdue = "Overdue, nobody answered in time: " if referral.is_overdue else ""
    _raise(desk, referral, cause, (OFFERED, f"{overdue}{ready}{_answer_by(referral, cause)}"), assigned)


def raise_reminded(desk: Desk, referral: Referral, cause: Cause) -> None:
    """Time is nearly up."""
    _raise(desk, referral, cause, (REMINDED, f"{who(referral.card)} still waits for an answer.{_answer_by(referral, cause)}"))


def raise_withdrawn(desk: Desk, referral: Referral, cause: Cause, why: str) -> None:
    """The rep who has it need not answer any more. `referral` is as it stood while they had it; `why` ends the sentence."""
    _raise(desk, referral, cause, (WITHDRAWN, f"{who(referral.card)} does not wait for you any more: {why}."))


def _answer_by(referral: Referral, cause: Cause) -> str:
    return "" if referral.due_at is None else f" Answer by {until(referral.due_at, cause.at)}."


def _raise(desk: Desk, referral: Referral, cause: Cause, words: tuple[str, str], assigned: Receipt | None = None) -> None:
    if referral.rep_id is None:
        return
    kind, headline = words
    moved = (Receipt.model_validate_json(referral.move),) if referral.move else ()
    is_over = kind == WITHDRAWN
    desk.said.append(
        AlertRaised(
            meta=cause.meta(AlertRaised.wire_name, referral.referral_id, referral.rep_id, kind, rulebook=referral.ground.receipt.rulebook),
            person_id=referral.person_id,
            fragment_id=with_prefix("frg", referral.person_id),
            graph_version=referral.graph_version,
            rep_id=referral.rep_id,
            kind=kind,
            referral_id=referral.referral_id,
            headline=headline,
            occurred_at=cause.at,
            due_at=None if is_over else referral.due_at,
            stage=referral.stage,
            account_id=referral.account_id,
            attributes=dict(sorted(referral.card.attributes.items())),
            scores=referral.card.scores,
            because=(*(() if assigned is None else (assigned,)), *moved, *referral.card.highlights),
            actions={} if is_over else {answer: f"POST /v1/referrals/{referral.referral_id}:{answer}" for answer in _ANSWERS},
            is_test=referral.is_test,
        )
    )
