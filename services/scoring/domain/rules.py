"""The scoring rulebook: what its rules may do, and a compiled one as the judge of interactions and profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.brevity import quoted, shortened
from contracts.values import Interaction, JsonObject
from people_kernel.profile import Attributes, profile_facts
from rulebook.compile import Rulebook, compile_rulebook
from rulebook.document import Document, Example, survey_document
from rulebook.evaluate import Evaluation, Match, Rule, UnknownPolicy
from rulebook.memory import Answers
from rulebook.problems import Problem, RulebookError
from rulebook.reasons import tell
from rulebook.receipts import sentence_of
from services.scoring.domain.decay import half_life_of, to_e4
from services.scoring.domain.grid import Grid
from services.scoring.domain.judging import Award
from services.scoring.domain.vocabulary import OF_PROFILE, PROFILE, VOCABULARY, interaction_facts

NAME = "scoring"
_MOST_GIVEN = 1_024  # different interactions whose awards are kept: some 5 MB at the very most


class Points(BaseModel):
    """What a rule gives: points, for good (fit) or halving every `half_life_days` (engagement)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: Annotated[Decimal, Field(ge=-1000, le=1000, decimal_places=4)]
    half_life_days: Annotated[Decimal, Field(ge=1, le=3650, decimal_places=4)] | None = None


_Threshold = Annotated[Decimal, Field(ge=-100_000, le=100_000, decimal_places=4)]


class FitThresholds(BaseModel):
    """The least points of an A, a B and a C; below is D."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    A: _Threshold
    B: _Threshold
    C: _Threshold

    @model_validator(mode="after")
    def _descend(self) -> FitThresholds:
        if not self.A > self.B > self.C:
            raise ValueError("an A must need more points than a B, and a B more than a C")
        return self


class EngagementThresholds(BaseModel):
    """The least points of a 1, a 2 and a 3; below is 4."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    one: _Threshold = Field(alias="1")
    two: _Threshold = Field(alias="2")
    three: _Threshold = Field(alias="3")

    @model_validator(mode="before")
    @classmethod
    def _number_keys(cls, value: Any) -> Any:
        return {str(key): entry for key, entry in value.items()} if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _descend(self) -> EngagementThresholds:
        if not self.one > self.two > self.three:
            raise ValueError("a 1 must need more points than a 2, and a 2 more than a 3")
        return self


class GridSection(BaseModel):
    """Thresholds of both sides of the grid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fit: FitThresholds
    engagement: EngagementThresholds

    def grid(self) -> Grid:
        fit, engagement = self.fit, self.engagement
        return Grid((to_e4(fit.C), to_e4(fit.B), to_e4(fit.A)), (to_e4(engagement.three), to_e4(engagement.two), to_e4(engagement.one)))


def compile_scoring(text: str, version: int | None = None) -> Rulebook[Points]:
    """Compile a scoring rulebook. Raises RulebookError with every problem, each with its line and column."""
    document = survey_document(text)
    rulebook = compile_rulebook(document, VOCABULARY, Points, {"grid": GridSection}, version)
    problems = [problem for index, rule in enumerate(rulebook.rules) for problem in _misplaced(document, index, rule)]
    if problems:
        raise RulebookError(problems)
    return rulebook


def _misplaced(document: Document, index: int, rule: Rule[Points]) -> Iterator[Problem]:
    """What is typed well and still means nothing: a fit rule that fades, an engagement rule that asks who it is."""
    path, source = ("rules", index), document.source
    of_profile = PROFILE in rule.on
    if of_profile and len(rule.on) > 1:
        yield source.problem((*path, "on"), "a rule is about the profile or about interactions, not both", "Write two rules.")
    if of_profile and rule.effect.half_life_days is not None:
        yield source.problem((*path, "effect"), "fit does not fade", "Leave out half_life_days.")
    if not of_profile and rule.effect.half_life_days is None:
        yield source.problem((*path, "effect"), "engagement fades", "Add half_life_days: at least 1.")
    wrong = [name for name in rule.reads if (_variable_of(name) in OF_PROFILE) is not of_profile]
    if wrong and not of_profile:
        remedy = "What an interaction is worth may not depend on who did it; make it a rule on the profile."
        yield source.problem((*path, "when"), f"a rule about interactions reads {', '.join(wrong)}", remedy)
    elif wrong:
        yield source.problem(
            (*path, "when"), f"a rule about the profile reads {', '.join(wrong)}", "List the interaction under on: instead of profile."
        )
    if rule.unknown is UnknownPolicy.FAIL:
        yield source.problem((*path, "unknown"), "an interaction cannot be refused for what is not known", "Use skip, false or true.")


def _variable_of(name: str) -> str:
    plain = name.removeprefix("known.")
    return next((variable for variable in VOCABULARY.variables if plain == variable or plain.startswith(f"{variable}.")), plain)


@dataclass(frozen=True)
class RulebookJudge:
    """A compiled rulebook as the judge (`judging.Judge`) of what is recorded."""

    rulebook: Rulebook[Points]

    @property
    def version(self) -> int:
        return self.rulebook.version

    @cached_property
    def label(self) -> str:
        return self.rulebook.label

    @cached_property
    def grid(self) -> Grid:
        section = self.rulebook.sections["grid"]
        assert isinstance(section, GridSection)
        return section.grid()

    @cached_property
    def _rules(self) -> Mapping[str, Rule[Points]]:
        return {rule.name: rule for rule in self.rulebook.rules}

    @cached_property
    def _listened_to(self) -> frozenset[str]:
        return frozenset(kind for rule in self.rulebook.rules for kind in rule.on)

    @cached_property
    def _given(self) -> Answers[tuple[Award, ...]]:
        return Answers(_MOST_GIVEN)

    def engagement(self, interaction: Interaction) -> tuple[Award, ...]:
        """Pages and campaigns repeat, and what they are worth follows from what the rules ask of them."""
        if interaction.kind not in self._listened_to:
            return ()
        kind, name, facts = interaction.kind.value, interaction.name, interaction_facts(interaction)
        return self._given.of(self.rulebook.question(kind, name, facts), lambda: self._awards(kind, name, facts))

    def _awards(self, kind: str, name: str | None, facts: Mapping[str, Any]) -> tuple[Award, ...]:
        return tuple(_award(match) for match in self.rulebook.evaluate(kind, name, facts).matched)

    def fit(self, attributes: Attributes) -> tuple[Award, ...]:
        return self._awards(PROFILE, None, profile_facts(attributes))

    def farewell(self, rule: str, attributes: Attributes) -> tuple[JsonObject, str]:
        known = self._rules.get(rule)
        if known is None:
            return {}, f"The rule {rule} is not part of {self.label}."
        facts = profile_facts(attributes)
        inputs = {name: value for name in known.reads if (value := facts.get(name)) is not None}
        return quoted(inputs), _sentence(f"No longer so: {tell(known.reason, inputs, known.effect)}")


def judge_example(rulebook: Rulebook[Points], example: Example, evaluation: Evaluation[Points]) -> Mapping[str, Any]:
    """What an example may expect beside its rules: `points`, and the letter or digit of the grid that these alone reach."""
    points = sum((match.rule.effect.points for match in evaluation.matched), Decimal(0))
    cell = RulebookJudge(rulebook).grid.cell(to_e4(points), to_e4(points))
    return {"points": points, "reaches": cell[0] if example.on == PROFILE else cell[1]}


def _award(match: Match[Points]) -> Award:
    effect = match.rule.effect
    half_life = None if effect.half_life_days is None else half_life_of(effect.half_life_days)
    return Award(match.rule.name, to_e4(effect.points), half_life, quoted(match.inputs), _sentence(sentence_of(match)))


def _sentence(text: str) -> str:
    return shortened(text.replace("\0", ""))  # PostgreSQL cannot keep a NUL
