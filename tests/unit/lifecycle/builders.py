"""The vocabulary of lifecycle's tests: what identity, scoring and routing say."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from contracts.events.identity import PersonCreated
from contracts.events.routing import ReferralAccepted, ReferralExpired, ReferralReturned
from contracts.events.scoring import Attribute, ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from contracts.ids import derive_id, with_prefix
from contracts.values import Contribution, Receipt, Scores, Strength
from people_kernel.people import Card
from services.lifecycle.domain.incoming_events import IncomingEvent
from services.lifecycle.domain.process import LifecycleProcess
from services.lifecycle.rulebooks import compile_lifecycle
from tests.support.people import START, attribute, frg, meta, per

DEFAULT = (Path(__file__).parents[3] / "services" / "lifecycle" / "rulebooks" / "default.yaml").read_text()


@lru_cache(maxsize=32)
def process(text: str = DEFAULT, version: int = 1) -> LifecycleProcess:
    return LifecycleProcess(compile_lifecycle(text, version))


def about(person: str, version: int = 1) -> dict[str, Any]:
    return {"person_id": person, "fragment_id": with_prefix("frg", person), "graph_version": version}


def created(
    person: str, when: datetime = START, *, is_test: bool = False, occurred: datetime | None = None
) -> PersonCreated:
    return PersonCreated(meta=meta(when, "created", person), **about(person), is_test=is_test, occurred_at=occurred)


def profile(
    person: str, when: datetime = START, *, version: int = 1, occurred: datetime | None = None, **values: Any
) -> ProfileChangedV1:
    attributes = {name: _believed(value, when) for name, value in values.items() if name != "is_test"}
    return ProfileChangedV1(
        meta=meta(when, "profile", person, sorted(values)),
        **about(person, version),
        occurred_at=occurred or when,
        attributes=attributes,
        is_test=values.get("is_test", False),
    )


def told_whole(card: Card, when: datetime, version: int, **values: str) -> ProfileChanged:
    """The profile of whoever the card is of, with what scoring said before."""
    return ProfileChanged(
        meta=meta(when, "profile", card.person_id, sorted(values)),
        **about(card.person_id, version),
        occurred_at=when,
        attributes={
            name: attribute for name, value in values.items() if (attribute := _believed(value, when)) is not None
        },
        scores=card.scores,
        highlights=card.highlights,
    )


def _believed(value: Any, when: datetime) -> Attribute | None:
    return None if value is None else attribute(value, when, Strength.VERIFIED)


def scores(cell: str, when: datetime = START) -> Scores:
    fit = {"A": 70, "B": 40, "C": 20, "D": 0}[cell[0]]
    engagement = {"1": 70, "2": 40, "3": 15, "4": 0}[cell[1]]
    return Scores(fit=Decimal(fit), engagement=Decimal(engagement), cell=cell, at=when)


def points(amount: int, when: datetime, rule: str = "demo_requested") -> Receipt:
    return Receipt(
        receipt_id=derive_id("rcp", when, rule, str(amount)),
        at=when,
        owner="scoring",
        kind="score.engagement",
        person_id=per(1),
        fragment_id=frg(1),
        cause_id="int_1",
        rule=rule,
        rulebook="scoring@1",
        contribution=Contribution(measure="engagement", points=Decimal(amount), half_life_days=Decimal(30)),
        sentence="Asked for a demo.",
    )


def scored(person: str, cell: str, when: datetime = START, *, version: int = 1, **more: Any) -> ScoreChanged:
    """`earned`: receipts; `occurred`: when it happened; `is_test`."""
    return ScoreChanged(
        meta=meta(when, "scored", person, cell),
        **about(person, version),
        occurred_at=more.get("occurred", when),
        scores=scores(cell, when),
        receipts=tuple(more.get("earned", ())),
        is_test=more.get("is_test", False),
    )


def corrected(person: str, cell: str, when: datetime = START, version: int = 1) -> ScoreCorrected:
    return ScoreCorrected(
        meta=meta(when, "corrected", person, cell), **about(person, version), scores=scores(cell, when), reason="merged"
    )


def referral(person: str, when: datetime = START, version: int = 1) -> dict[str, Any]:
    receipt = points(0, when, "round_robin").model_copy(update={"owner": "routing"})
    common = {
        "referral_id": "ref_1",
        "rep_id": "rep_ines",
        "attempt": 1,
        "stage": "mql",
        "occurred_at": when,
        "by": "rep_ines",
        "receipt": receipt,
    }
    return {**about(person, version), **common}


def accepted(person: str, when: datetime = START, version: int = 1) -> ReferralAccepted:
    return ReferralAccepted(meta=meta(when, "accepted", person), **referral(person, when, version))


def returned(person: str, reason: str, when: datetime = START, version: int = 1) -> ReferralReturned:
    return ReferralReturned(
        meta=meta(when, "returned", person, reason),
        **referral(person, when, version),
        reason=reason,
        note="Call in autumn.",
    )


def expired(person: str, when: datetime = START, *, is_exhausted: bool) -> ReferralExpired:
    return ReferralExpired(meta=meta(when, "expired", person), **referral(person, when), is_exhausted=is_exhausted)


def ready(person: str, when: datetime = START, **more: Any) -> list[IncomingEvent]:
    """Everything that makes somebody a lead for sales."""
    known = profile(
        person,
        when,
        email="ada@acme.example",
        title="VP Marketing",
        account_id="acc_acme",
        is_test=more.get("is_test", False),
    )
    return [created(person, when, is_test=more.get("is_test", False)), known, scored(person, "A2", when, **more)]
