"""The lifecycle rulebook: which version decides, new drafts, activation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.context import Context
from chassis.runtime import Runtime
from contracts.events.lifecycle import RulebookActivated
from people_kernel.rulebook_registry import RulebookRegistry
from rulebook.examples import assert_examples_pass
from services.lifecycle.domain.process import NAME, Process
from services.lifecycle.domain.rules import compile_lifecycle, judge_example
from services.lifecycle.store.tables import RULEBOOK

DESK = RulebookRegistry(
    name=NAME,
    table=RULEBOOK,
    default=Path(__file__).parent.parent / "rulebooks" / "default.yaml",
    compile=compile_lifecycle,
    check=lambda compiled: assert_examples_pass(compiled, judge_example),
    judge=Process,
    activated=RulebookActivated,
)


@asynccontextmanager
async def with_rulebook(runtime: Runtime) -> AsyncIterator[None]:
    """A store without a rulebook is given the default one."""
    await DESK.begin(runtime)
    yield None


async def process_of(context: Context) -> Process:
    """The process that is in force in this transaction."""
    return (await DESK.edition(context)).active
