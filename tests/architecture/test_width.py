"""A stranger who follows one event has few files to open: those that run while it is handled, in the whole house."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chassis.context import Context
from chassis.store.database import Database
from services.lifecycle import rulebooks as lifecycle_rulebooks
from services.lifecycle.events import on_people_told
from services.scoring import rulebooks as scoring_rulebooks
from services.scoring.events import on_interactions_recognized
from tests.support.file_trace import traced
from tests.support.people import at, per
from tests.support.stores import prepare
from tests.unit.lifecycle.builders import ready
from tests.unit.scoring.builders import identified, recognized

MOST_FILES = 33

Handler = Callable[[Sequence[Any], Context], Awaitable[None]]


@asynccontextmanager
async def store_of(service: str, registry: Any, folder: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{folder / service}.db"
    await prepare(url, f"services.{service}.migrations")
    async with Database(url) as database:
        async with database.begin() as session:
            context = Context(session, at(-1))
            draft = await registry.add_draft(context, registry.default.read_text(), "tester")
            await registry.activate(context, draft.version, "tester")
        yield database


async def files_for(database: Database, handler: Handler, events: Sequence[Any]) -> list[str]:
    """The events are handled in one transaction each; answers what ran for the last, but for its commit."""
    for event in events:
        async with database.begin() as session:
            context = Context(session, event.meta.at)
            with traced() as trace:
                await handler([event], context)
    assert context.said
    return trace.files


async def test_scoring_handles_an_interaction_with_few_files(tmp_path: Path) -> None:
    traits = {"title": "VP Marketing", "email": "ada@acme.example"}
    event = recognized(identified(traits, number=1))
    async with store_of("scoring", scoring_rulebooks.REGISTRY, tmp_path) as database:
        files = await files_for(database, on_interactions_recognized, [event])
    assert "services/scoring/events.py" in files
    assert len(files) <= MOST_FILES, chr(10).join(files)


async def test_lifecycle_leads_somebody_to_sales_with_few_files(tmp_path: Path) -> None:
    async with store_of("lifecycle", lifecycle_rulebooks.REGISTRY, tmp_path) as database:
        files = await files_for(database, on_people_told, ready(per(1)))
    assert "services/lifecycle/domain/transitions.py" in files
    assert len(files) <= MOST_FILES, chr(10).join(files)


def test_what_runs_is_seen_and_what_does_not_is_not() -> None:
    with traced() as trace:
        at(1)
        from contracts.ids import is_id

        assert is_id("per", per(1))
    assert trace.files == ["contracts/ids.py"]
    with pytest.raises(ZeroDivisionError), traced():
        _ = 1 // 0
    assert trace.files == ["contracts/ids.py"]
