"""Aligned columns and wrapped texts."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Collection, Sequence

from demo.screen import WIDTH

Row = Sequence[str]


def heading(text: str) -> str:
    """A title with a line below it."""
    return f"\n{text}\n{'-' * width(text)}"


def table(titles: Row, rows: Sequence[Row], left: Collection[int] = (0,)) -> str:
    """The columns of `left` to the left, the others, which are figures, to the right."""
    columns = list(zip(titles, *rows, strict=True))
    widths = [max(map(width, column)) for column in columns]
    return "\n".join(
        "  ".join(_cell(text, widths[place], place in left) for place, text in enumerate(row)).rstrip()
        for row in (titles, *rows)
    )


def labelled(pairs: Sequence[tuple[str, str]], indent: int = 2, *, repeats: bool = False) -> str:
    """Labels, and texts wrapped beside them; a label that comes again is shown again if it `repeats`."""
    room = max(width(label) for label, _ in pairs) + 3
    lines, last = [], None
    for label, text in pairs:
        shown = label if repeats or label != last else ""
        parts = textwrap.wrap(text, WIDTH - indent - room, break_on_hyphens=False) or [""]
        lines += [
            f"{' ' * indent}{_cell(shown if place == 0 else '', room, True)}{part}" for place, part in enumerate(parts)
        ]
        last = label
    return "\n".join(lines)


def wrapped(text: str, indent: int = 0) -> str:
    """A text on as many lines as it needs."""
    return textwrap.fill(
        text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent, break_on_hyphens=False
    )


def shortened(text: str, most: int) -> str:
    """At most so many columns."""
    while width(text) > most:
        text = text[:-2].rstrip() + "…"
    return text


def width(text: str) -> int:
    """How many columns a terminal takes for it: wide scripts take two a letter, marks above letters none."""
    return sum(
        0 if unicodedata.combining(mark) else 2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text
    )


def _cell(text: str, room: int, is_left: bool) -> str:
    gap = " " * (room - width(text))
    return text + gap if is_left else gap + text
