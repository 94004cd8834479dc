"""The routing rulebook: which stages are referred, to which team, how soon an answer is expected, and which version
decides.

`default.yaml` is what a new store starts with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chassis.context import Context
from contracts.events.routing import RulebookActivated
from people_kernel.people import CARD_VARIABLES
from people_kernel.rulebook_registry import RulebookRegistry
from rulebook.compile import compile_rulebook
from rulebook.document import Document, Example, survey_document
from rulebook.evaluate import Evaluation, Rulebook
from rulebook.examples import assert_examples_pass
from rulebook.problems import RulebookError
from rulebook.vocabulary import BOOL, STRING, STRINGS, FactType, UnknownPolicy, Vocabulary
from services.routing.domain.assignment import NAME, REFERRED_BY_DEFAULT, Asking, ReferralStages, RoutingRules
from services.routing.store.tables import RULEBOOK

VARIABLES: Mapping[str, FactType] = {
    **CARD_VARIABLES,
    "account.is_owned": BOOL,
    "account.owner_teams": STRINGS,
    "stage.previous": STRING,
    "stage.reason": STRING,
}


def compile_routing(text: str, version: int | None = None) -> Rulebook[Asking]:
    """Compile a routing rulebook; rules listen to the stages under `stages: refer:`.

    Raises RulebookError with every problem, each with its place.
    """
    document = survey_document(text)
    rulebook = compile_rulebook(
        document, Vocabulary(VARIABLES, _referred(document)), Asking, {"stages": ReferralStages}, version
    )
    problems = [
        document.source.problem(
            ("rules", index, "unknown"),
            "a referral cannot be refused for what is not known",
            "Use skip, false or true.",
        )
        for index, rule in enumerate(rulebook.rules)
        if rule.unknown is UnknownPolicy.FAIL
    ]
    if problems:
        raise RulebookError(problems)
    return rulebook


def _referred(document: Document) -> Sequence[str]:
    # what rules may listen to stands in the text itself; where that cannot be read, the section's own check says so
    section = document.body.sections.get("stages")
    named = section.get("refer") if isinstance(section, Mapping) else None
    if isinstance(named, list) and named and all(isinstance(stage, str) for stage in named):
        return list(dict.fromkeys(named))
    return REFERRED_BY_DEFAULT


def judge_example(rulebook: Rulebook[Asking], example: Example, evaluation: Evaluation[Asking]) -> Mapping[str, Any]:
    """What an example may expect beside its rules: the `team` that is asked and `answer_within_hours`, by the first
    rule that holds.
    """
    asking = evaluation.matched[0].rule.effect if evaluation.matched else Asking()
    return {"team": asking.team, "answer_within_hours": asking.answer_within_hours}


REGISTRY = RulebookRegistry(
    name=NAME,
    table=RULEBOOK,
    default=Path(__file__).parent / "default.yaml",
    compile=compile_routing,
    check=lambda compiled: assert_examples_pass(compiled, judge_example),
    judge=RoutingRules,
    activated=RulebookActivated,
)


async def rules_of(context: Context) -> RoutingRules:
    """The version that decides in this transaction."""
    return (await REGISTRY.versions(context)).active
