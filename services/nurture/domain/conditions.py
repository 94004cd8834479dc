"""The `when:` of a treatment: one condition in the words of rulebooks, compiled by the same compiler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from people_kernel.cards import CARD_VARIABLES
from rulebook.compile import Rulebook, compile_rulebook
from rulebook.document import Body, Document
from rulebook.evaluate import UnknownPolicy
from rulebook.source import Path, Source, Spot
from rulebook.vocabulary import STRING, Vocabulary, one_of
from services.nurture.domain.stages import BuyingStage

_KIND = "person"
VOCABULARY = Vocabulary(variables={**CARD_VARIABLES, "stage.name": STRING, "buying.stage": one_of(*BuyingStage)}, kinds=[_KIND])
"""What a condition may speak of."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds. `inputs`: the facts it read; `why`: in words, when it does not hold."""

    holds: bool
    inputs: Mapping[str, Any]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition."""

    text: str
    _book: Rulebook[_Nothing]

    def weigh(self, facts: Mapping[str, Any]) -> Verdict:
        """Does it hold, given what is known?"""
        evaluation = self._book.evaluate(_KIND, None, facts)
        for match in evaluation.matched:
            return Verdict(True, match.inputs)
        for undecided in evaluation.unknown:
            return Verdict(False, {}, f"it cannot be said whether {self.text}: {undecided.why}")
        why = evaluation.rejected[0].why
        return Verdict(False, {}, f"it does not hold that {self.text}" + (f" ({why})" if "counts as a no" in why else ""))


def compile_condition(text: str, unknown: UnknownPolicy) -> Condition:
    """Raises RulebookError with every mistake; line and column are counted in `text`."""
    rule = {"name": "condition", "on": [_KIND], "when": text, "effect": {}, "unknown": unknown.value, "reason": "It holds."}
    body = Body.model_validate({"name": "treatment", "title": "When a treatment fits", "rules": [rule]})
    return Condition(text, compile_rulebook(Document(body, _Expression(text, {"when": text})), VOCABULARY, _Nothing))


class _Nothing(BaseModel):
    """A condition brings nothing about by itself."""


class _Expression(Source):
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
