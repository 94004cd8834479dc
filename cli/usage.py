"""The command line as a whole: --json wherever it stands, and what is not understood told as --json asked.

A program that calls us reads one document on standard output, also when it called us wrongly.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from cli.output import Exit, tell

_JSON = "--json"
_META = "rapport.as_json"
_HELP = "`{} --help` says what it takes."


class RapportGroup(TyperGroup):
    """All commands; each takes --json, before or behind its words."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """As it is, with --json where the command looks for it."""
        as_json = _is_asked(args)
        ordered = _at_the_end(args) if as_json else args
        try:
            context = super().make_context(info_name, ordered, parent, **extra)
        except Exception as error:
            _told(error, as_json=as_json, path=info_name or "rapport")
            raise
        context.meta[_META] = as_json
        return context

    def invoke(self, ctx: Any) -> Any:
        """The command; a wrong call of it, and what breaks in it, is told in the form that was asked for."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            _told(error, as_json=ctx.meta[_META], path=ctx.command_path)
            raise


def _told(error: Exception, *, as_json: bool, path: str) -> None:
    """End with the answer where it was to be JSON; without --json it is told as ever."""
    if not as_json or isinstance(error, typer.Exit | typer.Abort):
        return
    code: int = getattr(error, "exit_code", Exit.FAILED)
    if (in_words := getattr(error, "format_message", None)) is not None:  # how the command line complains
        reason = str(in_words())
        remedy = _HELP.format(getattr(getattr(error, "ctx", None), "command_path", path))
    else:  # a mistake of ours: the place of it is for whoever mends it
        traceback.print_exception(error, file=sys.stderr)
        reason = f"it broke: {type(error).__name__}: {error}"
        remedy = "Please report it, with what stands on standard error."
    tell({"error": " ".join(reason.split()), "remedy": remedy}, str, as_json=True)
    raise typer.Exit(code) from None


def _is_asked(args: Sequence[str]) -> bool:
    return _JSON in _words(args)


def _at_the_end(args: Sequence[str]) -> list[str]:
    words = _words(args)
    return [*(word for word in words if word != _JSON), _JSON, *args[len(words) :]]


def _words(args: Sequence[str]) -> Sequence[str]:
    """Those before a --, behind which nothing is an option."""
    return args[: args.index("--")] if "--" in args else args
