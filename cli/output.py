"""What a command says: words for people, or one JSON document with --json; and how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, Any, NoReturn

import typer

from chassis.terminal import printable

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for programs.")]


class Exit(IntEnum):
    """How a command ends."""

    FINE = 0
    FAILED = 1
    MISUSED = 2


def tell(answer: Any, words: Callable[[Any], str], *, as_json: bool) -> None:
    """Say `answer`: as JSON, or in the `words` for it. What others wrote is shown and moves no cursor."""
    text = json.dumps(answer, indent=2, default=str).replace("\x7f", "\\u007f") if as_json else shown(words(answer))
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


def shown(text: str) -> str:
    """`text` for a terminal, line by line."""
    return printable(text, kept="\n")


def fail(reason: str, remedy: str = "", *, as_json: bool = False, code: Exit = Exit.FAILED) -> NoReturn:
    """End with what went wrong and what to do about it. JSON goes to standard output, words to standard error."""
    if as_json:
        tell({"error": reason, "remedy": remedy}, str, as_json=True)
    else:
        # a line that somebody else wrote begins further in: it is none of ours
        sys.stderr.write(shown(f"rapport: {reason}".replace("\n", "\n  ") + (f"\n{remedy}\n" if remedy else "\n")))
    raise typer.Exit(code)
