"""A compiled rulebook at work: the rules of one kind of event weighed against the facts.

Which match, which do not and why, and what was not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from rulebook.document import Example
from rulebook.inputs import Activation, Band, CacheKey, Inputs, Key, assignments, bands_in, look_up
from rulebook.syntax import Read
from rulebook.vocabulary import KNOWN, FactType, UnknownPolicy, Vocabulary

Effect = TypeVar("Effect")


@dataclass(frozen=True)
class Rule(Generic[Effect]):
    """One compiled rule.

    `reads` are the facts its condition speaks of, as dotted names (`properties.plan` for an entry of a map).
    """

    name: str
    on: tuple[str, ...]
    named: tuple[str, ...]  # empty: any name
    when: str
    effect: Effect
    unknown: UnknownPolicy
    reason: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatchedRule(Generic[Effect]):
    """A rule that holds.

    `inputs`: the known facts that it reads or cites; `assumed`: facts not known that its policy took for a yes.
    """

    rule: Rule[Effect]
    inputs: Mapping[str, Any]
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejection(Generic[Effect]):
    """A rule that was weighed and does not hold."""

    rule: Rule[Effect]
    why: str


@dataclass(frozen=True, slots=True)
class Undecided(Generic[Effect]):
    """A rule of which nothing can be said, for want of `facts`."""

    rule: Rule[Effect]
    facts: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Evaluation(Generic[Effect]):
    """What the rules of one kind (and name) say, each list in the order of the rulebook."""

    matched: tuple[MatchedRule[Effect], ...]
    rejected: tuple[Rejection[Effect], ...]
    unknown: tuple[Undecided[Effect], ...]

    def refusals(self) -> list[tuple[str, str]]:
        """The rules that were weighed and do not match or cannot be decided, each with why."""
        return [
            *((no.rule.name, no.why) for no in self.rejected),
            *((maybe.rule.name, maybe.why) for maybe in self.unknown),
        ]


class FactsUnknown(ValueError):
    """A rule whose policy is `fail` met facts that are not known."""

    def __init__(self, rule: str, facts: tuple[str, ...], why: str) -> None:
        self.rule, self.facts = rule, facts
        super().__init__(f"rule {rule} cannot be decided: {why}")


@dataclass(frozen=True)
class CompiledCondition(Generic[Effect]):
    """A rule with its program.

    `reads` decide; `cites` are read by the rule or named in its reason, and become the inputs of its receipt. `numbers`
    are those that the condition names.
    """

    rule: Rule[Effect]
    program: Any
    reads: tuple[Read, ...]
    cites: tuple[tuple[str, Read], ...]
    rejection: Rejection[Effect]
    numbers: tuple[int | float, ...] = ()


@dataclass(frozen=True)
class EvaluationPlan(Generic[Effect]):
    """All that one kind (and name) of event needs: the conditions to weigh, each with the number of the inputs that it
    reads.
    """

    conditions: tuple[tuple[CompiledCondition[Effect], int], ...]
    inputs: tuple[Inputs, ...]
    activate: Callable[[Mapping[str, Any]], Any]
    types: Mapping[str, FactType]
    question: CacheKey
    numeric: tuple[str, ...] = ()  # of the facts that it reads those that may be bands


def weigh(plan: EvaluationPlan[Effect], facts: Mapping[str, Any]) -> Evaluation[Effect]:
    """Weigh a plan's conditions against the facts. Raises FactsUnknown where a rule's policy says so."""
    bands = bands_in(facts, plan.numeric, plan.types)
    given = {**facts, **{name: band.low for name, band in bands.items()}} if bands else facts
    activations = [Activation(one.feed(given), plan.activate) for one in plan.inputs]
    matched: list[MatchedRule[Effect]] = []
    rejected: list[Rejection[Effect]] = []
    unknown: list[Undecided[Effect]] = []
    for condition, number in plan.conditions:
        activation = activations[number]
        own = {read[0]: bands[read[0]] for read in condition.reads if read[0] in bands} if bands else {}
        verdict = _verdict_on_all(plan, condition, activation, own) if own else _verdict(condition, activation)
        fed = {**activation.fed, **_quoted(facts, bands)} if bands else activation.fed
        if verdict is True:
            matched.append(MatchedRule(condition.rule, _inputs(condition, fed)))
        elif verdict is False:
            rejected.append(_rejection(condition, own) if own else condition.rejection)
        else:
            undecided = _undecided(plan, condition, (facts, fed), str(verdict))
            _settle(undecided, condition, fed, (matched, rejected, unknown))
    return Evaluation(tuple(matched), tuple(rejected), tuple(unknown))


def _verdict(condition: CompiledCondition[Effect], activation: Activation) -> Any:
    """True, False, or the words of an error: a compiled condition gives nothing else."""
    try:
        return condition.program.eval(activation.for_cel()).value()
    except RuntimeError as error:
        return str(error)


def _verdict_on_all(
    plan: EvaluationPlan[Effect], condition: CompiledCondition[Effect], activation: Activation, own: Mapping[str, Band]
) -> Any:
    """True if the condition holds for every number of its bands, False if it does not for one."""
    error: str | None = None
    asked = assignments(own, condition.numbers)
    if asked is None:
        return "ranges: the condition names too many numbers to be decided for a range"
    known = activation.fed
    read = {variable: known[variable] for variable, *_ in condition.reads if variable in known}
    for numbers in asked:
        verdict = _verdict(condition, Activation({**read, **numbers}, plan.activate))
        if verdict is False:
            return False
        error = error if verdict is True else str(verdict)
    return True if error is None else error


def _quoted(facts: Mapping[str, Any], bands: Mapping[str, Band]) -> dict[str, Any]:
    """The bands as they were told: what a receipt quotes."""
    return {name: facts[name] for name in bands}


def _rejection(condition: CompiledCondition[Effect], own: Mapping[str, Band]) -> Rejection[Effect]:
    ranges = ", ".join(f"{name} {band.in_words()}" for name, band in own.items())
    return Rejection(condition.rule, f"its condition does not hold for all of {ranges}")


def _inputs(condition: CompiledCondition[Effect], fed: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {}
    for name, read in condition.cites:
        value = look_up(fed, read)
        if value is not None:
            inputs[name] = value
    return inputs


def _undecided(
    plan: EvaluationPlan[Effect],
    condition: CompiledCondition[Effect],
    facts: tuple[Mapping[str, Any], Mapping[str, Any]],
    error: str,
) -> Undecided[Effect]:
    given, fed = facts
    missing: list[str] = []
    whys: list[str] = []
    for read in condition.reads:
        if look_up(fed, read) is not None or read[0].startswith(f"{KNOWN}."):
            continue
        name, value = ".".join(read), look_up(given, read)
        missing.append(name)
        if value is None:
            whys.append(f"{name} is not known")
        else:
            expected = plan.types[read[0]].words if len(read) == 1 else "a value that rules can read"
            whys.append(f"{name} should be {expected} and is {type(value).__name__}")
    return Undecided(condition.rule, tuple(missing), ", ".join(whys) or error.partition(": ")[2] or error)


_Lists = tuple[list[MatchedRule[Effect]], list[Rejection[Effect]], list[Undecided[Effect]]]


def _settle(
    undecided: Undecided[Effect], condition: CompiledCondition[Effect], fed: Mapping[str, Any], lists: _Lists[Effect]
) -> None:
    matched, rejected, unknown = lists
    rule = undecided.rule
    match rule.unknown:
        case UnknownPolicy.SKIP:
            unknown.append(undecided)
        case UnknownPolicy.FALSE:
            rejected.append(Rejection(rule, f"{undecided.why}, which counts as a no"))
        case UnknownPolicy.TRUE:
            matched.append(MatchedRule(rule, _inputs(condition, fed), undecided.facts))
        case UnknownPolicy.FAIL:
            raise FactsUnknown(rule.name, undecided.facts, undecided.why)


class UnknownKind(ValueError):
    """An event of a kind that the vocabulary does not have."""


@dataclass(frozen=True)
class Rulebook(Generic[Effect]):
    """A compiled rulebook: immutable, safe to share between threads."""

    name: str
    version: int
    title: str
    digest: str  # SHA-256 of the canonical content, hexadecimal; version, comments and layout do not count
    rules: tuple[Rule[Effect], ...]
    sections: Mapping[str, BaseModel]
    examples: tuple[Example, ...]
    vocabulary: Vocabulary
    _plans: Mapping[tuple[str, str | None], EvaluationPlan[Effect]] = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        """How receipts name it: `scoring@1`."""
        return f"{self.name}@{self.version}"

    def evaluate(self, kind: str, name: str | None, facts: Mapping[str, Any]) -> Evaluation[Effect]:
        """Weigh the rules indexed under `kind` and `name`.

        Facts absent, None or misfit are unknown. Raises UnknownKind, FactsUnknown.
        """
        _, plan = self._plan(kind, name)
        return weigh(plan, facts)

    def question(self, kind: str, name: str | None, facts: Mapping[str, Any]) -> Key | None:
        """What `evaluate` would answer by: equal questions have equal answers.

        None: it is too long to be kept. Raises UnknownKind.
        """
        indexed, plan = self._plan(kind, name)
        asked = plan.question.key(facts)
        return None if asked is None else (indexed, asked)

    def _plan(self, kind: str, name: str | None) -> tuple[tuple[str, str | None], EvaluationPlan[Effect]]:
        for indexed in ((kind, name), (kind, None)):
            plan = self._plans.get(indexed)
            if plan is not None:
                return indexed, plan
        raise UnknownKind(f"{kind} is none of {', '.join(self.vocabulary.kinds)}")
