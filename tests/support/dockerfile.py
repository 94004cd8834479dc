"""The Dockerfile, read: its stages and their instructions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "Dockerfile"


@dataclass(frozen=True)
class Stage:
    """From one FROM to the next."""

    name: str
    image: str
    lines: tuple[tuple[str, str], ...]  # instruction, the rest

    def values(self, instruction: str) -> list[str]:
        return [rest for word, rest in self.lines if word == instruction]

    def pairs(self, instruction: str) -> dict[str, str]:
        """NAME=value of ENV, LABEL and ARG."""
        found = re.findall(r'([\w.]+)=("[^"]*"|\S*)', " ".join(self.values(instruction)))
        return {name: value.strip('"') for name, value in found}

    def words(self, instruction: str) -> list[str]:
        """The words of the last such instruction, in its JSON form; of HEALTHCHECK those of its command."""
        return [str(word) for word in json.loads(re.sub(r"^.*?CMD (?=\[)", "", self.values(instruction)[-1]))]


def read_stages(text: str | None = None) -> dict[str, Stage]:
    """Stage name -> stage; what stands before the first FROM is the stage with no name."""
    stages: dict[str, Stage] = {"": Stage("", "", ())}
    last = ""
    for word, rest in _instructions(FILE.read_text() if text is None else text):
        if word == "FROM":
            image, _, last = rest.partition(" AS ")
            stages[last] = Stage(last, image, ())
        else:
            stage = stages[last]
            stages[last] = Stage(stage.name, stage.image, (*stage.lines, (word, rest)))
    return stages


def line_of(stage: Stage, stages: dict[str, Stage]) -> list[Stage]:
    """The stage and those it stands on, the last first."""
    found = [stage]
    while found[-1].image in stages:
        found.append(stages[found[-1].image])
    return found


def _instructions(text: str) -> list[tuple[str, str]]:
    whole = re.sub(r"\\\n\s*", "", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    lines = [line.strip() for line in whole.splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]
