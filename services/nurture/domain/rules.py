"""The nurture rulebook: which buying stage a person is in, and in which lifecycle stages nurture suggests a treatment
by itself.

The `when:` of a treatment is one condition in the same words, compiled by the same compiler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import derive_id
from contracts.values import Receipt
from people_kernel.people import CARD_VARIABLES, Card, card_facts
from rulebook.compile import compile_rulebook
from rulebook.document import Body, Document, Example, survey_document
from rulebook.evaluate import Evaluation, MatchedRule, Rulebook
from rulebook.inputs import AnswerCache
from rulebook.problems import RulebookError
from rulebook.receipts import Decision, alternatives, receipt, sentence_of
from rulebook.source import Path, Spot, YamlText
from rulebook.vocabulary import STRING, UnknownPolicy, Vocabulary, one_of

ANONYMOUS = "anonymous"
"""The lifecycle stage of somebody of whom lifecycle said nothing yet."""
KNOWN = "known"
"""The lifecycle stage of somebody who goes by a name."""


class BuyingStage(StrEnum):
    """How far somebody is with buying, in their own eyes."""

    AWARENESS = "awareness"  # has a question
    CONSIDERATION = "consideration"  # looks for ways to solve it
    DECISION = "decision"  # chooses among offers
    CUSTOMER = "customer"  # has bought


@dataclass(frozen=True, slots=True)
class Buying:
    """A buying stage and why: the rule that gave it, and its reason."""

    stage: BuyingStage
    rule: str
    rulebook: str
    sentence: str


NAME = "nurture"
PERSON = "person"
"""The kind that all rules listen to."""
VOCABULARY = Vocabulary(variables={**CARD_VARIABLES, "stage.name": STRING}, kinds=[PERSON])
CONDITION_VOCABULARY = Vocabulary(
    variables={**CARD_VARIABLES, "stage.name": STRING, "buying.stage": one_of(*BuyingStage)}, kinds=[PERSON]
)
"""What the condition of a treatment may speak of."""
_BY_DEFAULT = "default"
_MOST_JUDGED = 1_024  # different people, by what the rules ask, whose judgements are kept: some 5 MB at the very most
_StageName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=40)]


class Places(BaseModel):
    """What a rule says: the buying stage.

    Of several that hold the highest precedence counts, then the first in the book.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    buying_stage: BuyingStage
    precedence: Annotated[int, Field(ge=0, le=1000)] = 0


class Suggestions(BaseModel):
    """The lifecycle stages in which a treatment is suggested unasked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stages: tuple[_StageName, ...] = Field(default=(), max_length=50)


def compile_nurture(text: str, version: int | None = None) -> Rulebook[Places]:
    """Compile a nurture rulebook. Raises RulebookError with every problem, each with its line and column."""
    document = survey_document(text)
    rulebook = compile_rulebook(document, VOCABULARY, Places, {"suggestions": Suggestions}, version)
    problems = [
        document.source.problem(
            ("rules", index, "unknown"), "a person cannot be refused for what is not known", "Use skip, false or true."
        )
        for index, rule in enumerate(rulebook.rules)
        if rule.unknown is UnknownPolicy.FAIL
    ]
    problems += [
        document.source.problem(
            ("rules", index, "name"), f"{_BY_DEFAULT} is what holds when no rule does", "Choose another name."
        )
        for index, rule in enumerate(rulebook.rules)
        if rule.name == _BY_DEFAULT
    ]
    if problems:
        raise RulebookError(problems)
    return rulebook


@dataclass(frozen=True, slots=True)
class Judgement:
    """The buying stage of a person, with what it takes to write its receipt."""

    buying: Buying
    match: MatchedRule[Places] | None
    rejected: tuple[str, ...]

    @property
    def is_default(self) -> bool:
        """No rule spoke for anything."""
        return self.match is None


@dataclass(frozen=True)
class NurtureJudge:
    """A compiled rulebook as the judge of people."""

    rulebook: Rulebook[Places]

    @property
    def label(self) -> str:
        return self.rulebook.label

    @cached_property
    def suggested_stages(self) -> frozenset[str]:
        section = self.rulebook.sections["suggestions"]
        assert isinstance(section, Suggestions)
        return frozenset(section.stages)

    @cached_property
    def _judged(self) -> AnswerCache[Judgement]:
        return AnswerCache(_MOST_JUDGED)

    def judge(self, card: Card, stage: str) -> Judgement:
        """The buying stage by what is known.

        Many are in the same place, and where that is follows from what the rules ask of it.
        """
        facts = {**card_facts(card), "stage.name": stage}
        return self._judged.of(
            self.rulebook.question(PERSON, None, facts),
            lambda: self._judgement(self.rulebook.evaluate(PERSON, None, facts)),
        )

    def receipt(self, judgement: Judgement, decision: Decision) -> Receipt:
        """Why the buying stage is what it is."""
        if judgement.match is not None:
            written = receipt(self.rulebook, judgement.match, decision, rejected=judgement.rejected)
        else:
            written = _by_default(judgement, decision)
        return written.model_copy(update={"outcome": judgement.buying.stage.value})

    def _judgement(self, evaluation: Evaluation[Places]) -> Judgement:
        best = _best(evaluation)
        rejected = alternatives(evaluation)
        if best is None:
            sentence = "Nothing says that they are further."
            return Judgement(Buying(BuyingStage.AWARENESS, _BY_DEFAULT, self.label, sentence), None, rejected)
        after = tuple(
            f"{match.rule.name}: holds too, but {best.rule.name} comes first"
            for match in evaluation.matched
            if match.rule.name != best.rule.name
        )
        return Judgement(
            Buying(best.rule.effect.buying_stage, best.rule.name, self.label, sentence_of(best)), best, after + rejected
        )


def judge_example(_rulebook: Rulebook[Places], _example: Example, evaluation: Evaluation[Places]) -> Mapping[str, Any]:
    """What an example may expect beside its rules: `buying_stage`."""
    best = _best(evaluation)
    return {"buying_stage": (BuyingStage.AWARENESS if best is None else best.rule.effect.buying_stage).value}


def _best(evaluation: Evaluation[Places]) -> MatchedRule[Places] | None:
    # max keeps the first of equals, and matches come in the order of the book
    return max(evaluation.matched, key=lambda match: match.rule.effect.precedence, default=None)


def _by_default(judgement: Judgement, decision: Decision) -> Receipt:
    buying = judgement.buying
    return Receipt(
        receipt_id=derive_id(
            "rcp", decision.at, decision.cause_id, decision.kind, buying.rulebook, buying.rule, decision.part
        ),
        at=decision.at,
        owner=decision.owner,
        kind=decision.kind,
        person_id=decision.person_id,
        fragment_id=decision.fragment_id,
        cause_id=decision.cause_id,
        rule=buying.rule,
        rulebook=buying.rulebook,
        rejected=judgement.rejected,
        sentence=buying.sentence,
    )


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """Whether a condition holds. `inputs`: the facts it read; `why`: in words, when it does not hold."""

    holds: bool
    inputs: Mapping[str, Any]
    why: str = ""


@dataclass(frozen=True, slots=True)
class TreatmentCondition:
    """A compiled condition."""

    text: str
    _book: Rulebook[_Nothing]

    def weigh(self, facts: Mapping[str, Any]) -> ConditionResult:
        """Does it hold, given what is known?"""
        evaluation = self._book.evaluate(PERSON, None, facts)
        for match in evaluation.matched:
            return ConditionResult(True, match.inputs)
        for undecided in evaluation.unknown:
            return ConditionResult(False, {}, f"it cannot be said whether {self.text}: {undecided.why}")
        why = evaluation.rejected[0].why
        return ConditionResult(
            False, {}, f"it does not hold that {self.text}" + (f" ({why})" if "counts as a no" in why else "")
        )


def compile_condition(text: str, unknown: UnknownPolicy) -> TreatmentCondition:
    """Raises RulebookError with every mistake; line and column are counted in `text`."""
    rule = {
        "name": "condition",
        "on": [PERSON],
        "when": text,
        "effect": {},
        "unknown": unknown.value,
        "reason": "It holds.",
    }
    body = Body.model_validate({"name": "treatment", "title": "When a treatment fits", "rules": [rule]})
    return TreatmentCondition(
        text, compile_rulebook(Document(body, _Expression(text, {"when": text})), CONDITION_VOCABULARY, _Nothing)
    )


class _Nothing(BaseModel):
    """A condition brings nothing about by itself."""


class _Expression(YamlText):
    """A text that is one expression and nothing else."""

    def spot(self, path: Path) -> Spot:
        return 1, 1

    def key_spot(self, path: Path) -> Spot:
        return 1, 1

    def nearest(self, path: Path) -> Path:
        return ("when",)

    def spot_within(self, path: Path, offset: int) -> Spot:
        before = self.text[: max(offset, 0)]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
