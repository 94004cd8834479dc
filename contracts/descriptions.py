"""Descriptions in published documents: how their source was cut into lines is nobody's business."""

from __future__ import annotations

import re
from typing import Any

_SET_APART = re.compile(r"\s|[-*|>]\s|\d+[.)]\s|```")  # lists, tables, code: there a line is a line


def unwrapped(node: Any) -> Any:
    """A document with the lines of each paragraph of its descriptions and summaries joined."""
    if isinstance(node, list):
        return [unwrapped(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: joined(value) if key in ("description", "summary") and isinstance(value, str) else unwrapped(value)
        for key, value in node.items()
    }


def joined(text: str) -> str:
    """The text with the lines of each paragraph joined."""
    return "\n\n".join(_joined_paragraph(paragraph) for paragraph in text.split("\n\n"))


def _joined_paragraph(paragraph: str) -> str:
    lines = paragraph.split("\n")
    return paragraph if any(_SET_APART.match(line) for line in lines) else " ".join(lines)
