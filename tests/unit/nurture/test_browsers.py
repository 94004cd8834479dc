"""Nothing is revealed by a claim: what a page is answered with its public key depends on what was done and told in that
one browser, whatever others did and whoever goes by the names that were typed there.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from chassis.context import Context
from chassis.store.database import Database
from contracts.envelope import Event
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import ConsentChanged
from contracts.events.lifecycle import StageEntered
from contracts.ids import hash_id, with_prefix
from contracts.values import Consent, ConsentChannel, InteractionKind
from services.nurture import commands
from services.nurture.domain.browsers import BrowserCard
from services.nurture.domain.outgoing_events import Answer, TreatmentQuery
from services.nurture.domain.treatments import STARTERS, CatalogueEntry, Channel, TreatmentBody
from services.nurture.events import SUBSCRIPTIONS as NURTURE_HEARS
from services.nurture.rulebooks import REGISTRY as NURTURE_RULES
from services.nurture.settings import NurtureSettings
from services.nurture.store import tables, write
from services.nurture.store.load import CompiledCatalogue
from services.scoring.events import SUBSCRIPTIONS as SCORING_HEARS
from services.scoring.rulebooks import REGISTRY as SCORING_RULES
from services.scoring.rulebooks import judges_of
from services.scoring.store.queries import browsers as scored
from tests.support.people import meta
from tests.support.stores import prepare
from tests.unit.identity.world import DAWN, World, a_capture
from tests.unit.nurture.builders import stage_entered
from tests.unit.nurture.world import STORY

MINE, THEIRS = "browser-of-ours", "browser-of-theirs"
VICTIMS = ("mara@tidewater.example", "jon@quayside.example")
NOW = DAWN + timedelta(days=30)
HEARERS: dict[str, dict[type[Event], Any]] = {
    store: {kind: one.handler for one in subscriptions for kind in one.event_types}
    for store, subscriptions in (("scoring", SCORING_HEARS), ("nurture", NURTURE_HEARS))
}
# a catalogue in which everything that could be known makes a difference
TREATMENTS: dict[str, dict[str, Any]] = {
    "for customers": {"priority": 99, "stages": ["customer", "mql"]},
    "for the known": {"priority": 70, "stages": ["known"]},
    "for large companies": {"priority": 80, "when": "company.employees >= 500"},
    "for the engaged": {"priority": 75, "when": "scores.engagement >= 20.0"},
    "for those with a need": {"priority": 85, "when": 'bant.need != ""'},
    "for a company we know": {"priority": 95, "when": 'attributes.account_id != ""'},
    "for the agreed": {"priority": 98, "requires_consent": True},
    "once": {"priority": 60, "limits": {"per_person": 1}},
}


@dataclass
class Suite:
    """Identity in memory, scoring and nurture on real stores: they hear each other without a broker."""

    scoring: Database
    nurture: Database
    identity: World = field(default_factory=World)
    catalogue: CompiledCatalogue = field(default_factory=CompiledCatalogue)
    settings: NurtureSettings = field(
        default_factory=lambda: NurtureSettings(database_url="sqlite:///x", nats_url="nats://x", token_public_key="x")
    )
    now: datetime = NOW

    async def capture(self, *captures: InteractionReceived) -> None:
        heard = len(self.identity.said)
        self.identity.hears(*captures)
        await self.tell(*self.identity.said[heard:])

    async def tell(self, *events: Event) -> None:
        said = await self._hear("scoring", self.scoring, events)
        await self._hear("nurture", self.nurture, [*events, *said])

    async def _hear(self, name: str, store: Database, events: Sequence[Event]) -> list[Event]:
        async with store.begin() as session:
            context = Context(session, self.now, self.catalogue)
            for handler, run in groupby(
                (event for event in events if type(event) in HEARERS[name]), key=lambda one: HEARERS[name][type(one)]
            ):
                await handler(list(run), context)
            return list(context.said)

    async def page_asks(self, anonymous_id: str) -> Answer:
        """What the gateway asks of the three for a public key."""
        found = [
            one for one in self.identity.fragments.values() if (one.kind, one.value) == ("anonymous_id", anonymous_id)
        ]
        card = None
        if found:
            async with self.scoring.read() as session:
                judges = await judges_of(Context(session, self.now))
                browser = scored.NamedBrowser(anonymous_id, found[0].fragment_id)
                history = await scored.browser_history(session, browser, self.now, judges)
            told = history.snapshot(judges)
            card = BrowserCard(found[0].fragment_id, told.attributes, told.scores.as_scores(), history.is_named)
        query = TreatmentQuery(None, Channel.WEB, 5, {"page": "/pricing"}, False, False, card)
        return await commands.select_treatment(cast(Any, self), query)

    async def tool_asks(self, person_id: str) -> Answer:
        query = TreatmentQuery(person_id, Channel.WEB, 3, {}, False, False)
        return await commands.select_treatment(cast(Any, self), query)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Context[CompiledCatalogue]]:
        async with self.nurture.read() as session:
            yield Context(session, self.now, self.catalogue)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Context[CompiledCatalogue]]:
        async with self.nurture.begin() as session:
            yield Context(session, self.now, self.catalogue)

    async def written(self) -> dict[str, list[dict[str, Any]]]:
        """What nurture holds of selections, showings and receipts, and by whom."""
        found = {}
        async with self.nurture.read() as session:
            for table in (tables.SELECTION, tables.SHOWN, tables.SHOWN_IN_BROWSER, tables.RECEIPT, tables.PERSON):
                rows = await session.execute(select(table).order_by(*table.primary_key.columns))
                found[table.name] = [row._asdict() for row in rows]
        return found


@asynccontextmanager
async def a_suite(folder: Path) -> AsyncIterator[Suite]:
    folder.mkdir()  # noqa: ASYNC240 - once, before anything runs
    urls = {name: f"sqlite:///{folder / name}.db" for name in ("scoring", "nurture")}
    for name, url in urls.items():
        await prepare(url, f"services.{name}.migrations")
    async with Database(urls["scoring"]) as scoring, Database(urls["nurture"]) as nurture:
        for store, registry in ((scoring, SCORING_RULES), (nurture, NURTURE_RULES)):
            async with store.begin() as session:
                context = Context(session, DAWN)
                await registry.add_draft(context, registry.default.read_text(), "tester")
                await registry.activate(context, 1, "tester")
        async with nurture.begin() as session:
            bodies = {**STARTERS, **{name: a_treatment(name, **told) for name, told in TREATMENTS.items()}}
            await write.treatments(
                session,
                [
                    CatalogueEntry(hash_id("trt", key), 1, 1, None, True, DAWN, DAWN, "t", body)
                    for key, body in bodies.items()
                ],
            )
        yield Suite(scoring, nurture)


def a_treatment(name: str, **told: Any) -> TreatmentBody:
    return TreatmentBody.model_validate({**STORY, "name": name, "requires_consent": False, **told})


# --- what happens
# ----------------------------------------------------------------------------------------------------------------------


def a_visit(rng: random.Random, number: int) -> InteractionReceived:
    """Something done in our browser: somebody looks around, and types what they like, also the address of another."""
    told: dict[str, Any] = {"anonymous_id": MINE}
    match rng.randrange(5):
        case 0:
            told |= {"kind": InteractionKind.IDENTIFY, "email": rng.choice(VICTIMS)}
            told["traits"] = {"title": "VP", "need": rng.choice(["", "a CRM"])}
        case 1:
            told |= {"email": rng.choice(VICTIMS), "name": "Demo Requested"}
        case 2:
            told |= {"user_id": "u-1", "server": rng.random() < 0.5, "traits": {"employees": rng.choice([20, 900])}}
        case _:
            told |= {"kind": InteractionKind.PAGE, "context": {"page": {"path": rng.choice(["/pricing", "/blog"])}}}
    return a_capture(number, **told)


def others_acts(rng: random.Random, number: int) -> Iterator[InteractionReceived]:
    """Something that others do or that is known of others; our browser is not named."""
    email = rng.choice(VICTIMS)
    yield a_capture(
        number,
        email=email,
        anonymous_id=THEIRS if rng.random() < 0.4 else None,
        user_id="u-1" if rng.random() < 0.3 else None,
        server=rng.random() < 0.5,
        name=rng.choice(["Demo Requested", "Whitepaper Downloaded"]),
        traits={"title": "CEO", "employees": 4000, "need": "everything", "newsletter": rng.choice(["on", "off"])},
    )


async def others_are_treated(suite: Suite, rng: random.Random, number: int) -> None:
    """Stages, consents, and showings by those who work with people."""
    people = sorted({one.person_id for one in suite.identity.fragments.values() if one.kind == "email"})
    if not people:
        return
    person_id, at = rng.choice(people), DAWN + timedelta(seconds=number)
    version = max(one.graph_version for one in suite.identity.parts(person_id))
    about: dict[str, Any] = {
        "person_id": person_id,
        "fragment_id": with_prefix("frg", person_id),
        "graph_version": version,
    }
    match rng.randrange(3):
        case 0:
            await suite.tell(a_stage(about, rng.choice(["mql", "customer"]), at))
        case 1:
            consent = ConsentChanged(
                meta=meta(at, "consent", number), channel=ConsentChannel.ANY, consent=rng.choice(list(Consent)),
                interaction_id=f"int_{number}", source_id="src_web", occurred_at=at, **about,
            )  # fmt: skip
            await suite.tell(consent)
        case _:
            await suite.tool_asks(person_id)


def a_stage(about: dict[str, Any], stage: str, at: datetime) -> StageEntered:
    return stage_entered(1, stage, at).model_copy(update={**about, "meta": meta(at, "stage", stage, *about.values())})


async def live(suite: Suite, seed: int, others: int | None) -> list[dict[str, Any]]:
    """Our browser's life by `seed`, with that of others by `others` between; what the page was answered."""
    mine, theirs, answers = random.Random(seed), random.Random(others), []
    for number in range(0, 400, 10):
        if mine.random() < 0.5:
            await suite.capture(a_visit(mine, number))
        if mine.random() < 0.4:
            answers.append(told_to_page(await asked_and_nothing_else(suite)))
        suite.now += timedelta(minutes=mine.choice([1, 50]))
        for step in range(theirs.randrange(4) if others is not None else 0):
            await suite.capture(*others_acts(theirs, number + 1 + step))
            await others_are_treated(suite, theirs, number + 1 + step)
    return answers


async def asked_and_nothing_else(suite: Suite) -> Answer:
    """A page asks; on nobody's fragment but its browser's anything is written."""
    before = await suite.written()
    answer = await suite.page_asks(MINE)
    after = await suite.written()
    own = {one.fragment_id for one in suite.identity.fragments.values() if one.value == MINE}
    for table, rows in after.items():
        news = [row for row in rows if row not in before[table]]
        assert {row.get("fragment_id") for row in news} <= own, table
    return answer


def told_to_page(answer: Answer) -> dict[str, Any]:
    """What the gateway lets a public key see."""
    shown = answer.model_dump(mode="json", include={"treatment": True, "alternatives": True})
    return {
        "treatment": shown["treatment"],
        "alternatives": [one for one in shown["alternatives"] if one["content"] is not None],
    }


@pytest.mark.parametrize("seed", range(6))
async def test_two_histories_that_differ_in_what_others_did_are_answered_alike(tmp_path: Path, seed: int) -> None:
    answers = []
    for place, others in enumerate((None, 100 + seed, 200 + seed)):
        async with a_suite(tmp_path / str(place)) as suite:
            answers.append(await live(suite, seed, others))
    assert len(answers[0]) > 5
    assert answers[1] == answers[0]
    assert answers[2] == answers[0]


async def test_an_address_typed_in_a_fresh_browser_tells_nothing_of_whose_it_is(tmp_path: Path) -> None:
    async with a_suite(tmp_path / "known") as known, a_suite(tmp_path / "unknown") as unknown:
        for number in range(5):
            await known.capture(
                a_capture(number, email=VICTIMS[0], server=True, name="Demo Requested", traits={"employees": 4000})
            )
        person_id = known.identity.person(email=VICTIMS[0])
        about = {"person_id": person_id, "fragment_id": with_prefix("frg", person_id), "graph_version": 1}
        await known.tell(a_stage(about, "customer", DAWN + timedelta(seconds=9)))
        for suite in (known, unknown):
            await suite.capture(a_capture(20, anonymous_id=MINE, email=VICTIMS[0], kind=InteractionKind.IDENTIFY))
        assert known.identity.person(anonymous_id=MINE) == person_id  # the claim links them
        chosen = [(await suite.page_asks(MINE)).treatment for suite in (known, unknown)]
        assert chosen[0] == chosen[1]
        assert chosen[0] is not None
        assert chosen[0].name == "for the known"  # what the browser itself told
        by_tool = (await known.tool_asks(person_id)).treatment
        assert by_tool is not None
        assert by_tool.name == "for customers"


async def test_what_is_done_in_a_browser_counts_under_whatever_name_it_was_done(tmp_path: Path) -> None:
    async with a_suite(tmp_path / "suite") as suite:
        assert told_to_page(await suite.page_asks(MINE))["treatment"]["name"] != "for the engaged"
        await suite.capture(a_capture(1, anonymous_id=MINE, email=VICTIMS[0], traits={"need": "a CRM"}))
        await suite.capture(a_capture(2, anonymous_id=THEIRS, email=VICTIMS[0], traits={"employees": 4000}))
        told = told_to_page(await suite.page_asks(MINE))
        assert told["treatment"]["name"] == "for those with a need"
        assert "for large companies" not in {one["name"] for one in told["alternatives"]}
        await suite.capture(a_capture(3, anonymous_id=MINE, user_id="u-1", name="Demo Requested"))
        assert "for the engaged" in {one["name"] for one in told_to_page(await suite.page_asks(MINE))["alternatives"]}


async def test_limits_of_a_page_and_of_a_person_are_counted_apart_and_the_persons_count_both(tmp_path: Path) -> None:
    async with a_suite(tmp_path / "suite") as suite:
        await suite.capture(a_capture(1, anonymous_id=MINE))
        person_id = suite.identity.person(anonymous_id=MINE)
        await suite.tool_asks(person_id)
        suite.now += timedelta(hours=1)
        first = await suite.page_asks(MINE)
        assert "once" in {one.name for one in (first.treatment, *first.alternatives) if one is not None}
        again = await suite.page_asks(MINE)
        assert again.is_reused
        suite.now += timedelta(hours=1)
        for answer in (await suite.page_asks(MINE), await suite.tool_asks(person_id)):
            assert "once" in {one.name for one in answer.why_not}
