"""How a value stands in the files that others read: supervisord's configuration, and what a shell sources.

There is one writer for each. What a format cannot hold is refused: half of a value would be another value, and a line
break another line.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_COMMENT = re.compile(r"(^|\s)[;#]")  # after it supervisord reads no further
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ValueRefused(ValueError):
    """A value cannot be written as what it is. The text names it, and does not quote it."""


def supervisor_line(name: str, value: str) -> str:
    """`name=value` in a section of supervisord's configuration. Raises ValueRefused."""
    _refuse_controls(name, value)
    if _COMMENT.search(value) or value != value.strip():
        raise ValueRefused(f"{name} has a sign after a space that begins a comment, or a space at its end")
    return f"{name}={value.replace('%', '%%')}"  # supervisord expands %(name)s


def supervisor_environment(variables: Mapping[str, str]) -> str:
    """The line that says which variables a program has. Raises ValueRefused."""
    return supervisor_line("environment", ",".join(f"{name}={_quoted(name, text)}" for name, text in variables.items()))


def shell_file(variables: Mapping[str, str]) -> str:
    """Variables for a shell to source: each value is one word, whatever is in it. Raises ValueRefused."""
    for name, value in variables.items():
        _refuse_controls(name, value)
    return "".join(f"{_checked(name)}={shlex.quote(value)}\n" for name, value in variables.items())


def read_shell_file(text: str) -> dict[str, str]:
    """What `shell_file` wrote; other lines are passed over."""
    known = {}
    for line in text.split("\n"):
        name, sign, rest = line.partition("=")
        if not sign or not _VARIABLE.fullmatch(name):
            continue
        try:
            known[name] = "".join(shlex.split(rest))
        except ValueError:  # a quotation mark that nothing ends
            continue
    return known


def _quoted(name: str, value: str) -> str:
    _refuse_controls(_checked(name), value)
    # supervisord takes quotation marks of both kinds away at both ends, and knows no escape
    if value.strip("\"'") != value or ('"' in value and "'" in value):
        raise ValueRefused(f"{name} has quotation marks that supervisord would take away")
    mark = "'" if '"' in value else '"'
    return f"{mark}{value}{mark}"


def _checked(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueRefused("a variable's name has letters, digits and _ alone")
    return name


def _refuse_controls(name: str, value: str) -> None:
    if _CONTROL.search(value):
        raise ValueRefused(f"{name} has a line break or another control character in it")
