"""The process, in words that marketing and sales can read together."""

from __future__ import annotations

from fastapi import APIRouter

from chassis.routes import Read
from services.lifecycle.api.views import ClockRuleView, ProcessView, RuleView, StageView
from services.lifecycle.domain.rules import rule_in_words
from services.lifecycle.handlers.rulebooks import process_of

router = APIRouter(tags=["lifecycle"])


@router.get("/v1/lifecycle/process")
async def read_process(reading: Read) -> ProcessView:
    """The stages, the rules that lead from one to the next, and the clocks that run on the way."""
    process = await process_of(reading)
    return ProcessView(
        rulebook=process.label,
        title=process.rulebook.title,
        stages=[StageView(**stage.model_dump()) for stage in process.stages.values()],
        rules=[
            RuleView(
                name=rule.name,
                leaves=list(rule.on),
                triggers=list(rule.named),
                when=rule.when,
                to=rule.effect.to,
                choices=list(rule.effect.choices),
                reason=rule.reason,
                sentence=rule_in_words(rule),
            )
            for rule in process.rulebook.rules
        ],
        clocks=[ClockRuleView(**clock.model_dump()) for clock in process.clocks],
    )
