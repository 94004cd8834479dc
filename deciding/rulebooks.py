"""A service's rulebook at work: which version decides, new drafts, activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Table

from chassis.context import Context
from chassis.errors import BadInput, Conflict, FieldError, NotFound
from chassis.runtime import Runtime
from contracts.envelope import Meta
from contracts.events.rulebooks import RulebookActivated
from contracts.ids import derive_id
from deciding.store import rulebooks as store
from rulebook.compile import Rulebook
from rulebook.examples import ExamplesFailed
from rulebook.problems import RulebookError
from rulebook.shelf import State

FOUNDER = "rapport"
"""Who activates the rulebook that an empty store starts with."""

Judge = TypeVar("Judge")


class RulebookNotFound(NotFound):
    """There is no such version of the rulebook."""


class RulebookRefused(BadInput):
    """The text is not a rulebook of this service; `errors` name line and column."""


class ExamplesDoNotPass(BadInput):
    """The rulebook contradicts its own examples, or has none."""


class AlreadyActive(Conflict):
    """This version decides already."""


class DraftOvertaken(Conflict):
    """Another draft took the number."""


@dataclass(frozen=True, slots=True)
class Edition(Generic[Judge]):
    """All versions as judges, and the one that decides in this transaction."""

    by_version: Mapping[int, Judge]
    active: Judge


@dataclass(frozen=True)
class RulebookDesk(Generic[Judge]):
    """What a service says of its rulebook, once, beside its rules. Compiled versions are kept for the life of the process: they never change.

    `compile` raises RulebookError; `check` raises ExamplesFailed; `judge` makes of a compiled rulebook what the domain decides with.
    """

    name: str
    table: Table
    default: Path
    compile: Callable[[str, int | None], Rulebook[Any]]
    check: Callable[[Rulebook[Any]], None]
    judge: Callable[[Rulebook[Any]], Judge]
    activated: type[RulebookActivated]
    _judges: dict[tuple[int, str], Judge] = field(default_factory=dict, repr=False)

    async def begin(self, runtime: Runtime) -> None:
        """A store without a rulebook is given the default one. Call it before the first message is heard."""
        async with runtime.writing() as context:
            if not await store.load_states(context.session, self.table):
                draft = await self.add_draft(context, self.default.read_text(), FOUNDER)
                await self.activate(context, draft.version, FOUNDER)

    async def edition(self, context: Context) -> Edition[Judge]:
        """The versions as they are in this transaction."""
        states = await store.load_states(context.session, self.table)
        missing = [row.version for row in states if (row.version, row.digest) not in self._judges]
        if missing:
            documents = await store.load_documents(context.session, self.table, missing)
            digests = {row.version: row.digest for row in states}
            for version, document in documents.items():
                self._judges[version, digests[version]] = self.judge(self.compile(document, version))
        by_version = {row.version: self._judges[row.version, row.digest] for row in states}
        active = next(row.version for row in states if row.state == State.ACTIVE.value)
        return Edition(by_version, by_version[active])

    async def add_draft(self, context: Context, document: str, by: str) -> Row[Any]:
        """The version with this content: a new one, or the one that has it already. Raises RulebookRefused, DraftOvertaken."""
        version = max((row.version for row in await store.load_states(context.session, self.table)), default=0) + 1
        try:
            compiled = self.compile(document, version)
        except RulebookError as error:
            raise _refusal(error) from None
        found = await store.find_by_digest(context.session, self.table, compiled.digest)
        if found is not None:
            return found
        draft = store.Draft(version, compiled.digest, document, by, context.now)
        if not await store.add_draft(context.session, self.table, draft):
            raise DraftOvertaken(f"Version {version} was taken by another draft", remedy="Send it again")
        return await self.get(context, version)

    async def get(self, context: Context, version: int) -> Row[Any]:
        """One version. Raises RulebookNotFound."""
        found = await store.load_one(context.session, self.table, version)
        if found is None:
            raise RulebookNotFound(f"There is no version {version} of the {self.name} rulebook")
        return found

    async def activate(self, context: Context, version: int, by: str) -> Row[Any]:
        """From this transaction on `version` decides. Raises RulebookNotFound, AlreadyActive, ExamplesDoNotPass."""
        found = await self.get(context, version)
        if found.state == State.ACTIVE.value:
            raise AlreadyActive(f"Version {version} decides already")
        try:
            self.check(self.compile(found.document, version))
        except ExamplesFailed as failed:
            errors = [FieldError(f"examples: {failure.example}", str(failure)) for failure in failed.failures]
            raise ExamplesDoNotPass(str(failed), remedy="Correct the rules or the examples, and send a new draft", errors=errors) from None
        await store.activate(context.session, self.table, version, (by, context.now))
        event_id = derive_id("evt", context.now, self.activated.wire_name, str(version), found.digest, by)
        meta = Meta(event_id=event_id, at=context.now, correlation_id=event_id, rulebook=f"{self.name}@{version}")
        context.say(self.activated(meta=meta, version=version, digest=found.digest, activated_by=by))
        return await self.get(context, version)


def _refusal(error: RulebookError) -> RulebookRefused:
    """Every problem with its place in the text."""
    errors = [FieldError(f"line {one.line}, column {one.column}: {one.path}", one.message, one.remedy or None) for one in error.problems]
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    return RulebookRefused(f"The rulebook has {count}; the first: {error.problems[0]}", errors=errors)
