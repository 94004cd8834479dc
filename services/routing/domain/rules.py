"""The routing rulebook: which stages are referred, to which team, and how soon an answer is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.ids import derive_id
from contracts.values import Receipt
from people_kernel.cards import CARD_VARIABLES
from rulebook.compile import Rulebook, compile_rulebook
from rulebook.document import Document, Example, survey_document
from rulebook.evaluate import Evaluation, UnknownPolicy
from rulebook.problems import RulebookError
from rulebook.receipts import Decision, alternatives, receipt
from rulebook.vocabulary import BOOL, STRING, STRINGS, FactType, Vocabulary
from services.routing.domain.reps import ANY

NAME = "routing"
ASSIGNMENT = "referral.assignment"
OTHERWISE = "otherwise"
"""The rule of a referral that no rule of the book is about: everybody may be asked."""

VARIABLES: Mapping[str, FactType] = {
    **CARD_VARIABLES,
    "account.is_owned": BOOL,
    "account.owner_teams": STRINGS,
    "stage.previous": STRING,
    "stage.reason": STRING,
}
_REFER = ("mql",)

StageName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class Asking(BaseModel):
    """What a rule brings about: which team is asked, and how soon it is to answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    team: Annotated[str, Field(min_length=1, max_length=60)] = ANY
    answer_within_hours: Annotated[Decimal, Field(ge=Decimal("0.01"), le=2160, decimal_places=4)] = Decimal(4)

    @property
    def answer_within(self) -> timedelta:
        return timedelta(seconds=float(self.answer_within_hours * 3600))


class Stages(BaseModel):
    """What the stages of the process mean for a referral. In any stage that is not named, the referral is over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    refer: Annotated[tuple[StageName, ...], Field(min_length=1, max_length=20)] = _REFER  # who enters it is offered to a rep
    hold: Annotated[tuple[StageName, ...], Field(max_length=50)] = ("sal", "sql", "opportunity")  # the rep who accepted is at work
    keep: Annotated[tuple[StageName, ...], Field(max_length=50)] = ("customer",)  # is still the rep's, and takes no room any more

    @model_validator(mode="after")
    def _say_it_once(self) -> Self:
        named = (*self.refer, *self.hold, *self.keep)
        twice = sorted({stage for stage in named if named.count(stage) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands here more than once")
        return self


def compile_routing(text: str, version: int | None = None) -> Rulebook[Asking]:
    """Compile a routing rulebook; rules listen to the stages under `stages: refer:`. Raises RulebookError with every problem, each with its place."""
    document = survey_document(text)
    rulebook = compile_rulebook(document, Vocabulary(VARIABLES, _referred(document)), Asking, {"stages": Stages}, version)
    problems = [
        document.source.problem(("rules", index, "unknown"), "a referral cannot be refused for what is not known", "Use skip, false or true.")
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
    return _REFER


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rules said of one referral. `receipt` holds rule, version, inputs and the rule's sentence; whom it went to is filled in later."""

    asking: Asking
    receipt: Receipt


@dataclass(frozen=True)
class RoutingRules:
    """A compiled rulebook as the judge of referrals."""

    rulebook: Rulebook[Asking]

    @property
    def label(self) -> str:
        return self.rulebook.label

    @property
    def stages(self) -> Stages:
        section = self.rulebook.sections["stages"]
        assert isinstance(section, Stages)
        return section

    def ground(self, stage: str, facts: Mapping[str, Any], decision: Decision) -> Ground:
        """The first rule that holds decides; without one everybody may be asked."""
        evaluation = self.rulebook.evaluate(stage, None, facts)
        if not evaluation.matched:
            return Ground(Asking(), self._without_a_rule(evaluation, decision))
        first = evaluation.matched[0]
        later = tuple(f"{match.rule.name}: {evaluation.matched[0].rule.name} comes first" for match in evaluation.matched[1:])
        return Ground(first.rule.effect, receipt(self.rulebook, first, decision, rejected=(*later, *alternatives(evaluation))))

    def _without_a_rule(self, evaluation: Evaluation[Asking], decision: Decision) -> Receipt:
        return Receipt(
            receipt_id=derive_id("rcp", decision.at, decision.cause_id, decision.kind, self.label, OTHERWISE),
            at=decision.at,
            owner=decision.owner,
            kind=decision.kind,
            person_id=decision.person_id,
            fragment_id=decision.fragment_id,
            cause_id=decision.cause_id,
            rule=OTHERWISE,
            rulebook=self.label,
            rejected=alternatives(evaluation),
            sentence="No rule names a team, so everybody may be asked.",
        )


def judge_example(rulebook: Rulebook[Asking], example: Example, evaluation: Evaluation[Asking]) -> Mapping[str, Any]:
    """What an example may expect beside its rules: the `team` that is asked and `answer_within_hours`, by the first rule that holds."""
    asking = evaluation.matched[0].rule.effect if evaluation.matched else Asking()
    return {"team": asking.team, "answer_within_hours": asking.answer_within_hours}
