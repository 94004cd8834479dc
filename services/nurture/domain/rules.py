"""The nurture rulebook: which buying stage a person is in, and in which lifecycle stages nurture suggests a treatment by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import derive_id
from contracts.values import Receipt
from people_kernel.cards import CARD_VARIABLES, Card, card_facts
from rulebook.compile import Rulebook, compile_rulebook
from rulebook.document import Example, survey_document
from rulebook.evaluate import Evaluation, Match, UnknownPolicy
from rulebook.memory import Answers
from rulebook.problems import RulebookError
from rulebook.receipts import Decision, alternatives, receipt, sentence_of
from rulebook.vocabulary import STRING, Vocabulary
from services.nurture.domain.stages import Buying, BuyingStage

NAME = "nurture"
PERSON = "person"
"""The kind that all rules listen to."""
VOCABULARY = Vocabulary(variables={**CARD_VARIABLES, "stage.name": STRING}, kinds=[PERSON])
_BY_DEFAULT = "default"
_MOST_JUDGED = 1_024  # different people, by what the rules ask, whose judgements are kept: some 5 MB at the very most
_StageName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=40)]


class Places(BaseModel):
    """What a rule says: the buying stage. Of several that hold the highest precedence counts, then the first in the book."""

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
        document.source.problem(("rules", index, "unknown"), "a person cannot be refused for what is not known", "Use skip, false or true.")
        for index, rule in enumerate(rulebook.rules)
        if rule.unknown is UnknownPolicy.FAIL
    ]
    problems += [
        document.source.problem(("rules", index, "name"), f"{_BY_DEFAULT} is what holds when no rule does", "Choose another name.")
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
    match: Match[Places] | None
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
    def _judged(self) -> Answers[Judgement]:
        return Answers(_MOST_JUDGED)

    def judge(self, card: Card, stage: str) -> Judgement:
        """The buying stage by what is known. Many are in the same place, and where that is follows from what the rules ask of it."""
        facts = {**card_facts(card), "stage.name": stage}
        return self._judged.of(self.rulebook.question(PERSON, None, facts), lambda: self._judgement(self.rulebook.evaluate(PERSON, None, facts)))

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
            f"{match.rule.name}: holds too, but {best.rule.name} comes first" for match in evaluation.matched if match.rule.name != best.rule.name
        )
        return Judgement(Buying(best.rule.effect.buying_stage, best.rule.name, self.label, sentence_of(best)), best, after + rejected)


def judge_example(_rulebook: Rulebook[Places], _example: Example, evaluation: Evaluation[Places]) -> Mapping[str, Any]:
    """What an example may expect beside its rules: `buying_stage`."""
    best = _best(evaluation)
    return {"buying_stage": (BuyingStage.AWARENESS if best is None else best.rule.effect.buying_stage).value}


def _best(evaluation: Evaluation[Places]) -> Match[Places] | None:
    # max keeps the first of equals, and matches come in the order of the book
    return max(evaluation.matched, key=lambda match: match.rule.effect.precedence, default=None)


def _by_default(judgement: Judgement, decision: Decision) -> Receipt:
    buying = judgement.buying
    return Receipt(
        receipt_id=derive_id("rcp", decision.at, decision.cause_id, decision.kind, buying.rulebook, buying.rule, decision.part),
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
