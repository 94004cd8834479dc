"""`matches()` without compiling the pattern each time.

The CEL runtime compiles an RE2 pattern anew at every call (3-40 microseconds). Patterns that mean the same to
Python's `re`, and that cannot make it backtrack for long, are compiled once and run there, on short printable
ASCII texts; everything else is left to RE2.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from math import prod

from cel_expr_python import cel

_LONGEST_TEXT = 256  # characters; with one open repetition `re` may need the square of it in steps
_MOST_WAYS = 1_000  # products of alternatives, each of which `re` may have to try at each place
_MOST_WAYS_REPEATED = 100  # the same beside an open repetition

_ATOM = r"[A-Za-z0-9 _/,;:=@#%&~\"'<>!-]|\\[./\\+*?()\[\]{}|^$-]|\\[bBdDwWsS]|[.^$]"
_CLASS = r"\[\^?(?:[A-Za-z0-9 _/,.:;@#%&]|[A-Za-z0-9]-[A-Za-z0-9]|\\[./\\+*?()\[\]{}|^$dws-])+-?\]"
_TOKEN = re.compile(
    rf"(?P<atom>(?:{_ATOM}|{_CLASS}))(?P<repeat>[*+?]\??)?|(?P<open>\((?:\?:)?)|(?P<close>\)(?P<maybe>\?)?)|(?P<bar>\|)"
)
_IGNORE_CASE = "(?i)"

Matcher = Callable[[str], object]


@lru_cache(maxsize=4_096)
def quick_matcher(pattern: str) -> Matcher | None:
    """A search for `pattern` with Python's `re`; None if it might mean something else there or take long."""
    body = pattern.removeprefix(_IGNORE_CASE)
    if not _is_tame(body):
        return None
    flags = re.ASCII | (re.IGNORECASE if body != pattern else 0)
    try:
        return re.compile(body, flags).search
    except re.error:
        return None


def is_plain(text: str) -> bool:
    """Whether `re` and RE2 agree on what the characters of `text` are: no line ends, no letters with a case of their
    own beyond ASCII.
    """
    return len(text) <= _LONGEST_TEXT and text.isascii() and text.isprintable()


def _is_tame(body: str) -> bool:
    """Only atoms that mean the same to both; repetition of single characters only, and no more than one without an
    upper bound.
    """
    place = open_repetitions = optional = 0
    groups = [1]  # alternatives of the groups being read, the outermost first
    ways = []
    while place < len(body):
        token = _TOKEN.match(body, place)
        if token is None:
            return False
        place = token.end()
        repeat = token["repeat"] or ""
        open_repetitions += repeat[:1] in ("*", "+") if repeat else 0
        optional += repeat[:1] == "?" or bool(token["maybe"])
        if repeat and (token["atom"] in ("^", "$") or token["atom"][1:] in ("b", "B")):
            return False
        if token["open"]:
            groups.append(1)
        elif token["bar"]:
            groups[-1] += 1
        elif token["close"]:
            if len(groups) == 1:
                return False
            ways.append(groups.pop())
    most = _MOST_WAYS_REPEATED if open_repetitions else _MOST_WAYS
    return len(groups) == 1 and open_repetitions <= 1 and prod(ways) * groups[0] * 2**optional <= most


_RE2 = cel.NewEnv(variables={"t": cel.Type.STRING, "p": cel.Type.STRING}).compile("t.matches(p)")


def matches(text: str, pattern: str) -> bool:
    search = quick_matcher(pattern) if is_plain(text) else None
    if search is not None:
        return search(text) is not None
    found = _RE2.eval(data={"t": text, "p": pattern}).value()
    if not isinstance(found, bool):
        raise ValueError(str(found))  # becomes an error value of the expression
    return found
