"""What is wrong with a rulebook, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class TextProblem:
    """One mistake in a rulebook's text. `line` and `column` count from 1; `path` is e.g. `rules[2].when`."""

    line: int
    column: int
    path: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"line {self.line}, column {self.column}, {self.path}: {self.message}.{remedy}"


class RulebookError(ValueError):
    """A rulebook that cannot be used, with all that is wrong with it, in the order of the text."""

    def __init__(self, problems: Iterable[TextProblem]) -> None:
        self.problems: tuple[TextProblem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A remedy that names the known word nearest to `word`, or the first few of them."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]}?"
    listed = ", ".join(sorted(known)[:12])
    return f"Known are: {listed}{', ...' if len(known) > 12 else ''}." if known else "None are known here."
