"""How fragments, people and receipts are written as rows, canonically: equal states give equal rows."""

from __future__ import annotations

from typing import Any

import orjson

from contracts.events.identity import InteractionRecognized
from deciding.store.attributes import attributes_from_text, attributes_to_text
from services.scoring.domain.book import Fragment, Person, Standing, Told
from services.scoring.domain.decay import Accumulators
from services.scoring.domain.facts import recognition_of
from services.scoring.domain.fit import Fit
from services.scoring.domain.ledger import ENGAGEMENT, FIT, StoredReceipt
from services.scoring.domain.profile import search_text

Row = dict[str, Any]


def to_text(value: Any) -> str:
    """Canonical JSON."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def sums_to_text(sums: Accumulators) -> str:
    return to_text({str(half_life): format(total, "x") for half_life, total in sums.items()})


def sums_from_text(text: str) -> Accumulators:
    return {int(half_life): int(total, 16) for half_life, total in orjson.loads(text).items()}


def fragment_row(fragment: Fragment) -> Row:
    return {
        "fragment_id": fragment.fragment_id,
        "person_id": fragment.person_id,
        "graph_version": fragment.graph_version,
        "sums": sums_to_text(fragment.sums),
        "latest_at": fragment.latest_at,
        "is_test": fragment.is_test,
        "is_marked": fragment.is_marked,
    }


def fragment_of(row: Any) -> Fragment:
    return Fragment(row.fragment_id, row.person_id, row.graph_version, sums_from_text(row.sums), row.latest_at, row.is_test, row.is_marked)


def person_row(person: Person) -> Row:
    key = person.fit.last_key
    return {
        "person_id": person.person_id,
        "graph_version": person.graph_version,
        "evaluated_at": person.evaluated_at,
        "latest_at": person.latest_at,
        "is_test": person.is_from_tests,
        "is_marked": person.is_marked,
        "attributes": attributes_to_text(person.fit.attributes),
        "held": to_text(dict(person.fit.held)),
        "fit_version": person.fit.version,
        "last_trait_at": None if key is None else key[0],
        "last_trait_id": None if key is None else key[1],
        "sums": sums_to_text(person.sums),
        **_said_columns(person.said),
        "fades_at": person.fades_at,
        "search": search_text(person.fit.attributes).replace("\0", ""),
    }


def person_of(row: Any) -> Person:
    key = None if row.last_trait_at is None else (row.last_trait_at, row.last_trait_id)
    return Person(
        person_id=row.person_id,
        graph_version=row.graph_version,
        evaluated_at=row.evaluated_at,
        fit=Fit(attributes_from_text(row.attributes), orjson.loads(row.held), row.fit_version, key),
        sums=sums_from_text(row.sums),
        latest_at=row.latest_at,
        is_from_tests=row.is_test,
        is_marked=row.is_marked,
        said=_said_of(row),
        fades_at=row.fades_at,
    )


def farewell_row(person_id: str, told: Told) -> Row:
    columns = {"person_id": person_id, "attributes": attributes_to_text(told.attributes), "is_test": told.is_test}
    return {**columns, **_said_columns(told.said)}


def farewell_of(row: Any) -> Told:
    return Told(attributes_from_text(row.attributes), _said_of(row), row.is_test)


def _said_columns(said: Standing | None) -> Row:
    return {
        "said_fit_e4": None if said is None else said.fit_e4,
        "said_engagement_e4": None if said is None else said.engagement_e4,
        "said_cell": None if said is None else said.cell,
        "said_at": None if said is None else said.at,
    }


def _said_of(row: Any) -> Standing | None:
    return None if row.said_at is None else Standing(row.said_fit_e4, row.said_engagement_e4, row.said_cell, row.said_at)


def fact_row(event: InteractionRecognized, version: int, *, has_traits: bool) -> Row:
    interaction, recognition = event.interaction, recognition_of(event)
    return {
        "interaction_id": interaction.interaction_id,
        "fragment_id": event.fragment_id,
        "occurred_at": interaction.occurred_at,
        "heard_at": event.meta.at,
        "kind": interaction.kind.value,
        "name": None if interaction.name is None else interaction.name.replace("\0", ""),
        "has_traits": has_traits,
        "strength": event.strength.value,
        "rulebook_version": version,
        "body": interaction.model_dump_json(),
        "account_id": recognition.account_id,
        "user_id": recognition.user_id,
    }


def receipt_row(receipt: StoredReceipt) -> Row:
    return {
        "receipt_id": receipt.receipt_id,
        "fragment_id": receipt.fragment_id,
        "at": receipt.at,
        "measure": receipt.measure,
        "rule": receipt.rule,
        "rulebook": receipt.rulebook,
        "points_e4": receipt.points_e4,
        "half_life": receipt.half_life,
        "cause_id": receipt.cause_id,
        "inputs": to_text(dict(receipt.inputs)),
        "sentence": receipt.sentence.replace("\0", ""),
    }


def receipt_of(row: Any) -> StoredReceipt:
    return StoredReceipt(
        receipt_id=row.receipt_id,
        fragment_id=row.fragment_id,
        at=row.at,
        measure=FIT if row.measure == FIT else ENGAGEMENT,
        rule=row.rule,
        rulebook=row.rulebook,
        points_e4=row.points_e4,
        half_life=row.half_life,
        cause_id=row.cause_id,
        inputs=orjson.loads(row.inputs),
        sentence=row.sentence,
    )
