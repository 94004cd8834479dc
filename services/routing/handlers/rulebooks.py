"""The routing rulebook: which version decides, new drafts, activation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.context import Context
from chassis.runtime import Runtime
from contracts.events.routing import RulebookActivated
from people_kernel.rulebook_registry import RulebookRegistry
from rulebook.examples import assert_examples_pass
from services.routing.domain.rules import NAME, RoutingRules, compile_routing, judge_example
from services.routing.store.tables import RULEBOOK

RULEBOOKS = RulebookRegistry(
    name=NAME,
    table=RULEBOOK,
    default=Path(__file__).parent.parent / "rulebooks" / "default.yaml",
    compile=compile_routing,
    check=lambda compiled: assert_examples_pass(compiled, judge_example),
    judge=RoutingRules,
    activated=RulebookActivated,
)


@asynccontextmanager
async def with_rulebook(runtime: Runtime) -> AsyncIterator[None]:
    """A store without a rulebook is given the default one."""
    await RULEBOOKS.begin(runtime)
    yield None


async def rules_of(context: Context) -> RoutingRules:
    """The version that decides in this transaction."""
    return (await RULEBOOKS.edition(context)).active
