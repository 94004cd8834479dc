"""The vocabulary of nurture's tests: treatments, people, and what the other services say of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.envelope import Meta
from contracts.events.identity import ConsentChanged, PersonCreated, PersonMerged, PersonPart, PersonSplit
from contracts.events.lifecycle import StageCorrected, StageEntered
from contracts.events.scoring import Attribute, ProfileChangedV1, ScoreChanged, ScoreCorrected
from contracts.ids import derive_id
from contracts.values import Consent, ConsentChannel, Receipt, Scores, Strength
from services.nurture.domain.consent import Statement, standing
from services.nurture.domain.selection import Shown, Subject
from services.nurture.domain.stages import BuyingStage
from services.nurture.domain.treatments import Channel, Content, Purpose, Treatment, TreatmentBody, needs_consent, ready

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONTENT = Content(headline="How others did it", text="Three companies tell.", url="/customers")


def at(days: float = 0, **delta: float) -> datetime:
    return START + timedelta(days=days, **delta)


def frg(number: int | str) -> str:
    return f"frg_{number:0>26}"


def per(number: int | str) -> str:
    return f"per_{number:0>26}"


def a_body(**fields: Any) -> TreatmentBody:
    given: dict[str, Any] = {"name": "A story", "channel": Channel.WEB, "purpose": Purpose.EDUCATIONAL, "content": CONTENT} | fields
    given.setdefault("requires_consent", needs_consent(given["channel"], given["purpose"]))
    return TreatmentBody(**given)


def a_treatment(key: str = "a", revision: int = 1, **fields: Any) -> Treatment:
    return ready(f"trt_{key}", revision, a_body(**({"name": f"Treatment {key}"} | fields)))


def somebody(**fields: Any) -> Subject:
    given: dict[str, Any] = {
        "person_id": per(1),
        "stage": "engaged",
        "buying_stage": BuyingStage.CONSIDERATION,
        "facts": {},
        "consent": {},
        "shown": {},
    }
    return Subject(**(given | fields))


def shown(times: int, days: float) -> Shown:
    return Shown(times, at(days))


def said_about(channel: ConsentChannel, consent: Consent, when: datetime = START, fragment: int = 1, number: int = 1) -> Statement:
    return Statement(frg(fragment), channel, consent, when, f"int_{number:0>26}", "src_web")


def agreed(*statements: Statement) -> dict[ConsentChannel, Statement]:
    return standing(statements)


def meta(what: str, when: datetime) -> Meta:
    event_id = derive_id("evt", when, what)
    return Meta(event_id=event_id, at=when, correlation_id=event_id)


def created(number: int, when: datetime = START, **fields: Any) -> PersonCreated:
    return PersonCreated(meta=meta(f"created {number}", when), person_id=per(number), fragment_id=frg(number), graph_version=1, **fields)


def merged(survivor: int, *absorbed: int, version: int = 2, when: datetime = START) -> PersonMerged:
    return PersonMerged(
        meta=meta(f"merged {survivor} {absorbed} {version}", when),
        person_id=per(survivor),
        absorbed_person_ids=tuple(per(one) for one in absorbed),
        fragment_ids=tuple(frg(one) for one in sorted((survivor, *absorbed))),
        graph_version=version,
        strength=Strength.MANUAL,
        sentence="they are one",
    )


def split(*numbers: int, version: int = 3, when: datetime = START) -> PersonSplit:
    parts = tuple(PersonPart(person_id=per(one), fragment_ids=(frg(one),), graph_version=version) for one in numbers)
    said = meta(f"split {numbers} {version}", when)
    return PersonSplit(meta=said, person_id=per(numbers[0]), parts=parts, graph_version=version, sentence="several")


def consented(
    channel: ConsentChannel, consent: Consent, when: datetime = START, number: int = 1, fragment: int | None = None, **fields: Any
) -> ConsentChanged:
    given: dict[str, Any] = {
        "meta": meta(f"consent {number} {fragment} {channel} {consent} {when}", when),
        "person_id": per(number),
        "fragment_id": frg(number if fragment is None else fragment),
        "graph_version": 1,
        "interaction_id": f"int_{when:%Y%m%d%H%M%S}",
        "source_id": "src_web",
    }
    return ConsentChanged(channel=channel, consent=consent, occurred_at=when, **(given | fields))


def an_attribute(value: Any, when: datetime = START) -> Attribute:
    return Attribute(value=value, strength=Strength.CLAIMED, source_id="src_web", interaction_id="int_1", occurred_at=when)


def profile_said(number: int, when: datetime, values: dict[str, Any], **fields: Any) -> ProfileChangedV1:
    given: dict[str, Any] = {
        "meta": meta(f"profile {number} {sorted(values)}", when),
        "person_id": per(number),
        "fragment_id": frg(number),
        "graph_version": 1,
        "occurred_at": when,
        "attributes": {name: None if value is None else an_attribute(value, when) for name, value in values.items()},
    }
    return ProfileChangedV1(**(given | fields))


def scores(cell: str, when: datetime) -> Scores:
    return Scores(fit=Decimal(20), engagement=Decimal(30), cell=cell, at=when)


def score_said(number: int, when: datetime, cell: str, **fields: Any) -> ScoreChanged:
    given: dict[str, Any] = {
        "meta": meta(f"score {number} {cell}", when),
        "person_id": per(number),
        "fragment_id": frg(number),
        "graph_version": 1,
        "occurred_at": when,
        "scores": scores(cell, when),
    }
    return ScoreChanged(**(given | fields))


def score_corrected(number: int, when: datetime, cell: str, **fields: Any) -> ScoreCorrected:
    given: dict[str, Any] = {"person_id": per(number), "fragment_id": frg(number), "graph_version": 1}
    return ScoreCorrected(meta=meta(f"corrected {number} {cell}", when), scores=scores(cell, when), reason="merge", **(given | fields))


def a_receipt(number: int, when: datetime) -> Receipt:
    return Receipt(
        receipt_id=derive_id("rcp", when, "move", str(number)),
        at=when,
        owner="lifecycle",
        kind="stage.move",
        person_id=per(number),
        fragment_id=frg(number),
        cause_id="evt_1",
        rule="moves",
        rulebook="lifecycle@1",
        sentence="Moved on.",
    )


def stage_entered(number: int, stage: str, when: datetime = START, **fields: Any) -> StageEntered:
    given: dict[str, Any] = {
        "meta": meta(f"stage {number} {stage}", when),
        "person_id": per(number),
        "fragment_id": frg(number),
        "graph_version": 1,
        "occurred_at": when,
        "receipt": a_receipt(number, when),
    }
    return StageEntered(stage=stage, **(given | fields))


def stage_corrected(number: int, stage: str, when: datetime = START, **fields: Any) -> StageCorrected:
    given: dict[str, Any] = {"person_id": per(number), "fragment_id": frg(number), "graph_version": 1, "occurred_at": when}
    return StageCorrected(meta=meta(f"stage corrected {number} {stage}", when), stage=stage, receipt=a_receipt(number, when), **(given | fields))
