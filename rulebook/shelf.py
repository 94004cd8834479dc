"""All versions of one rulebook, as a value: a version is never changed, and one at most is active."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Generic

from rulebook.compile import Rulebook
from rulebook.document import read_document
from rulebook.evaluate import Effect
from rulebook.problems import Problem, RulebookError

Compile = Callable[[str, int], Rulebook[Effect]]
"""Text and version -> compiled rulebook; usually a partial of `compile_rulebook` with the service's vocabulary and models."""


class State(StrEnum):
    """How far a version has come. Tested, simulated, approved and retired will stand between and after these."""

    DRAFT = "draft"
    ACTIVE = "active"


class IllegalTransition(ValueError):
    """A version that cannot go where it was sent."""


class VersionNotFound(LookupError):
    """A version that the shelf does not have."""


@dataclass(frozen=True)
class Edition(Generic[Effect]):
    """One version: its text for ever, compiled, and its state."""

    text: str
    rulebook: Rulebook[Effect]
    state: State = State.DRAFT

    @property
    def version(self) -> int:
        return self.rulebook.version


@dataclass(frozen=True)
class Shelf(Generic[Effect]):
    """The versions of one service's rulebook, 1, 2, 3, ... Every change gives a new shelf."""

    compile: Compile[Effect] = field(repr=False, compare=False)
    editions: tuple[Edition[Effect], ...] = ()

    @classmethod
    def restore(cls, compile_text: Compile[Effect], rows: Iterable[tuple[int, str, str]]) -> Shelf[Effect]:
        """The shelf that (version, text, state) rows hold. Raises RulebookError, and ValueError if versions are missing or two are active."""
        ordered = sorted(rows)
        if [version for version, _, _ in ordered] != list(range(1, len(ordered) + 1)):
            raise ValueError("the versions of a shelf are 1, 2, 3, ... without gaps")
        if sum(state == State.ACTIVE for _, _, state in ordered) > 1:
            raise ValueError("only one version can be active")
        return cls(compile_text, tuple(Edition(text, compile_text(text, version), State(state)) for version, text, state in ordered))

    @property
    def latest(self) -> int:
        """The highest version there is; 0 on an empty shelf."""
        return len(self.editions)

    @property
    def active(self) -> Edition[Effect] | None:
        """The edition that decides."""
        return next((edition for edition in self.editions if edition.state is State.ACTIVE), None)

    def get(self, version: int) -> Edition[Effect]:
        """The edition of a version. Raises VersionNotFound."""
        if not 1 <= version <= self.latest:
            raise VersionNotFound(f"there is no version {version}")
        return self.editions[version - 1]

    def find(self, text: str) -> Edition[Effect] | None:
        """The edition with the same content, whatever its layout. Raises RulebookError if `text` is no rulebook at all."""
        digest = read_document(text).digest
        return next((edition for edition in self.editions if edition.rulebook.digest == digest), None)

    def add_draft(self, text: str) -> Shelf[Effect]:
        """A shelf with `text` as the next version; the same shelf if a version has this content already. Raises RulebookError."""
        if self.find(text) is not None:
            return self
        rulebook = self.compile(text, self.latest + 1)
        if self.editions and rulebook.name != self.editions[0].rulebook.name:
            raise RulebookError([Problem(1, 1, "name", f"this shelf holds {self.editions[0].rulebook.name}, not {rulebook.name}", "Keep the name.")])
        return replace(self, editions=(*self.editions, Edition(text, rulebook)))

    def activate(self, version: int) -> Shelf[Effect]:
        """A shelf on which `version` decides and the one that did is a draft again. Raises VersionNotFound, IllegalTransition."""
        if self.get(version).state is State.ACTIVE:
            raise IllegalTransition(f"version {version} is active already")
        states = {True: State.ACTIVE, False: State.DRAFT}
        return replace(self, editions=tuple(replace(edition, state=states[edition.version == version]) for edition in self.editions))
