"""A service's rulebook at work: which version decides, new drafts, activation.

Compiled are the active version, when the service begins, and those that decided before it, when something stored
names them; a draft only in the request that proposes or activates it. An active version that this release cannot
compile any more decides nothing: the service serves and is not ready, its lanes and timers wait
(`RulebookUncompiled` is a NotReady), until another version is activated. What an older version that does not compile
any more judged is judged as the active one would.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog
from sqlalchemy import Table

from chassis.context import Context
from chassis.errors import BadInput, Conflict, FieldError, NotFound, NotReady
from chassis.progress import describe
from chassis.readiness import Finding
from chassis.runtime import Runtime
from chassis.store.session import Session
from chassis.store.statements import Row
from contracts.envelope import beginning
from contracts.events.rulebooks import RulebookActivated
from contracts.ids import derive_id
from people_kernel.store import rulebooks as store
from people_kernel.store.rulebooks import VersionInfo, VersionState
from rulebook.evaluate import Rulebook
from rulebook.examples import ExamplesFailed
from rulebook.problems import RulebookError

log = structlog.get_logger(__name__)

FOUNDER = "rapport"
"""Who activates the rulebook that an empty store starts with."""

Judge = TypeVar("Judge")
_Key = tuple[int, str]  # version and digest

_ACTIVATE_ANOTHER = (
    "Activate another version, or send a corrected one and activate that: POST /v1/rulebooks/{name}/{version}:activate"
)


class RulebookNotFound(NotFound):
    """There is no such version of the rulebook."""

    slug = "rulebook-not-found"


class RulebookRefused(BadInput):
    """The text is not a rulebook of this service; `errors` name line and column."""

    slug = "rulebook-refused"


class ExamplesDoNotPass(BadInput):
    """The rulebook contradicts its own examples, or has none."""

    slug = "examples-do-not-pass"


class AlreadyActive(Conflict):
    """This version decides already."""

    slug = "already-active"


class DraftOvertaken(Conflict):
    """Another draft took the number."""

    slug = "draft-overtaken"


class RulebookUncompiled(NotReady):
    """The active version does not compile in this release, so nothing can be decided."""

    slug = "rulebook-uncompiled"


@dataclass(frozen=True, slots=True)
class LoadedVersions(Generic[Judge]):
    """All versions that ever decided as judges, each compiled when it is first asked for, and the one that decides in
    this transaction.
    """

    by_version: Mapping[int, Judge]
    active: Judge


@dataclass(frozen=True)
class RulebookRegistry(Generic[Judge]):
    """What a service says of its rulebook, once, beside its rules.

    Compiled versions are kept for the life of the process: they never change.

    `compile` raises RulebookError; `check` raises ExamplesFailed; `judge` makes of a
    compiled rulebook what the domain decides with.
    """

    name: str
    table: Table
    default: Path
    compile: Callable[[str, int | None], Rulebook[Any]]
    check: Callable[[Rulebook[Any]], None]
    judge: Callable[[Rulebook[Any]], Judge]
    activated: type[RulebookActivated]
    _judges: dict[_Key, Judge] = field(default_factory=dict, repr=False)
    # why a version does not compile; it will not in this process
    _faults: dict[_Key, str] = field(default_factory=dict, repr=False)
    _texts: dict[_Key, str] = field(default_factory=dict, repr=False)  # of versions that were not asked for yet

    async def begin(self, runtime: Runtime) -> None:
        """A store without a rulebook is given the default one, and the active one is compiled.

        Call it before the first message is heard.
        """
        # of processes that begin together one is the first, and what the others would have written is there then
        with suppress(DraftOvertaken, AlreadyActive):
            await self._found(runtime)
        runtime.checks.append(partial(self._findings, runtime))
        async with runtime.reading() as context:
            with suppress(RulebookUncompiled):  # readiness says so
                await self.versions(context)

    @asynccontextmanager
    async def in_force(self, runtime: Runtime) -> AsyncIterator[None]:
        """The same as extras of a service, which holds nothing for it."""
        await self.begin(runtime)
        yield

    async def _found(self, runtime: Runtime) -> None:
        async with runtime.writing() as context:
            if not await store.load_states(context.session, self.table):
                draft = await self.add_draft(context, self.default.read_text(), FOUNDER)
                await self.activate(context, draft.version, FOUNDER)

    async def versions(self, context: Context) -> LoadedVersions[Judge]:
        """The versions as they are in this transaction.

        Raises RulebookUncompiled when the active one is no judge in this release.
        """
        decided = await store.load_decided(context.session, self.table)
        await self._read(context.session, decided)
        active = next((row for row in decided if row.is_active), None)
        if active is None:
            raise RulebookUncompiled(f"No version of the {self.name} rulebook is active", remedy="Activate one")
        judge = self._judges.get(_key(active)) or await asyncio.to_thread(self._judge_of, active)
        if judge is None:
            raise RulebookUncompiled(self._complaint(active), remedy=_ACTIVATE_ANOTHER)
        return LoadedVersions(_Versions(self._judge_of, decided, judge), judge)

    async def add_draft(self, context: Context, document: str, by: str) -> Row:
        """The version with this content: a new one, or the one that has it already.

        Raises RulebookRefused, DraftOvertaken.
        """
        version = max((row.version for row in await store.load_states(context.session, self.table)), default=0) + 1
        compiled = await self._compiled(document, version)
        found = await store.find_by_digest(context.session, self.table, compiled.digest)
        if found is not None:
            return found
        draft = store.Draft(version, compiled.digest, document, by, context.now)
        if not await store.add_draft(context.session, self.table, draft):
            raise DraftOvertaken(f"Version {version} was taken by another draft", remedy="Send it again")
        return await self.get(context, version)

    async def get(self, context: Context, version: int) -> Row:
        """One version. Raises RulebookNotFound."""
        found = await store.load_one(context.session, self.table, version)
        if found is None:
            raise RulebookNotFound(f"There is no version {version} of the {self.name} rulebook")
        return found

    async def activate(self, context: Context, version: int, by: str) -> Row:
        """From this transaction on `version` decides.

        Raises RulebookNotFound, AlreadyActive, RulebookRefused, ExamplesDoNotPass.
        """
        found = await self.get(context, version)
        if found.state == VersionState.ACTIVE.value:
            raise AlreadyActive(f"Version {version} decides already")
        compiled = await self._compiled(found.document, version)
        try:
            await asyncio.to_thread(self.check, compiled)
        except ExamplesFailed as failed:
            errors = [FieldError(f"examples: {failure.example}", str(failure)) for failure in failed.failures]
            raise ExamplesDoNotPass(
                str(failed), remedy="Correct the rules or the examples, and send a new draft", errors=errors
            ) from None
        self._judges[version, found.digest] = self.judge(compiled)
        await store.activate(context.session, self.table, version, (by, context.now))
        event_id = derive_id("evt", context.now, self.activated.wire_name, str(version), found.digest, by)
        meta = beginning(event_id, context.now, f"{self.name}@{version}")
        context.say(self.activated(meta=meta, version=version, digest=found.digest, activated_by=by))
        return await self.get(context, version)

    async def _compiled(self, document: str, version: int) -> Rulebook[Any]:
        """In a thread: somebody's text may take a second, and the loop has other work. Raises RulebookRefused."""
        try:
            return await asyncio.to_thread(self.compile, document, version)
        except RulebookError as error:
            raise _refusal(error) from None

    async def _read(self, session: Session, decided: list[VersionInfo]) -> None:
        """Have the texts at hand of those that may have to be compiled."""
        missing = [
            row for row in decided if not any(_key(row) in known for known in (self._judges, self._faults, self._texts))
        ]
        if missing:
            documents = await store.load_documents(session, self.table, [row.version for row in missing])
            self._texts.update({_key(row): documents[row.version] for row in missing})

    def _judge_of(self, row: VersionInfo) -> Judge | None:
        """The version as a judge, compiled once; None if it does not compile."""
        key = _key(row)
        if key not in self._judges and key not in self._faults:
            try:
                self._judges[key] = self.judge(self.compile(self._texts[key], row.version))
            except RulebookError as error:
                self._faults[key] = str(error.problems[0])
            except Exception as error:  # whatever it is, one version that is no judge may not stop the others
                self._faults[key] = describe(error)
            self._texts.pop(key, None)
            if key in self._faults:
                log.error("rulebook.uncompiled", rulebook=f"{self.name}@{row.version}", reason=self._faults[key])
        return self._judges.get(key)

    async def _findings(self, runtime: Runtime) -> list[Finding]:
        """What readiness is to say (`runtime.checks`)."""
        async with runtime.database.glance() as session:
            decided = await store.load_decided(session, self.table)
        active = next((row for row in decided if row.is_active), None)
        if active is None:
            return [Finding("rulebook", f"no version of the {self.name} rulebook is active", "Activate one")]
        faulty = [row for row in decided if _key(row) in self._faults]
        return [
            Finding("rulebook", f"{self._complaint(row)}; nothing is decided, what is heard waits", _ACTIVATE_ANOTHER)
            if row.is_active
            else Finding(
                "rulebook",
                self._complaint(row),
                f"What it judged is judged as {self.name}@{active.version} would",
                is_note=True,
            )
            for row in faulty
        ]

    def _complaint(self, row: VersionInfo) -> str:
        return f"{self.name}@{row.version} does not compile in this release: {self._faults[_key(row)]}"


class _Versions(Mapping[int, Judge]):
    """Version -> judge. A version that is no judge any more, or never decided, is stood in for by the active one."""

    def __init__(
        self, judge_of: Callable[[VersionInfo], Judge | None], decided: list[VersionInfo], active: Judge
    ) -> None:
        self._judge_of = judge_of
        self._decided = {row.version: row for row in decided}
        self._active = active

    def __getitem__(self, version: int) -> Judge:
        row = self._decided.get(version)
        return (None if row is None else self._judge_of(row)) or self._active

    def __iter__(self) -> Iterator[int]:
        return iter(self._decided)

    def __len__(self) -> int:
        return len(self._decided)


def _key(row: VersionInfo) -> _Key:
    return row.version, row.digest


def _refusal(error: RulebookError) -> RulebookRefused:
    """Every problem with its place in the text."""
    errors = [
        FieldError(f"line {one.line}, column {one.column}: {one.path}", one.message, one.remedy or None)
        for one in error.problems
    ]
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    return RulebookRefused(f"The rulebook has {count}; the first: {error.problems[0]}", errors=errors)
