"""How reps, referrals and offers are written as rows and read back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from contracts.events.scoring import Attribute
from contracts.values import Receipt, Scores
from people_kernel.people import Card
from services.routing.domain.assignment import Asking, Ground, Rep
from services.routing.domain.workspace import Offer, Outcome, Referral, State

Row = dict[str, Any]


def rep_of(row: Any) -> Rep:
    teams = tuple(orjson.loads(row.teams))
    return Rep(row.rep_id, row.name, row.email, row.weight, row.capacity, teams, row.is_active, row.external_id)


def rep_row(rep: Rep) -> Row:
    return {**asdict(rep), "teams": _text(list(rep.teams))}


def referral_row(referral: Referral) -> Row:
    plain = (
        "referral_id",
        "fragment_id",
        "person_id",
        "graph_version",
        "stage",
        "rep_id",
        "account_id",
        "attempt",
        "move",
    )
    moments = ("created_at", "offered_at", "due_at", "stage_due_at", "answered_at", "closed_at")
    rest = ("accepted_rep_id", "is_overdue", "is_settled", "is_test", "takes_room", "closed_because", "merged_into")
    return {
        **{name: getattr(referral, name) for name in (*plain, *moments, *rest)},
        "state": referral.state.value,
        "asked": _text(list(referral.asked)),
        "card": card_text(referral.card),
        "ground": _text(
            {
                "asking": referral.ground.asking.model_dump(mode="json"),
                "receipt": referral.ground.receipt.model_dump(mode="json"),
            }
        ),
    }


def referral_of(row: Any) -> Referral:
    ground = orjson.loads(row.ground)
    return Referral(
        referral_id=row.referral_id,
        fragment_id=row.fragment_id,
        person_id=row.person_id,
        graph_version=row.graph_version,
        stage=row.stage,
        state=State(row.state),
        card=card_of(row),
        ground=Ground(Asking.model_validate(ground["asking"]), Receipt.model_validate(ground["receipt"])),
        created_at=row.created_at,
        account_id=row.account_id,
        move=row.move,
        rep_id=row.rep_id,
        attempt=row.attempt,
        asked=tuple(orjson.loads(row.asked)),
        offered_at=row.offered_at,
        due_at=row.due_at,
        stage_due_at=row.stage_due_at,
        answered_at=row.answered_at,
        accepted_rep_id=row.accepted_rep_id,
        is_overdue=row.is_overdue,
        is_settled=row.is_settled,
        closed_at=row.closed_at,
        closed_because=row.closed_because,
        merged_into=row.merged_into,
    )


def card_text(card: Card) -> str:
    return _text(
        {
            "person_id": card.person_id,
            "attributes": {name: attribute.model_dump(mode="json") for name, attribute in card.attributes.items()},
            "scores": None if card.scores is None else card.scores.model_dump(mode="json"),
            "highlights": [receipt.model_dump(mode="json") for receipt in card.highlights],
        }
    )


def card_of(row: Any) -> Card:
    """The card of a referral's row."""
    body = orjson.loads(row.card)
    attributes = {name: Attribute.model_validate(attribute) for name, attribute in body["attributes"].items()}
    scores = None if body["scores"] is None else Scores.model_validate(body["scores"])
    return Card(
        body["person_id"],
        attributes,
        scores,
        tuple(Receipt.model_validate(receipt) for receipt in body["highlights"]),
        row.is_test,
    )


def offer_row(offer: Offer) -> Row:
    return {**asdict(offer), "outcome": offer.outcome.value}


def offer_of(row: Any) -> Offer:
    return Offer(
        referral_id=row.referral_id,
        attempt=row.attempt,
        rep_id=row.rep_id,
        offered_at=row.offered_at,
        due_at=row.due_at,
        outcome=Outcome(row.outcome),
        seen_at=row.seen_at,
        ended_at=row.ended_at,
        reason=row.reason,
        note=row.note,
        by=row.by,
    )


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
