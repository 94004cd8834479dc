"""A card is what scoring last said under a person id, with the newest reasons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import MetaData

from chassis.store.database import Database
from contracts.envelope import Meta
from contracts.events.scoring import Attribute, ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from contracts.limits import HIGHLIGHTS
from contracts.values import Receipt, Scores, Strength
from people_kernel.people import CARD_VARIABLES, blank, card_facts, is_judged_anew, updated
from people_kernel.store.people import card_table, load_cards, save_cards

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
METADATA = MetaData()
CARDS = card_table(METADATA)
WHO: dict[str, Any] = {
    "meta": Meta(event_id="evt_1", at=NOON, correlation_id="cap_1"),
    "person_id": "per_A",
    "fragment_id": "frg_A",
    "graph_version": 1,
}


def known(value: Any) -> Attribute:
    return Attribute(
        value=value, strength=Strength.CLAIMED, source_id="src_1", interaction_id="int_1", occurred_at=NOON
    )


def scores(engagement: int, cell: str) -> Scores:
    return Scores(fit=Decimal(30), engagement=Decimal(engagement), cell=cell, at=NOON)


def reason(number: int) -> Receipt:
    return Receipt(
        receipt_id=f"rcp_{number:03}",
        at=NOON + timedelta(minutes=number),
        owner="scoring",
        kind="score.engagement",
        person_id="per_A",
        fragment_id="frg_A",
        cause_id=f"int_{number}",
        rule="pricing_read",
        rulebook="scoring@1",
        sentence=f"Read the prices, {number}.",
    )


def test_a_card_is_what_a_profile_says_whatever_was_heard_before() -> None:
    before = updated(blank("per_A"), ScoreChanged(**WHO, scores=scores(40, "B2"), receipts=(reason(1),)))
    before = updated(
        before, ProfileChanged(**WHO, attributes={"title": known("CFO")}, scores=scores(40, "B2"), is_test=True)
    )
    told = ProfileChanged(
        **WHO, attributes={"account_id": known("acc_1")}, scores=scores(3, "B4"), highlights=(reason(2), reason(3))
    )
    card = updated(before, told)
    assert card == updated(blank("per_A"), told)
    assert (card.account_id, card.scores, card.highlights, card.is_test) == (
        "acc_1",
        scores(3, "B4"),
        (reason(3), reason(2)),
        False,
    )


def test_a_profile_of_the_first_version_is_still_heard_by_its_changes() -> None:
    card = updated(
        blank("per_A"),
        ProfileChangedV1(**WHO, attributes={"email": known("ada@harbour.example"), "title": known("CFO")}),
    )
    card = updated(
        card, ProfileChangedV1(**WHO, attributes={"title": None, "account_id": known("acc_1")}, is_test=True)
    )
    assert card.attributes == {"email": known("ada@harbour.example"), "account_id": known("acc_1")}
    assert card.account_id == "acc_1"
    assert card.is_test


@pytest.mark.parametrize("kind", [ProfileChanged, ProfileChangedV1])
def test_only_a_profile_that_something_happened_to_may_set_something_off(
    kind: type[ProfileChanged | ProfileChangedV1],
) -> None:
    assert is_judged_anew(kind(**WHO, attributes={}))
    assert not is_judged_anew(kind(**WHO, attributes={}, occurred_at=NOON))


def test_a_correction_changes_the_scores_and_no_reasons() -> None:
    card = updated(blank("per_A"), ScoreChanged(**WHO, scores=scores(40, "B2"), receipts=(reason(1),)))
    card = updated(card, ScoreCorrected(**WHO, scores=scores(10, "B4"), reason="split"))
    assert card.scores is not None
    assert card.scores.cell == "B4"
    assert card.highlights == (reason(1),)


def test_only_the_newest_reasons_are_kept_and_each_once() -> None:
    card = blank("per_A")
    for number in (3, 1, 2, *range(4, 20), 19):
        card = updated(card, ScoreChanged(**WHO, scores=scores(number, "B3"), receipts=(reason(number),)))
    assert card.highlights == tuple(reason(number) for number in range(19, 19 - HIGHLIGHTS, -1))


def test_rules_can_ask_for_everything_that_is_declared() -> None:
    card = updated(
        blank("per_A"),
        ProfileChanged(**WHO, attributes={"email": known("ada@harbour.example"), "user_id": known("u-1")}),
    )
    facts = card_facts(card)
    assert facts.keys() == CARD_VARIABLES.keys()
    assert facts["person.email"] == "ada@harbour.example"
    assert facts["person.user_id"] == "u-1"
    assert facts["scores.cell"] is None


@pytest_asyncio.fixture
async def store(database: Database) -> Database:
    async with database.connection() as connection, connection.begin():
        await connection.run_sync(METADATA.create_all)
    return database


async def test_a_card_comes_back_from_the_store_as_it_went_in(store: Database) -> None:
    card = updated(
        blank("per_A"), ProfileChanged(**WHO, attributes={"name": known("山田太郎"), "employees": known(140)})
    )
    card = updated(card, ScoreChanged(**WHO, scores=scores(40, "B2"), receipts=(reason(1), reason(2))))
    for version in (blank("per_A"), card):
        async with store.begin() as session:
            await save_cards(session, CARDS, [version])
        async with store.read() as session:
            assert await load_cards(session, CARDS, ["per_A", "per_B"]) == {"per_A": version}
