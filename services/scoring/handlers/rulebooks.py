"""The scoring rulebook: which version decides, new drafts, activation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from chassis.app import Runtime
from chassis.context import Context
from chassis.errors import BadInput, Conflict, FieldError, NotFound
from contracts.envelope import Meta
from contracts.events.scoring import RulebookActivated
from contracts.ids import derive_id
from rulebook.examples import ExamplesFailed, assert_examples_pass
from rulebook.problems import RulebookError
from rulebook.shelf import State
from services.scoring.domain.judging import Judges
from services.scoring.domain.rules import NAME, RulebookJudge, compile_scoring, judge_example
from services.scoring.store import rulebooks

_DEFAULT = Path(__file__).parent.parent / "rulebooks" / "default.yaml"
_FOUNDER = "rapport"  # who activates the rulebook that an empty store starts with


class RulebookNotFound(NotFound):
    """There is no such version of the scoring rulebook."""


class RulebookRefused(BadInput):
    """The text is not a scoring rulebook; `errors` name line and column."""


class ExamplesDoNotPass(BadInput):
    """The rulebook contradicts its own examples, or has none."""


class AlreadyActive(Conflict):
    """This version decides already."""


class DraftOvertaken(Conflict):
    """Another draft took the number."""


@dataclass(slots=True)
class Shelf:
    """Compiled versions, kept for the life of the process: a version never changes."""

    judges: dict[int, RulebookJudge] = field(default_factory=dict)


@asynccontextmanager
async def open_shelf(runtime: Runtime) -> AsyncIterator[Shelf]:
    """The service's shelf. A store without a rulebook is given the default one."""
    shelf = Shelf()
    runtime.service = shelf
    async with runtime.writing() as context:
        if not await rulebooks.versions(context.session):
            draft = await add_draft(context, _DEFAULT.read_text(), _FOUNDER)
            await activate_rulebook(context, draft.version, _FOUNDER)
    yield shelf


async def judges_of(context: Context) -> Judges:
    """All versions, and the one that decides in this transaction."""
    shelf: Shelf = context.service
    states = await rulebooks.versions(context.session)
    missing = [version for version in states if version not in shelf.judges]
    if missing:
        for version, document in (await rulebooks.documents(context.session, missing)).items():
            shelf.judges[version] = RulebookJudge(compile_scoring(document, version))
    active = next(version for version, state in states.items() if state == State.ACTIVE.value)
    return Judges(shelf.judges, shelf.judges[active])


async def add_draft(context: Context, document: str, by: str) -> Row[Any]:
    """The version with this content: a new one, or the one that has it already. Raises RulebookRefused, DraftOvertaken."""
    version = max(await rulebooks.versions(context.session), default=0) + 1
    try:
        compiled = compile_scoring(document, version)
    except RulebookError as error:
        raise refusal(error) from None
    found = await rulebooks.find_by_digest(context.session, compiled.digest)
    if found is not None:
        return found
    draft = rulebooks.Draft(version, compiled.digest, document, by, context.now)
    if not await rulebooks.add_draft(context.session, draft):
        raise DraftOvertaken(f"Version {version} was taken by another draft", remedy="Send it again")
    return await get_rulebook(context, version)


async def get_rulebook(context: Context, version: int) -> Row[Any]:
    """One version. Raises RulebookNotFound."""
    found = await rulebooks.load_rulebook(context.session, version)
    if found is None:
        raise RulebookNotFound(f"There is no version {version} of the scoring rulebook")
    return found


async def activate_rulebook(context: Context, version: int, by: str) -> Row[Any]:
    """From this transaction on `version` decides. Raises RulebookNotFound, AlreadyActive, ExamplesDoNotPass."""
    found = await get_rulebook(context, version)
    if found.state == State.ACTIVE.value:
        raise AlreadyActive(f"Version {version} decides already")
    try:
        assert_examples_pass(compile_scoring(found.document, version), judge_example)
    except ExamplesFailed as failed:
        errors = [FieldError(f"examples: {failure.example}", str(failure)) for failure in failed.failures]
        raise ExamplesDoNotPass(str(failed), remedy="Correct the rules or the examples, and send a new draft", errors=errors) from None
    await rulebooks.activate(context.session, version, by, context.now)
    event_id = derive_id("evt", context.now, RulebookActivated.wire_name, str(version), found.digest, by)
    meta = Meta(event_id=event_id, at=context.now, correlation_id=event_id, rulebook=f"{NAME}@{version}")
    context.say(RulebookActivated(meta=meta, version=version, digest=found.digest, activated_by=by))
    return await get_rulebook(context, version)


def refusal(error: RulebookError) -> RulebookRefused:
    """Every problem with its place in the text."""
    errors = [FieldError(f"line {one.line}, column {one.column}: {one.path}", one.message, one.remedy or None) for one in error.problems]
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    return RulebookRefused(f"The rulebook has {count}; the first: {error.problems[0]}", errors=errors)
