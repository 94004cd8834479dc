"""The vocabulary of routing's tests: what lifecycle tells, and reps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.envelope import Event
from contracts.events.lifecycle import SlaBreached, SlaReminded, StageCorrected, StageEntered
from contracts.events.routing import AlertRaised
from contracts.events.scoring import Attribute
from contracts.ids import derive_id, hash_id
from contracts.values import Contribution, JsonObject, Receipt, Scores
from services.routing.domain.answers import Asker
from tests.support.people import attribute, frg, meta, per

NOW = datetime(2026, 3, 2, 12, 20, tzinfo=UTC)
HOURS = timedelta(hours=1)
MARA: JsonObject = {
    "name": "Mara Lindqvist",
    "title": "Head of Logistics",
    "company": "Tidewater Freight",
    "email": "mara@tidewater.example",
}


def a_receipt(
    sentence: str, points: int = 50, *, kind: str = "score.engagement", at: datetime = NOW, owner: str = "scoring"
) -> Receipt:
    return Receipt(
        receipt_id=derive_id("rcp", at, sentence),
        at=at,
        owner=owner,
        kind=kind,
        person_id=per(1),
        fragment_id=frg(1),
        cause_id="int_1",
        rule="demo_requested",
        rulebook=f"{owner}@1",
        contribution=Contribution(measure="engagement", points=points, half_life_days=30)
        if owner == "scoring"
        else None,
        sentence=sentence,
    )


MOVE = a_receipt("Fits well and asked for a demo.", kind="stage.move", owner="lifecycle")
DEMO = a_receipt("Asked for a demo.")


def attributes(values: JsonObject) -> dict[str, Attribute]:
    """A profile of these values."""
    return {name: attribute(value, NOW) for name, value in values.items()}


def entered(
    number: int, stage: str = "mql", *, at: datetime = NOW, version: int = 1, knows: JsonObject = MARA, **more: Any
) -> StageEntered:
    """Somebody moved on. Equal words are one event."""
    fields: dict[str, Any] = {
        "person_id": per(number),
        "fragment_id": frg(number),
        "graph_version": version,
        "occurred_at": at,
        "stage": stage,
        "attributes": attributes(knows),
        "scores": Scores(fit=45, engagement=62, cell="B1", at=at),
        "highlights": (DEMO,),
        "receipt": MOVE,
        **more,
    }
    return StageEntered(meta=meta(at, "entered", per(number), stage), **fields)


def corrected(number: int, stage: str, *, at: datetime = NOW, version: int = 1) -> StageCorrected:
    who: dict[str, Any] = {"person_id": per(number), "fragment_id": frg(number), "graph_version": version}
    return StageCorrected(
        meta=meta(at, "corrected", per(number), stage), **who, occurred_at=at, stage=stage, receipt=MOVE
    )


def clock(
    kind: type[SlaBreached] | type[SlaReminded], number: int, *, due_at: datetime, at: datetime, stage: str = "mql"
) -> SlaBreached | SlaReminded:
    who: dict[str, Any] = {
        "person_id": per(number),
        "fragment_id": frg(number),
        "graph_version": 1,
        "occurred_at": at,
        "stage": stage,
    }
    return kind(meta=meta(at, kind.__name__, per(number)), **who, clock="acceptance", started_at=NOW, due_at=due_at)


def rep_id(name: str) -> str:
    """The id of a rep that `World.hire` took on."""
    return hash_id("rep", name)


def in_charge(subject: str = "manager") -> Asker:
    return Asker(subject, None, True)


def a_rep(name: str) -> Asker:
    return Asker(name, rep_id(name), False)


def of(kind: type[Event], events: Sequence[Event]) -> list[Any]:
    """Those of one kind."""
    return [event for event in events if isinstance(event, kind)]


def words(events: Sequence[Event]) -> list[str]:
    """What was said, short: `ReferralOffered`, `AlertRaised offered`."""
    return [f"AlertRaised {event.kind}" if isinstance(event, AlertRaised) else type(event).__name__ for event in events]
