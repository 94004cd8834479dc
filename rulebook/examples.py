"""A rulebook's own examples, run as tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rulebook.document import Example
from rulebook.evaluate import Effect, Evaluation, FactsUnknown, Rulebook

Judge = Callable[[Rulebook[Effect], Example, Evaluation[Effect]], Mapping[str, Any]]
"""What the service makes of an evaluation: its answers to the expectations beyond `rules`, e.g.
`{"points": Decimal("30"), "cell": "B2"}`.
"""


@dataclass(frozen=True)
class Failure:
    """An example that did not come out as expected. `what`: `rules`, or the service's expectation that was not met."""

    example: str
    what: str
    expected: Any
    got: Any
    why: str = ""

    def __str__(self) -> str:
        because = f" ({self.why})" if self.why else ""
        return (
            f"example {self.example!r}: {self.what} should be {_shown(self.expected)}, got {_shown(self.got)}{because}"
        )


class ExamplesFailed(ValueError):
    """A rulebook that contradicts its own examples, or has none."""

    def __init__(self, label: str, failures: list[Failure]) -> None:
        self.failures = tuple(failures)
        super().__init__(f"{label}: " + ("\n".join(map(str, failures)) or "has no examples; write at least one"))


def run_examples(rulebook: Rulebook[Effect], judge: Judge[Effect] | None = None) -> list[Failure]:
    """Every expectation that is not met, in the order of the examples."""
    return [failure for example in rulebook.examples for failure in _run(rulebook, example, judge)]


def assert_examples_pass(rulebook: Rulebook[Effect], judge: Judge[Effect] | None = None) -> None:
    """Raises ExamplesFailed unless there are examples and all of them pass: what must hold before a version is
    activated.
    """
    failures = run_examples(rulebook, judge)
    if failures or not rulebook.examples:
        raise ExamplesFailed(rulebook.label, failures)


def _run(rulebook: Rulebook[Effect], example: Example, judge: Judge[Effect] | None) -> Iterator[Failure]:
    try:
        evaluation = rulebook.evaluate(example.on, example.named, example.given)
    except FactsUnknown as error:
        yield Failure(example.name, "rules", sorted(example.expect.rules or ()), None, str(error))
        return
    if example.expect.rules is not None:
        expected, got = sorted(example.expect.rules), sorted(match.rule.name for match in evaluation.matched)
        if expected != got:
            yield Failure(example.name, "rules", expected, got, _why(expected, evaluation))
    answers = judge(rulebook, example, evaluation) if judge and example.expect.others else {}
    for what, wanted in example.expect.others.items():
        if what not in answers:
            yield Failure(example.name, what, wanted, None, f"nothing here answers for {what}")
        elif _plain(answers[what]) != _plain(wanted):
            yield Failure(example.name, what, wanted, answers[what])


def _why(expected: list[str], evaluation: Evaluation[Effect]) -> str:
    weighed = dict(evaluation.refusals()) | {yes.rule.name: "" for yes in evaluation.matched}
    reasons = ((name, weighed.get(name, "does not listen to this kind and name of event")) for name in expected)
    return "; ".join(f"{name}: {why}" for name, why in reasons if why)


def _plain(value: Any) -> Any:
    """Numbers by their value, whatever their type; lists as lists."""
    match value:
        case bool() | None:
            return value
        case int() | float() | Decimal():
            return Decimal(str(value))
        case list() | tuple():
            return [_plain(element) for element in value]
        case Mapping():
            return {key: _plain(entry) for key, entry in value.items()}
    return value


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return "nothing" if value is None else str(value)
