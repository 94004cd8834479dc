"""The events and receipts that tell what was decided about a referral."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.events.routing import ReferralAccepted, ReferralExpired, ReferralOffered, ReferralReassigned, ReferralReturned, ReferralSeen
from contracts.ids import with_prefix
from contracts.values import JsonObject, Receipt
from services.routing.domain.assignment import Choice
from services.routing.domain.cause import Cause
from services.routing.domain.desk import Desk
from services.routing.domain.referral import Referral
from services.routing.domain.rules import ASSIGNMENT, NAME

ANSWER, EXPIRY, CLOSING = "referral.answer", "referral.expiry", "referral.closing"


def assignment_receipt(desk: Desk, referral: Referral, cause: Cause, choice: Choice) -> Receipt:
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
    desk.receipts.append(receipt)
    return receipt


def write_receipt(desk: Desk, referral: Referral, cause: Cause, what: tuple[str, str, str | None], words: tuple[str, JsonObject]) -> Receipt:
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
        inputs={**_looked_at(referral, referral.attempt), **{name: value for name, value in inputs.items() if value is not None}},
        outcome=outcome,
        sentence=sentence,
    )
    desk.receipts.append(receipt)
    return receipt


def say_offered(desk: Desk, referral: Referral, cause: Cause, due_at: datetime, receipt: Receipt) -> None:
    fields = {**_fields(referral, cause), "occurred_at": cause.at}  # an offer begins when it is made, whatever brought it about
    meta = cause.meta(ReferralOffered.wire_name, referral.referral_id, str(referral.attempt), rulebook=receipt.rulebook)
    desk.said.append(ReferralOffered(meta=meta, **fields, due_at=due_at, receipt=receipt))


def say_seen(desk: Desk, referral: Referral, cause: Cause) -> None:
    desk.said.append(ReferralSeen(meta=cause.meta(ReferralSeen.wire_name, referral.referral_id), **_fields(referral, cause)))


def say_accepted(desk: Desk, referral: Referral, cause: Cause, receipt: Receipt) -> None:
    meta = cause.meta(ReferralAccepted.wire_name, referral.referral_id)
    desk.said.append(ReferralAccepted(meta=meta, **_fields(referral, cause), receipt=receipt))


def say_returned(desk: Desk, referral: Referral, cause: Cause, receipt: Receipt, words: tuple[str, str | None]) -> None:
    meta = cause.meta(ReferralReturned.wire_name, referral.referral_id)
    desk.said.append(ReferralReturned(meta=meta, **_fields(referral, cause), reason=words[0], note=words[1], receipt=receipt))


def say_expired(desk: Desk, referral: Referral, cause: Cause, receipt: Receipt, *, is_exhausted: bool) -> None:
    meta = cause.meta(ReferralExpired.wire_name, referral.referral_id, str(referral.attempt))
    desk.said.append(ReferralExpired(meta=meta, **_fields(referral, cause), is_exhausted=is_exhausted, receipt=receipt))


def say_reassigned(desk: Desk, referral: Referral, cause: Cause, receipt: Receipt, previous_rep_id: str | None) -> None:
    """`referral` as it stands with the rep it was given to."""
    meta = cause.meta(ReferralReassigned.wire_name, referral.referral_id)
    desk.said.append(ReferralReassigned(meta=meta, **_fields(referral, cause), previous_rep_id=previous_rep_id, receipt=receipt))


def _looked_at(referral: Referral, attempt: int) -> JsonObject:
    return {"referral_id": referral.referral_id, "attempt": attempt}


def _fields(referral: Referral, cause: Cause) -> dict[str, Any]:
    """What all of routing's events about a referral name."""
    return {
        "person_id": referral.person_id,
        "fragment_id": with_prefix("frg", referral.person_id),
        "graph_version": referral.graph_version,
        "referral_id": referral.referral_id,
        "rep_id": referral.rep_id,
        "attempt": referral.attempt,
        "stage": referral.stage,
        "account_id": referral.account_id,
        "occurred_at": cause.occurred_at,
        "by": cause.by,
        "is_test": referral.is_test,
    }
