"""Columns and sentences for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chassis.terminal import printable


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows under their head, each column as wide as it has to be, the last one as it is."""
    lines = [list(head), *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]).rstrip()
        for line in lines
    )


def _shown(cell: object) -> str:
    return "-" if cell is None or cell == "" else printable(str(cell))


def sentence(one: object) -> str:
    """A problem or note of a service: which part, what it says, what to do."""
    if not isinstance(one, Mapping):
        return printable(str(one))
    parts = [printable(str(one[key])) for key in ("field", "part", "reason", "says", "remedy") if one.get(key)]
    return ": ".join(parts) or printable(str(dict(one)))
