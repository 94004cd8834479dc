"""The nurture rulebook: the one it starts with, new drafts, activation, and which version decides."""

from __future__ import annotations

from pathlib import Path

from chassis.context import Context
from contracts.events.nurture import RulebookActivated
from people_kernel.rulebook_registry import RulebookRegistry
from rulebook.examples import assert_examples_pass
from services.nurture.domain.rules import NAME, NurtureJudge, compile_nurture, judge_example
from services.nurture.store.tables import RULEBOOK

REGISTRY = RulebookRegistry(
    name=NAME,
    table=RULEBOOK,
    default=Path(__file__).parent / "default.yaml",
    compile=compile_nurture,
    check=lambda compiled: assert_examples_pass(compiled, judge_example),
    judge=NurtureJudge,
    activated=RulebookActivated,
)


async def judge_of(context: Context) -> NurtureJudge:
    """The version that decides in this transaction."""
    return (await REGISTRY.versions(context)).active
