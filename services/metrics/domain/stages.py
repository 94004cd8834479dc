"""The order of the stages, as far as reports need it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LINE = ("anonymous", "known", "engaged", "mql", "sal", "sql", "opportunity", "customer")
ASIDE = ("recycled", "lost", "disqualified")

MILESTONES = {"leads": "known", "mqls": "mql", "sals": "sal", "sqls": "sql", "customers": "customer"}
"""What the campaign report counts -> the stage that makes one."""


@dataclass(frozen=True, slots=True)
class Process:
    """`line` leads from the first visit to the sale; `aside` are the stages that people leave it for."""

    line: tuple[str, ...] = LINE
    aside: tuple[str, ...] = ASIDE

    def arranged(self, seen: Iterable[str]) -> tuple[str, ...]:
        """The stages in the order of reports: the line, those aside, and what else was `seen`."""
        return (*self.line, *self.aside, *self.strangers(seen))

    def strangers(self, seen: Iterable[str]) -> tuple[str, ...]:
        """Those of `seen` that the process does not name."""
        return tuple(sorted(set(seen) - {*self.line, *self.aside}))

    def rank(self, stage: str) -> int:
        """The place on the line, from 0. Raises ValueError for a stage that is not on it."""
        return self.line.index(stage)
