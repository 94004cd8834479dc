"""The store and the handlers on both databases: however batches are cut they come to the same, through merges and
splits.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import func, select, text

from chassis.context import Context
from chassis.store.database import Database
from chassis.store.migrate import drift, migrate
from contracts.envelope import Event
from contracts.events.identity import ConsentChanged
from contracts.events.nurture import TreatmentSelected
from contracts.ids import hash_id
from contracts.limits import SELECTIONS
from contracts.values import Consent, ConsentChannel
from people_kernel.consent import answers
from services.nurture.domain.selection import Against, decode_against
from services.nurture.domain.treatments import STARTERS, CatalogueEntry, TreatmentBody
from services.nurture.events import SUBSCRIPTIONS
from services.nurture.rulebooks import REGISTRY
from services.nurture.store import load, queries, write
from services.nurture.store.load import CompiledCatalogue
from services.nurture.store.tables import CARD, CATALOGUE, CONSENT, FRAGMENT, PERSON, RECEIPT, SELECTION, SHOWN, Table
from tests.support.former_stores import migrate_until
from tests.support.people import START, at, frg, merged, per, split
from tests.support.stores import prepare
from tests.unit.nurture.builders import (
    consented,
    created,
    profile_said,
    score_corrected,
    score_said,
    scores,
    stage_corrected,
    stage_entered,
)

TAKERS = {event_type: subscription.handler for subscription in SUBSCRIPTIONS for event_type in subscription.event_types}
EMAIL = ConsentChannel.EMAIL


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Database]:
    await prepare(store_url, "services.nurture.migrations")
    database = Database(store_url)
    async with database.begin() as session:
        context = Context(session, START)
        await REGISTRY.add_draft(context, REGISTRY.default.read_text(), "tester")
        await REGISTRY.activate(context, 1, "tester")
        await write.treatments(session, [an_entry(key, body) for key, body in STARTERS.items()])
    yield database
    await database.close()


def an_entry(key: str, body: TreatmentBody) -> CatalogueEntry:
    return CatalogueEntry(hash_id("trt", key), 1, 1, None, True, START, START, "tester", body)


async def hear(store: Database, *events: Event, now: datetime = START) -> list[Event]:
    """One transaction of consecutive events, handed over as the chassis does."""
    async with store.begin() as session:
        context = Context(session, now, CompiledCatalogue())
        for handler, run in groupby(events, key=lambda event: TAKERS[type(event)]):
            await handler(list(run), context)
        return list(context.said)


async def everything(store: Database) -> dict[str, list[dict[str, Any]]]:
    async with store.read() as session:
        found = {}
        for table in (FRAGMENT, CARD, PERSON, CONSENT, RECEIPT, SELECTION):
            rows = await session.execute(select(table).order_by(*table.primary_key.columns))
            found[table.name] = [row._asdict() for row in rows]
        return found


def a_life(rng: random.Random, length: int) -> list[Event]:
    """What the others may say of three people, in any order."""
    events: list[Event] = [created(number, at(0, seconds=number)) for number in (1, 2, 3)]
    version = 1
    for step in range(length):
        number, when = rng.randint(1, 3), at(1, minutes=step)
        match rng.randrange(8):
            case 0:
                events.append(
                    stage_entered(
                        number,
                        rng.choice(["known", "engaged", "mql", "recycled", "sal"]),
                        when,
                        scores=scores("B3", when),
                    )
                )
            case 1:
                events.append(stage_corrected(number, rng.choice(["known", "customer"]), when))
            case 2 | 3:
                events.append(score_said(number, when, rng.choice(["A1", "B3", "D4"]), is_test=rng.random() < 0.2))
            case 4:
                events.append(
                    profile_said(number, when, {"need": rng.choice([None, "speed"]), "timing": rng.choice([None, 2])})
                )
            case 5:
                events.append(score_corrected(number, when, "C4"))
            case 6:
                events.append(
                    consented(
                        rng.choice(list(ConsentChannel)),
                        rng.choice(list(Consent)),
                        at(rng.randrange(3), minutes=step),
                        number,
                    )
                )
            case 7:
                version += 1
                events.append(merged((1, 2), version, when) if rng.random() < 0.5 else split([[1], [2]], version, when))
    return events


@pytest.mark.parametrize("seed", range(4))
async def test_however_batches_are_cut_the_same_is_said_and_kept(store: Database, seed: int) -> None:
    rng = random.Random(seed)
    events = a_life(rng, 60)
    said: list[Event] = []
    for event in events:
        said += await hear(store, event)
    one_by_one = await everything(store)
    async with store.begin() as session:
        for table in ("fragment", "card", "person", "consent", "latest_consent", "receipt", "selection"):
            await session.execute(text(f"DELETE FROM {table}"))
    in_batches, rest = [], list(events)
    while rest:
        size = rng.choice([2, 7, 40])
        in_batches += await hear(store, *rest[:size])
        del rest[:size]
    assert [(event.meta.event_id, event.body()) for event in in_batches] == [
        (event.meta.event_id, event.body()) for event in said
    ]
    assert await everything(store) == one_by_one
    assert len(said) > 3


async def test_whoever_enters_a_stage_gets_a_treatment_with_a_receipt(store: Database) -> None:
    stage = stage_entered(1, "mql", at(1), scores=scores("A2", at(1)))
    (said,) = await hear(store, created(1), stage)
    assert isinstance(said, TreatmentSelected)
    assert said.treatment_id == said.receipt.outcome == hash_id("trt", "talk_to_us")
    assert said.receipt.rulebook == f"{said.treatment_id}@1"
    assert said.receipt.cause_id == said.selection_id
    assert said.meta.causation_id == stage.meta.event_id
    assert said.meta.correlation_id == stage.meta.correlation_id
    assert any("lower priority 40 < 60" in line for line in said.receipt.rejected)
    assert Against.BUYING_STAGE in decode_against(said.receipt.inputs["against"])
    assert said.receipt.sentence.startswith("Decision: Is ready for sales, or talks with them (mql).")
    assert said.is_test is False
    kept = await everything(store)
    assert [row["treatment_id"] for row in kept["selection"]] == [said.treatment_id]
    assert {row["fragment_id"] for row in kept["receipt"]} == {frg(1)}


async def test_a_lead_for_whom_nothing_fits_has_a_receipt_that_says_so(store: Database) -> None:
    async with store.begin() as session:
        await session.execute(text("DELETE FROM treatment"))
    assert await hear(store, stage_entered(1, "known", at(1))) == []
    kept = await everything(store)
    assert kept["selection"][0]["treatment_id"] is None
    assert "Nothing fits: there is no treatment." in kept["selection"][0]["sentence"]
    assert len(kept["receipt"]) == 2  # the buying stage, and the choice


async def test_the_mark_of_a_test_goes_with_the_suggestion(store: Database) -> None:
    (said,) = await hear(store, stage_entered(1, "known", at(1), is_test=True))
    assert isinstance(said, TreatmentSelected)
    assert said.is_test
    assert said.receipt.inputs["is_test"] is True


async def test_a_mail_is_suggested_to_those_who_agreed_and_to_nobody_else(store: Database) -> None:
    async def suggested(number: int, *consents: Event) -> TreatmentSelected:
        email = profile_said(number, at(1), {"email": f"person-{number}@harbour.example"})
        (said,) = await hear(store, *consents, email, stage_entered(number, "recycled", at(2)))
        assert isinstance(said, TreatmentSelected)
        return said

    assert (await suggested(1)).channel == "web"
    agreed = await suggested(2, consented(EMAIL, Consent.GRANTED, at(1), 2))
    assert agreed.channel == "email"
    assert agreed.receipt.inputs["consent"] == "granted"
    changed_their_mind = await suggested(
        3, consented(EMAIL, Consent.GRANTED, at(1), 3), consented(EMAIL, Consent.WITHDRAWN, at(2), 3)
    )
    assert changed_their_mind.channel == "web"
    assert Against.CONSENT in decode_against(changed_their_mind.receipt.inputs["against"])


async def test_late_and_repeated_statements_of_consent_change_nothing(store: Database) -> None:
    newest = consented(EMAIL, Consent.WITHDRAWN, at(5))
    await hear(store, newest, consented(EMAIL, Consent.GRANTED, at(3)))
    await hear(store, newest, consented(EMAIL, Consent.GRANTED, at(4)))
    async with store.read() as session:
        known = await load.consents(session, [frg(1)])
    assert sorted((one.consent, one.occurred_at) for one in known) == [
        (Consent.GRANTED, at(4)),
        (Consent.WITHDRAWN, at(5)),
    ]
    assert answers(known)[EMAIL].consent is Consent.WITHDRAWN


async def test_consent_and_events_of_before_hold_and_are_written_anew_once_they_are_touched(store: Database) -> None:
    columns = "fragment_id, channel, consent, occurred_at, interaction_id, source_id"
    moment = at(2).isoformat(timespec="microseconds")
    async with store.begin() as session:
        for fragment, consent in ((frg(1), "withdrawn"), (frg(2), "granted")):
            row = f"'{fragment}', 'email', '{consent}', '{moment}', 'int_{consent}', 'src_1'"
            await session.execute(text(f"INSERT INTO consent ({columns}) VALUES ({row})"))
    event = consented(EMAIL, Consent.GRANTED, at(3), 1, strength=None)  # as a release before 0.3.0 says it
    old = ConsentChanged.from_wire(
        event.headers(), event.body().replace(b',"strength":null', b"").replace(b',"origin_id":null', b"")
    )
    assert (old.strength, old.origin_id) == (None, None)
    await hear(store, old, consented(EMAIL, Consent.WITHDRAWN, at(4), 2))
    async with store.read() as session:
        known = await load.consents(session, [frg(1), frg(2)])
        former = {
            row.fragment_id: row.consent
            for row in await session.execute(text("SELECT fragment_id, consent FROM consent"))
        }
        latest = await session.scalar(text("SELECT count(*) FROM latest_consent"))
    for number in (1, 2):
        told = answers(one for one in known if one.fragment_id == frg(number))
        assert told[EMAIL].consent is Consent.WITHDRAWN
    assert former == {frg(1): "withdrawn", frg(2): "withdrawn"}
    assert latest == len(known) == 4


async def test_consent_follows_merges_and_splits(store: Database) -> None:
    async def of(number: int) -> dict[ConsentChannel, Consent]:
        async with store.read() as session:
            fragments = await load.fragments_of(session, per(number))
            return {
                channel: one.consent for channel, one in answers(await load.consents(session, list(fragments))).items()
            }

    await hear(store, created(1), created(2))
    await hear(store, consented(EMAIL, Consent.GRANTED, at(1), 1), consented(EMAIL, Consent.WITHDRAWN, at(2), 2))
    control = [await of(1), await of(2)]
    assert control == [{EMAIL: Consent.GRANTED}, {EMAIL: Consent.WITHDRAWN}]
    await hear(store, merged((1, 2), 2))
    assert await of(1) == await of(2) == {EMAIL: Consent.WITHDRAWN}
    await hear(store, split([[1], [2]], 3))
    assert [await of(1), await of(2)] == control


async def test_an_older_grouping_heard_late_changes_nobody_s_owner(store: Database) -> None:
    await hear(store, merged((1, 2), 5))
    await hear(store, created(2), split([[1], [2]], 3), consented(EMAIL, Consent.GRANTED, at(1), 2))
    async with store.read() as session:
        assert {one.person_id for one in (await load.fragments_of(session, per(2))).values()} == {per(1)}


async def test_a_person_created_late_keeps_what_was_said_before(store: Database) -> None:
    await hear(store, stage_entered(1, "mql", at(1)))
    await hear(store, created(1, is_test=True))
    async with store.read() as session:
        person = (await load.people(session, [per(1)]))[per(1)]
    assert (person.stage, person.is_test) == ("mql", False)


async def test_the_latest_selection_is_found_per_fragment_and_kind(store: Database) -> None:
    for step, stage in enumerate(("known", "engaged", "mql"), 1):
        await hear(store, stage_entered(1, stage, at(step)))
    async with store.read() as session:
        (latest,) = await queries.latest_selections(session, [frg(1)], [])
        history = await queries.selections_of(session, [frg(1)], 2)
    assert latest.stage == "mql"
    assert [row.stage for row in history] == ["mql", "engaged"]


async def test_the_migration_writes_the_tables_that_the_code_reads(store_url: str) -> None:
    await prepare(store_url, "services.nurture.migrations")
    assert await drift(store_url, Table.metadata) == []


async def test_the_newest_selections_are_kept_and_name_one_revision_of_the_catalogue(store: Database) -> None:
    for number in range(SELECTIONS + 3):
        await hear(store, stage_entered(1, "mql" if number % 2 else "recycled", at(number)))
    async with store.read() as session:
        kept = list(await session.scalars(select(SELECTION.c.occurred_at).order_by(SELECTION.c.occurred_at)))
        assert kept == [at(number) for number in range(3, SELECTIONS + 3)]
        assert await session.scalar(select(func.count()).select_from(CATALOGUE)) == 1


async def test_what_was_shown_before_is_counted(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_until(store_url, "services.nurture.migrations", "0001", tmp_path, monkeypatch)
    async with Database(store_url) as database:
        async with database.begin() as session:
            for number, treatment in enumerate(("trt_a", "trt_a", "trt_b")):
                moment = f"'2026-03-0{number + 1} 09:00:00.000000'" + (
                    "" if database.dialect == "sqlite" else "::timestamptz"
                )
                await session.execute(
                    text(f"INSERT INTO showing VALUES ('sel_{number}', '{treatment}', 'frg_1', {moment}, FALSE)")
                )
        await migrate(store_url, "services.nurture.migrations")
        async with database.read() as session:
            rows = await session.execute(select(SHOWN).order_by(SHOWN.c.treatment_id))
            assert [(row.fragment_id, row.treatment_id, row.times, row.last_at.day) for row in rows] == [
                ("frg_1", "trt_a", 2, 2),
                ("frg_1", "trt_b", 1, 3),
            ]
