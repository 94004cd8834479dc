"""The scoring rulebook: what its rules may speak of, a compiled one as the domain's `Judge`, and which one decides.

Engagement rules speak of the interaction, fit rules of the profile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis.context import Context
from contracts.campaigns import CampaignTag
from contracts.events.scoring import RulebookActivated
from contracts.texts import quoted, shortened
from contracts.values import Interaction, InteractionKind, JsonObject
from people_kernel.profile import PROFILE_VARIABLES, Attributes, profile_facts
from people_kernel.rulebook_registry import RulebookRegistry
from rulebook.caps import Cap, limit_of
from rulebook.compile import compile_rulebook
from rulebook.document import Document, Example, survey_document
from rulebook.evaluate import Evaluation, MatchedRule, Rule, Rulebook
from rulebook.examples import assert_examples_pass
from rulebook.inputs import AnswerCache
from rulebook.problems import RulebookError, TextProblem
from rulebook.receipts import sentence_of, tell
from rulebook.vocabulary import MAP, STRING, UnknownPolicy, Vocabulary, one_of
from services.scoring.domain.receipts import Award, Grid, Judges, half_life_of, to_e4
from services.scoring.store.tables import RULEBOOK

NAME = "scoring"
PROFILE = "profile"
"""The kind that fit rules listen to: a profile that changed."""

_MOST_GIVEN = 1_024  # different interactions whose awards are kept: some 5 MB at the very most
_CAMPAIGN = {f"campaign.{part}": part for part in ("name", "source", "medium", "term", "content")}
_INTERACTION_VARIABLES = {
    "interaction.kind": one_of(*InteractionKind),
    "interaction.name": STRING,
    "interaction.source": one_of("web", "server"),
    **dict.fromkeys(("page.path", "page.url", "page.title", "page.referrer", *_CAMPAIGN), STRING),
    "properties": MAP,
}
OF_PROFILE = frozenset(PROFILE_VARIABLES)
VOCABULARY = Vocabulary(variables={**_INTERACTION_VARIABLES, **PROFILE_VARIABLES}, kinds=[*InteractionKind, PROFILE])


class Points(BaseModel):
    """What a rule gives: points, for good (fit) or halving every `half_life_days` (engagement); `cap`: how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: Annotated[Decimal, Field(ge=-1000, le=1000, decimal_places=4)]
    half_life_days: Annotated[Decimal, Field(ge=1, le=3650, decimal_places=4)] | None = None
    cap: Cap | None = None


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
        return Grid(
            (to_e4(fit.C), to_e4(fit.B), to_e4(fit.A)),
            (to_e4(engagement.three), to_e4(engagement.two), to_e4(engagement.one)),
        )


def compile_scoring(text: str, version: int | None = None) -> Rulebook[Points]:
    """Compile a scoring rulebook. Raises RulebookError with every problem, each with its line and column."""
    document = survey_document(text)
    rulebook = compile_rulebook(document, VOCABULARY, Points, {"grid": GridSection}, version)
    problems = [problem for index, rule in enumerate(rulebook.rules) for problem in _misplaced(document, index, rule)]
    if problems:
        raise RulebookError(problems)
    return rulebook


def _misplaced(document: Document, index: int, rule: Rule[Points]) -> Iterator[TextProblem]:
    """What is typed well and still means nothing: a fit rule that fades, an engagement rule that asks who it is."""
    path, source = ("rules", index), document.source
    of_profile = PROFILE in rule.on
    if of_profile and len(rule.on) > 1:
        yield source.problem(
            (*path, "on"), "a rule is about the profile or about interactions, not both", "Write two rules."
        )
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
            (*path, "when"),
            f"a rule about the profile reads {', '.join(wrong)}",
            "List the interaction under on: instead of profile.",
        )
    if rule.unknown is UnknownPolicy.FAIL:
        yield source.problem(
            (*path, "unknown"), "an interaction cannot be refused for what is not known", "Use skip, false or true."
        )
    yield from _miscounted(document, index, rule)


def _miscounted(document: Document, index: int, rule: Rule[Points]) -> Iterator[TextProblem]:
    """A cap where nothing is counted, or that counts by who it is."""
    cap, path = rule.effect.cap, ("rules", index, "effect", "cap")
    if cap is not None and PROFILE in rule.on:
        yield document.source.problem(path, "fit is not counted", "Leave out cap: it holds once anyway.")
    elif cap is not None and cap.per is not None and _variable_of(cap.per) in OF_PROFILE:
        remedy = "What an interaction is worth may not depend on who did it; name a fact of the interaction."
        yield document.source.problem((*path, "per"), f"a cap cannot count by {cap.per}", remedy)


def _variable_of(name: str) -> str:
    plain = name.removeprefix("known.")
    return next(
        (variable for variable in VOCABULARY.variables if plain == variable or plain.startswith(f"{variable}.")), plain
    )


@dataclass(frozen=True)
class RulebookJudge:
    """A compiled rulebook as the judge (`domain.receipts.Judge`) of what is recorded."""

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
    def _given(self) -> AnswerCache[tuple[Award, ...]]:
        return AnswerCache(_MOST_GIVEN)

    def engagement(self, interaction: Interaction, campaign: CampaignTag | None = None) -> tuple[Award, ...]:
        """Pages and campaigns repeat, and what they are worth follows from what the rules ask of them."""
        if interaction.kind not in self._listened_to:
            return ()
        kind, name, facts = interaction.kind.value, interaction.name, interaction_facts(interaction, campaign)
        return self._given.of(self.rulebook.question(kind, name, facts), lambda: self._awards(kind, name, facts))

    def _awards(self, kind: str, name: str | None, facts: Mapping[str, Any]) -> tuple[Award, ...]:
        return tuple(_award(match) for match in self.rulebook.evaluate(kind, name, facts).matched)

    def fit(self, attributes: Attributes) -> tuple[Award, ...]:
        return self._awards(PROFILE, None, profile_facts(attributes))

    def withdrawal(self, rule: str, attributes: Attributes) -> tuple[JsonObject, str]:
        known = self._rules.get(rule)
        if known is None:
            return {}, f"The rule {rule} is not part of {self.label}."
        facts = profile_facts(attributes)
        inputs = {name: value for name in known.reads if (value := facts.get(name)) is not None}
        return quoted(inputs), _sentence(f"No longer so: {tell(known.reason, inputs, known.effect)}")


def judge_example(rulebook: Rulebook[Points], example: Example, evaluation: Evaluation[Points]) -> Mapping[str, Any]:
    """What an example may expect beside its rules: `points`, and the part of the cell that these alone reach."""
    points = sum((match.rule.effect.points for match in evaluation.matched), Decimal(0))
    cell = RulebookJudge(rulebook).grid.cell(to_e4(points), to_e4(points))
    return {"points": points, "reaches": cell[0] if example.on == PROFILE else cell[1]}


def _award(match: MatchedRule[Points]) -> Award:
    rule, effect = match.rule.name, match.rule.effect
    half_life = None if effect.half_life_days is None else half_life_of(effect.half_life_days)
    limit = None if effect.cap is None else limit_of(rule, effect.cap, match.inputs)
    return Award(rule, to_e4(effect.points), half_life, quoted(match.inputs), _sentence(sentence_of(match)), limit)


def _sentence(text: str) -> str:
    return shortened(text.replace("\0", ""))  # PostgreSQL cannot keep a NUL


def interaction_facts(interaction: Interaction, campaign: CampaignTag | None = None) -> dict[str, Any]:
    """What engagement rules can know; of the campaign what identity recognized, folded in case."""
    page = page_of(interaction)
    url = page.get("url")
    facts: dict[str, Any] = {
        "interaction.kind": interaction.kind.value,
        "interaction.name": interaction.name,
        "interaction.source": interaction.source_kind.value,
        "page.path": page.get("path") or _path_of(url),
        "page.url": url,
        "page.title": page.get("title"),
        "page.referrer": page.get("referrer"),
        "properties": interaction.properties,
    }
    for fact, part in _CAMPAIGN.items():
        facts[fact] = None if campaign is None else getattr(campaign, part)
    return facts


def page_of(interaction: Interaction) -> dict[str, Any]:
    """The page that it happened on. A page call describes it itself; other calls carry it in their context."""
    return {
        **_mapping(interaction.context.get("page")),
        **(interaction.properties if interaction.kind is InteractionKind.PAGE else {}),
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _path_of(url: Any) -> str | None:
    try:
        return urlsplit(url).path or None if isinstance(url, str) else None
    except ValueError:  # a bracket that is no IPv6 address
        return None


REGISTRY = RulebookRegistry(
    name=NAME,
    table=RULEBOOK,
    default=Path(__file__).parent / "default.yaml",
    compile=compile_scoring,
    check=lambda compiled: assert_examples_pass(compiled, judge_example),
    judge=RulebookJudge,
    activated=RulebookActivated,
)


async def judges_of(context: Context) -> Judges:
    """All versions, and the one that decides in this transaction."""
    versions = await REGISTRY.versions(context)
    return Judges(versions.by_version, versions.active)
