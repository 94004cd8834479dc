"""The process: stages in their order, the rules that lead from one to the next, and the clocks that run on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator, model_validator

from people_kernel.people import CARD_VARIABLES
from rulebook.evaluate import Evaluation, MatchedRule, Rule, Rulebook
from rulebook.problems import did_you_mean
from rulebook.receipts import alternatives
from rulebook.vocabulary import DOUBLE, INT, STRING, FactType, Vocabulary, one_of

NAME = "lifecycle"

CREATED = "created"  # somebody was seen for the first time
SCORED = "scored"  # scoring told something new, or the person has just moved on
REFERRAL_ACCEPTED = "referral_accepted"
REFERRAL_RETURNED = "referral_returned"
REFERRAL_EXHAUSTED = "referral_exhausted"  # every rep was asked and none answered
QUALIFIED = "qualified"
RECYCLED = "recycled"
DISQUALIFIED = "disqualified"
REOPENED = "reopened"
WOKEN = "woken"  # the moment came that was set when the person was recycled
OPPORTUNITY_OPENED = "opportunity_opened"
WON = "won"
LOST = "lost"

AUTOMATIC = frozenset({CREATED, SCORED})
"""Triggers that tell what is known; rules without `named:` listen to these."""
TOLD = (
    REFERRAL_ACCEPTED,
    REFERRAL_RETURNED,
    REFERRAL_EXHAUSTED,
    QUALIFIED,
    RECYCLED,
    DISQUALIFIED,
    REOPENED,
    WOKEN,
    OPPORTUNITY_OPENED,
    WON,
    LOST,
)
"""Triggers that tell what somebody did; only rules that name them listen."""
TRIGGERS = (CREATED, SCORED, *TOLD)
VERDICTS: Mapping[str, str] = {
    "qualify": QUALIFIED,
    "recycle": RECYCLED,
    "disqualify": DISQUALIFIED,
    "reopen": REOPENED,
}
"""What a human can say of a person -> the trigger it is."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why the rules are asked now.

    `facts` are what only this trigger knows, `noted` what its receipt keeps beside; `to` is a human's choice.
    """

    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    to: str | None = None
    noted: Mapping[str, Any] = field(default_factory=dict)


def vocabulary_of(stages: Sequence[str]) -> Vocabulary:
    """The words of a process with these stages; its kinds are the stages that a rule may leave."""
    stage = one_of(*stages)
    variables: dict[str, FactType] = {
        **CARD_VARIABLES,
        "stage.name": stage,
        "stage.days": DOUBLE,
        "since.points": DOUBLE,
        "referral.reason": STRING,
        "verdict.reason": STRING,
        "verdict.to": stage,
        "opportunity.others_open": INT,
    }
    return Vocabulary(variables=variables, kinds=stages)


StageName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=50)]
_Hours = Annotated[float, Field(gt=0, le=24 * 366)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _refuse_strangers(cls, value: Any) -> Any:
        # in a list the rulebook's own check does not know which keys there could be
        if isinstance(value, Mapping):
            for key in value:
                if key not in cls.model_fields:
                    raise ValueError(f"{key} is not known here. {did_you_mean(str(key), list(cls.model_fields))}")
        return value


class MoveTo(BaseModel):
    """What a rule brings about: the stage it leads to, and those that a human may choose in its place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: StageName
    choices: tuple[StageName, ...] = ()

    def leads_to(self) -> tuple[str, ...]:
        return (self.to, *self.choices)


class ProcessStage(_Part):
    """Where somebody can be. When people are merged, the one with the greatest `order` counts."""

    name: StageName
    title: Annotated[str, Field(min_length=1, max_length=100)]
    order: Annotated[int, Field(ge=0, le=1_000_000)]
    kind: Literal["open", "won", "lost", "parked"]


class ClockRule(_Part):
    """A clock that starts when `starts` is entered and is kept when one of `stops` is."""

    name: StageName
    starts: StageName
    stops: Annotated[tuple[StageName, ...], Field(min_length=1)]
    hours: _Hours
    remind_before_hours: _Hours | None = None

    @model_validator(mode="after")
    def _remind_in_time(self) -> ClockRule:
        if self.remind_before_hours is not None and self.remind_before_hours >= self.hours:
            raise ValueError(
                "the reminder would come before the clock starts; let remind_before_hours be less than hours"
            )
        return self

    @property
    def runs(self) -> timedelta:
        return timedelta(hours=self.hours)

    @property
    def reminds_before(self) -> timedelta | None:
        return None if self.remind_before_hours is None else timedelta(hours=self.remind_before_hours)


class StagesSection(RootModel[Annotated[tuple[ProcessStage, ...], Field(min_length=1, max_length=100)]]):
    """The section `stages:`. The first one is where everybody begins."""


class ClocksSection(RootModel[Annotated[tuple[ClockRule, ...], Field(max_length=20)]]):
    """The section `clocks:`; it may be left out."""

    @field_validator("root", mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        return () if value == {} else value


@dataclass(frozen=True, slots=True)
class StageChoice:
    """The rule that decided, the stage it leads to, and what became of the others."""

    to: str
    match: MatchedRule[MoveTo]
    rejected: tuple[str, ...]


@dataclass(frozen=True)
class LifecycleProcess:
    """A compiled rulebook as the judge of who moves where."""

    rulebook: Rulebook[MoveTo]

    @property
    def label(self) -> str:
        return self.rulebook.label

    @cached_property
    def stages(self) -> Mapping[str, ProcessStage]:
        section = self.rulebook.sections["stages"]
        assert isinstance(section, StagesSection)
        return {stage.name: stage for stage in section.root}

    @cached_property
    def clocks(self) -> tuple[ClockRule, ...]:
        section = self.rulebook.sections["clocks"]
        assert isinstance(section, ClocksSection)
        return section.root

    @property
    def first(self) -> str:
        """Where everybody begins."""
        return next(iter(self.stages))

    def order(self, stage: str) -> int:
        """How far a stage is; one that this version does not have any more is behind all others."""
        known = self.stages.get(stage)
        return -1 if known is None else known.order

    def is_won(self, stage: str | None) -> bool:
        return stage is not None and stage in self.stages and self.stages[stage].kind == "won"

    def choose(self, stage: str, trigger: str, facts: Mapping[str, Any], to: str | None = None) -> StageChoice | None:
        """The first rule in the order of the rulebook that lets somebody leave `stage`; `to` is a human's choice among
        those it offers.
        """
        if stage not in self.stages:
            return None  # a version without this stage came into force while somebody was in it
        evaluation = self.rulebook.evaluate(stage, trigger, facts)
        return choice_of(evaluation, trigger, to)

    def targets(self, trigger: str) -> frozenset[str]:
        """The stages that a trigger can lead to: whoever is there already need not go."""
        return frozenset(rule.effect.to for rule in self._listening(trigger))

    def offers(self, stage: str, trigger: str) -> tuple[str, ...]:
        """The stages that somebody may be led to from here by this trigger."""
        found = (to for rule in self._listening(trigger) if stage in rule.on for to in rule.effect.leads_to())
        return tuple(dict.fromkeys(found))

    def possible(self, stage: str | None) -> tuple[str, ...]:
        """The verdicts that humans may give on somebody in this stage."""
        return tuple(verb for verb, trigger in VERDICTS.items() if stage is not None and self.offers(stage, trigger))

    def leaves_from(self, trigger: str) -> tuple[str, ...]:
        """The stages that a trigger lets somebody leave, in the order of the process."""
        known = {stage for rule in self._listening(trigger) for stage in rule.on}
        return tuple(stage for stage in self.stages if stage in known)

    def started_by(self, stage: str) -> tuple[ClockRule, ...]:
        return tuple(clock for clock in self.clocks if clock.starts == stage)

    def _listening(self, trigger: str) -> Iterable[Rule[MoveTo]]:
        return (rule for rule in self.rulebook.rules if trigger in rule.named)


def choice_of(evaluation: Evaluation[MoveTo], trigger: str, to: str | None = None) -> StageChoice | None:
    """What an evaluation comes to: the first match that listens to `trigger` and offers `to`."""
    matches = [match for match in evaluation.matched if listens(match.rule, trigger)]
    fitting = [match for match in matches if to is None or to in match.rule.effect.leads_to()]
    if not fitting:
        return None
    chosen = fitting[0]
    target = to or chosen.rule.effect.to
    overruled = tuple(
        f"{match.rule.name}: holds too, and leads to {match.rule.effect.to}" for match in matches if match is not chosen
    )
    return StageChoice(target, chosen, (*overruled, *alternatives(evaluation)))


def listens(rule: Rule[MoveTo], trigger: str) -> bool:
    """Rules without `named:` listen to what is known, never to what somebody did."""
    return trigger in rule.named or (not rule.named and trigger in AUTOMATIC)
