"""What one more fact costs somebody who has many: a late claim, a merge and a split, on a real store (SQLite), through
the service's own handlers.

Two people with half of the facts each are put into the store as the service would have written them; then a page view
(for comparison), a late claim on the first, a merge of both and their split are timed, several times, each in a
transaction of its own as a batch of one.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from chassis.context import Context
from chassis.store.batch import insert_all
from chassis.store.database import Database
from chassis.store.migrate import migrate
from contracts.envelope import Meta
from contracts.events.identity import InteractionRecognized, PersonMerged, PersonPart, PersonSplit
from contracts.ids import derive_id
from contracts.values import Interaction, InteractionKind, SourceKind, Strength
from services.scoring.domain.claims import trait_facts
from services.scoring.events import on_interactions_recognized, on_people_regrouped
from services.scoring.rulebooks import REGISTRY
from services.scoring.store.rows import fact_row
from services.scoring.store.tables import FACT, RECEIPT

FACTS = (1_000, 10_000, 100_000)
TARGETS_MS: dict[str, float | None] = {"page view": None, "late claim": 5.0, "merge": 300.0, "split": 300.0}
ROUNDS = 7
_START = datetime(2026, 1, 1, tzinfo=UTC)
_FIRST, _SECOND = "frg_00000000000000000000000001", "frg_00000000000000000000000002"
_PER = {_FIRST: "per_00000000000000000000000001", _SECOND: "per_00000000000000000000000002"}
_BATCH = 2_000
_EVERY_CLAIM = 2  # every second fact claims something


@dataclass
class FoldFigures:
    """By what was done: milliseconds of CPU, and of the clock, which on a busy machine is mostly waiting for others."""

    facts: int
    took: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {name: [] for name in TARGETS_MS})

    def report(self) -> str:
        return f"  {self.facts:7,} facts   " + "   ".join(self._cell(name, took) for name, took in self.took.items())

    def _cell(self, name: str, took: Sequence[tuple[float, float]]) -> str:
        cpu, clock = (median(one[which] for one in took) for which in (0, 1))
        target = TARGETS_MS[name]
        return f"{name} {cpu:.1f} ms CPU, {clock:.1f} ms" + ("" if target is None else f" (target {target:.0f})")


async def measure(facts: int) -> FoldFigures:
    """Both people with `facts` together."""
    with tempfile.TemporaryDirectory(prefix="rapport-folds-") as folder:
        url = f"sqlite:///{Path(folder) / 'scoring.db'}"
        await migrate(url, "services.scoring.migrations")
        async with Database(url) as store:
            async with store.begin() as session:
                context = Context(session, _START)
                await REGISTRY.add_draft(context, REGISTRY.default.read_text(), "bench")
                await REGISTRY.activate(context, 1, "bench")
            await _fill(store, facts)
            return await _measured(store, facts)


async def _fill(store: Database, facts: int) -> None:
    """The first and the last facts through the handlers, so that profiles and sums are as they would be; those between
    in batched inserts.
    """
    between = range(20, facts - 20)
    await _hear(store, [_fact(number) for number in range(20)])
    for begin in range(between.start, between.stop, _BATCH):
        events = [_fact(number) for number in range(begin, min(begin + _BATCH, between.stop))]
        async with store.begin() as session:
            claimed = trait_facts(events, 1)
            rows = [
                fact_row(event, 1, fact.claims if (fact := claimed.get(event.interaction.interaction_id)) else None)
                for event in events
            ]
            await insert_all(session, FACT, rows)
            await insert_all(session, RECEIPT, [_receipt_row(event) for event in events])
    await _hear(store, [_fact(number) for number in range(between.stop, facts)])


async def _measured(store: Database, facts: int) -> FoldFigures:
    figures = FoldFigures(facts)
    for turn in range(ROUNDS):
        view, late = _fact(2 * (facts + turn) + 1), _late(facts, turn)
        figures.took["page view"].append(await _timed(_hear(store, [view])))
        figures.took["late claim"].append(await _timed(_hear(store, [late])))
        merged, split = _merged(2 * turn + 2), _split(2 * turn + 3)
        figures.took["merge"].append(await _timed(_regroup(store, [merged])))
        figures.took["split"].append(await _timed(_regroup(store, [split])))
    return figures


async def _timed(act: Coroutine[Any, Any, None]) -> tuple[float, float]:
    cpu, clock = time.process_time(), time.perf_counter()
    await act
    return (time.process_time() - cpu) * 1000, (time.perf_counter() - clock) * 1000


async def _hear(store: Database, events: Sequence[InteractionRecognized]) -> None:
    async with store.begin() as session:
        await on_interactions_recognized(events, Context(session, _START))


async def _regroup(store: Database, events: Sequence[PersonMerged | PersonSplit]) -> None:
    async with store.begin() as session:
        await on_people_regrouped(events, Context(session, _START))


def _fact(number: int, days_ago: int = 0) -> InteractionRecognized:
    """Half of the facts are identify calls with changing claims, the others page views; both people have some of
    each.
    """
    when = _START + timedelta(seconds=number) - timedelta(days=days_ago)
    claims = number % _EVERY_CLAIM == 0
    interaction = Interaction(
        interaction_id=derive_id("int", when, str(number)),
        kind=InteractionKind.IDENTIFY if claims else InteractionKind.PAGE,
        source_id="src_bench",
        source_kind=SourceKind.WEB,
        message_id=f"m{number}",
        occurred_at=when,
        received_at=when,
        traits={"title": f"Title {number % 9}", "city": "Rome", f"trait {number % 150}": number} if claims else {},
        properties={} if claims else {"path": "/blog/post"},
    )
    fragment_id = (_FIRST, _SECOND)[number // 2 % 2]
    return InteractionRecognized(
        meta=_meta(number),
        fragment_id=fragment_id,
        person_id=_PER[fragment_id],
        graph_version=1,
        strength=Strength.CLAIMED,
        identifiers=(),
        interaction=interaction,
    )


def _late(facts: int, turn: int) -> InteractionRecognized:
    """A claim of long ago that changes what is believed all the same, because a server vouches for it: the dearest
    kind.
    """
    event = _fact(2 * (facts + turn), days_ago=3000 - turn)
    traits = {"title": ("CEO", "Intern")[turn % 2], "city": f"City {turn}"}
    return event.model_copy(
        update={
            "interaction": event.interaction.model_copy(update={"traits": traits, "source_kind": SourceKind.SERVER})
        }
    )


def _receipt_row(event: InteractionRecognized) -> dict[str, object]:
    return {
        "receipt_id": derive_id("rcp", event.interaction.occurred_at, event.interaction.interaction_id),
        "fragment_id": event.fragment_id,
        "at": event.interaction.occurred_at,
        "measure": "engagement",
        "rule": "page_viewed",
        "rulebook": "scoring@1",
        "points_e4": 10_000,
        "half_life": 604_800_000_000,
        "cause_id": event.interaction.interaction_id,
        "inputs": "{}",
        "sentence": "Visited /blog/post.",
    }


def _merged(version: int) -> PersonMerged:
    return PersonMerged(
        meta=_meta(version),
        person_id=_PER[_FIRST],
        absorbed_person_ids=(_PER[_SECOND],),
        fragment_ids=(_FIRST, _SECOND),
        graph_version=version,
        strength=Strength.MANUAL,
        sentence="They are one",
    )


def _split(version: int) -> PersonSplit:
    parts = tuple(
        PersonPart(person_id=_PER[one], fragment_ids=(one,), graph_version=version) for one in (_FIRST, _SECOND)
    )
    return PersonSplit(
        meta=_meta(version), person_id=_PER[_FIRST], parts=parts, graph_version=version, sentence="They are two"
    )


def _meta(number: int) -> Meta:
    at = _START + timedelta(days=30, seconds=number)
    event_id = derive_id("evt", at, str(number))
    return Meta(event_id=event_id, at=at, correlation_id=event_id)


def main() -> None:
    print("one more fact of somebody who has many (medians; SQLite, fsync at each commit)", flush=True)
    for facts in FACTS:
        print(asyncio.run(measure(facts)).report(), flush=True)


if __name__ == "__main__":
    main()
