"""The vocabulary of nurture's tests: treatments, people, and what the other services say of them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from contracts.events.identity import ConsentChanged, PersonCreated
from contracts.events.lifecycle import StageCorrected, StageEntered
from contracts.events.scoring import ProfileChangedV1, ScoreChanged, ScoreCorrected
from contracts.ids import derive_id
from contracts.values import Consent, ConsentChannel, Receipt, Scores, Strength
from people_kernel.consent import answers
from services.nurture.domain.rules import BuyingStage
from services.nurture.domain.selection import Subject
from services.nurture.domain.treatments import (
    Channel,
    Content,
    Purpose,
    Treatment,
    TreatmentBody,
    compile_treatment,
    needs_consent,
)
from services.nurture.domain.workspace import ConsentByChannel, FragmentConsent, ShowingCount
from tests.support.people import START, at, attribute, frg, meta, per

CONTENT = Content(headline="How others did it", text="Three companies tell.", url="/customers")


def a_body(**fields: Any) -> TreatmentBody:
    given: dict[str, Any] = {
        "name": "A story",
        "channel": Channel.WEB,
        "purpose": Purpose.EDUCATIONAL,
        "content": CONTENT,
    } | fields
    given.setdefault("requires_consent", needs_consent(given["channel"], given["purpose"]))
    return TreatmentBody(**given)


def a_treatment(key: str = "a", revision: int = 1, **fields: Any) -> Treatment:
    return compile_treatment(f"trt_{key}", revision, a_body(**({"name": f"Treatment {key}"} | fields)))


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


def shown(times: int, days: float) -> ShowingCount:
    return ShowingCount(times, at(days))


def said_about(
    channel: ConsentChannel,
    consent: Consent,
    when: datetime = START,
    fragment: int = 1,
    number: int = 1,
    strength: Strength = Strength.VERIFIED,
) -> FragmentConsent:
    source = "src_web"
    return FragmentConsent(
        frg(fragment), channel, consent, when, f"int_{number:0>26}", source, None, strength, frg(fragment)
    )


def agreed(*statements: FragmentConsent) -> ConsentByChannel:
    return answers(statements)


def created(number: int, when: datetime = START, **fields: Any) -> PersonCreated:
    return PersonCreated(
        meta=meta(when, f"created {number}"), person_id=per(number), fragment_id=frg(number), graph_version=1, **fields
    )


def consented(
    channel: ConsentChannel,
    consent: Consent,
    when: datetime = START,
    number: int = 1,
    fragment: int | None = None,
    **fields: Any,
) -> ConsentChanged:
    given: dict[str, Any] = {
        "meta": meta(when, f"consent {number} {fragment} {channel} {consent} {when}"),
        "person_id": per(number),
        "fragment_id": frg(number if fragment is None else fragment),
        "graph_version": 1,
        "interaction_id": f"int_{when:%Y%m%d%H%M%S}",
        "source_id": "src_web",
        "strength": Strength.VERIFIED,
    }
    return ConsentChanged(channel=channel, consent=consent, occurred_at=when, **(given | fields))


def profile_said(number: int, when: datetime, values: dict[str, Any], **fields: Any) -> ProfileChangedV1:
    given: dict[str, Any] = {
        "meta": meta(when, f"profile {number} {sorted(values)}"),
        "person_id": per(number),
        "fragment_id": frg(number),
        "graph_version": 1,
        "occurred_at": when,
        "attributes": {name: None if value is None else attribute(value, when) for name, value in values.items()},
    }
    return ProfileChangedV1(**(given | fields))


def scores(cell: str, when: datetime) -> Scores:
    return Scores(fit=Decimal(20), engagement=Decimal(30), cell=cell, at=when)


def score_said(number: int, when: datetime, cell: str, **fields: Any) -> ScoreChanged:
    given: dict[str, Any] = {
        "meta": meta(when, f"score {number} {cell}"),
        "person_id": per(number),
        "fragment_id": frg(number),
        "graph_version": 1,
        "occurred_at": when,
        "scores": scores(cell, when),
    }
    return ScoreChanged(**(given | fields))


def score_corrected(number: int, when: datetime, cell: str, **fields: Any) -> ScoreCorrected:
    given: dict[str, Any] = {"person_id": per(number), "fragment_id": frg(number), "graph_version": 1}
    return ScoreCorrected(
        meta=meta(when, f"corrected {number} {cell}"), scores=scores(cell, when), reason="merge", **(given | fields)
    )


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
        "meta": meta(when, f"stage {number} {stage}"),
        "person_id": per(number),
        "fragment_id": frg(number),
        "graph_version": 1,
        "occurred_at": when,
        "receipt": a_receipt(number, when),
    }
    return StageEntered(stage=stage, **(given | fields))


def stage_corrected(number: int, stage: str, when: datetime = START, **fields: Any) -> StageCorrected:
    given: dict[str, Any] = {
        "person_id": per(number),
        "fragment_id": frg(number),
        "graph_version": 1,
        "occurred_at": when,
    }
    return StageCorrected(
        meta=meta(when, f"stage corrected {number} {stage}"),
        stage=stage,
        receipt=a_receipt(number, when),
        **(given | fields),
    )
