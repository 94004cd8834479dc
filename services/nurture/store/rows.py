"""How rows become what the domain speaks of, and back."""

from __future__ import annotations

from typing import Any

from chassis.store.statements import Row
from contracts.ids import with_prefix
from contracts.values import Consent, ConsentChannel, Strength
from services.nurture.domain.outgoing_events import Selection
from services.nurture.domain.rules import Buying, BuyingStage
from services.nurture.domain.treatments import CatalogueEntry, TreatmentBody
from services.nurture.domain.workspace import FragmentConsent, NurturedPerson


def person_row(person: NurturedPerson) -> dict[str, Any]:
    buying = person.buying
    return {
        "person_id": person.person_id,
        "stage": person.stage,
        "stage_at": person.stage_at,
        "told_at": person.told_at,
        "buying_stage": None if buying is None else buying.stage.value,
        "buying_rule": None if buying is None else buying.rule,
        "buying_rulebook": None if buying is None else buying.rulebook,
        "buying_sentence": None if buying is None else buying.sentence,
        "is_test": person.is_test,
    }


def to_person(row: Row) -> NurturedPerson:
    buying = None
    if row.buying_stage is not None:
        buying = Buying(BuyingStage(row.buying_stage), row.buying_rule, row.buying_rulebook, row.buying_sentence)
    return NurturedPerson(row.person_id, row.stage, row.stage_at, row.told_at, buying, row.is_test)


def latest_consent_row(one: FragmentConsent) -> dict[str, Any]:
    return former_consent_row(one) | {
        "kind": one.key.kind.value,
        "origin_id": one.origin_id,
        "strength": one.strength.value,
    }


def former_consent_row(one: FragmentConsent) -> dict[str, Any]:
    """As releases before 0.3.0 read it."""
    return {
        "fragment_id": one.fragment_id,
        "channel": one.channel.value,
        "consent": one.consent.value,
        "occurred_at": one.occurred_at,
        "interaction_id": one.interaction_id,
        "source_id": one.source_id,
        "wording": one.wording,
    }


def to_consent(row: Row) -> FragmentConsent:
    return FragmentConsent(
        row.fragment_id,
        ConsentChannel(row.channel),
        Consent(row.consent),
        row.occurred_at,
        row.interaction_id,
        row.source_id,
        row.wording,
        Strength(row.strength),
        row.origin_id,
    )


def to_former_consent(row: Row) -> FragmentConsent:
    """Of the table of before, which does not say how far a statement is believed: a human's is known by its source."""
    is_human = row.source_id.startswith("api:")
    return FragmentConsent(
        row.fragment_id,
        ConsentChannel(row.channel),
        Consent(row.consent),
        row.occurred_at,
        row.interaction_id,
        row.source_id,
        row.wording,
        Strength.MANUAL if is_human else Strength.CLAIMED,
        row.fragment_id,
    )


def selection_row(selection: Selection, answer: str | None) -> dict[str, Any]:
    occasion, chosen = selection.occasion, selection.choice.chosen
    return {
        "selection_id": selection.selection_id,
        "fragment_id": with_prefix("frg", occasion.person_id),
        "at": occasion.at,
        "occurred_at": occasion.occurred_at,
        "trigger": occasion.trigger,
        "treatment_id": None if chosen is None else chosen.treatment.treatment_id,
        "revision": None if chosen is None else chosen.treatment.revision,
        "stage": selection.stage,
        "buying_stage": selection.buying.stage.value,
        "circumstances": selection.circumstances,
        "is_test": occasion.is_test,
        "sentence": selection.receipt.sentence,
        "answer": answer,
    }


def treatment_row(entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "treatment_id": entry.treatment_id,
        "revision": entry.latest,
        "external_id": entry.external_id,
        "is_starter": entry.is_starter,
        "created_at": entry.created_at,
    }


def revision_row(entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "treatment_id": entry.treatment_id,
        "revision": entry.revision,
        "body": entry.body.model_dump_json(),
        "revised_at": entry.revised_at,
        "revised_by": entry.revised_by,
    }


def to_entry(row: Row) -> CatalogueEntry:
    return CatalogueEntry(
        treatment_id=row.treatment_id,
        revision=row.revision,
        latest=row.latest,
        external_id=row.external_id,
        is_starter=row.is_starter,
        created_at=row.created_at,
        revised_at=row.revised_at,
        revised_by=row.revised_by,
        body=TreatmentBody.model_validate_json(row.body),
    )
