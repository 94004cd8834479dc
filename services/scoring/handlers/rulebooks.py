"""The scoring rulebook: which version decides, new drafts, activation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.context import Context
from chassis.runtime import Runtime
from contracts.events.scoring import RulebookActivated
from people_kernel.rulebook_registry import RulebookRegistry
from rulebook.examples import assert_examples_pass
from services.scoring.domain.judging import Judges
from services.scoring.domain.rules import NAME, RulebookJudge, compile_scoring, judge_example
from services.scoring.store.tables import RULEBOOK

DESK = RulebookRegistry(
    name=NAME,
    table=RULEBOOK,
    default=Path(__file__).parent.parent / "rulebooks" / "default.yaml",
    compile=compile_scoring,
    check=lambda compiled: assert_examples_pass(compiled, judge_example),
    judge=RulebookJudge,
    activated=RulebookActivated,
)


@asynccontextmanager
async def with_rulebook(runtime: Runtime) -> AsyncIterator[None]:
    """A store without a rulebook is given the default one."""
    await DESK.begin(runtime)
    yield None


async def judges_of(context: Context) -> Judges:
    """All versions, and the one that decides in this transaction."""
    edition = await DESK.edition(context)
    return Judges(edition.by_version, edition.active)
