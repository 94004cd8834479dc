"""YAML read with the place of every key and value, so that a mistake anywhere, even inside an expression, can be
pointed at.

Scalars follow YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema): `on`, `no` and
`NO` are texts, `12:30` and `2026-01-01` too. Anchors, aliases, tags and repeated keys are refused: a
rulebook is read by people, from top to bottom.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from rulebook.problems import RulebookError, TextProblem

LONGEST_TEXT = 500_000  # characters; a rulebook is written by people
_DEEPEST = 40

Path = tuple[str | int, ...]
Spot = tuple[int, int]  # line and column, from 1

_ESCAPE_LENGTHS = {"x": 2, "u": 4, "U": 8}


class _Loader(yaml.SafeLoader):
    """PyYAML with the scalars of YAML 1.2 and without aliases."""

    yaml_implicit_resolvers = {}  # PyYAML's own follow YAML 1.1

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if self._depth > _DEEPEST:  # found while it is read: a thousand brackets take PyYAML seconds
            raise yaml.MarkedYAMLError(problem="this is nested too deeply", problem_mark=event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases (& and *) are not used in rulebooks", problem_mark=event.start_mark
            )
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _resolve(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


_resolve("bool", "true|True|TRUE|false|False|FALSE", "tTfF")
_resolve("null", "~|null|Null|NULL|", "~nN")
_Loader.yaml_implicit_resolvers.setdefault("", []).extend([("tag:yaml.org,2002:null", re.compile("^$"))])
_resolve("int", "[-+]?[0-9]+", "-+0123456789")
_resolve("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789")


@dataclass
class YamlText:
    """A text, the data it holds, and where each part of the data stands."""

    text: str
    data: Any = None
    _values: dict[Path, yaml.Node] = field(default_factory=dict)
    _keys: dict[Path, yaml.Node] = field(default_factory=dict)

    def spot(self, path: Path) -> Spot:
        """Where the value at `path` begins; where it does not exist, the nearest value around it."""
        return _spot_of(self._values[self.nearest(path)])

    def key_spot(self, path: Path) -> Spot:
        """Where the key that ends `path` begins."""
        return _spot_of(self._keys[path]) if path in self._keys else self.spot(path)

    def nearest(self, path: Path) -> Path:
        """The part of `path` that exists; steps that do not are left out (pydantic puts names of alternatives between
        them).
        """
        found: Path = ()
        for step in path:
            if (*found, step) in self._values:
                found = (*found, step)
        return found

    def spot_within(self, path: Path, offset: int) -> Spot:
        """Where the character `offset` of the text value at `path` stands, whatever way the scalar is written."""
        node = self._values[path]
        if not isinstance(node, yaml.ScalarNode):
            return _spot_of(node)
        indices = _indices(node, self.text)
        if not indices:
            return _spot_of(node)
        past = max(0, offset - len(indices) + 1)
        index = indices[min(offset, len(indices) - 1)] + past
        before = self.text[:index]
        return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1

    def problem(self, path: Path, message: str, remedy: str = "", offset: int | None = None) -> TextProblem:
        """A problem with the value at `path`, or with the character `offset` of it."""
        line, column = self.spot(path) if offset is None else self.spot_within(path, offset)
        return TextProblem(line, column, spell(path), message, remedy)


def spell(path: Path) -> str:
    """`("rules", 2, "when")` as `rules[2].when`."""
    spelt = ""
    for step in path:
        spelt += f"[{step}]" if isinstance(step, int) else f".{step}" if spelt else str(step)
    return spelt or "rulebook"


def read_source(text: str) -> YamlText:
    """Read YAML. Raises RulebookError."""
    if len(text) > LONGEST_TEXT:
        raise RulebookError(
            [TextProblem(1, 1, "rulebook", f"the text is longer than {LONGEST_TEXT} characters", "Split it.")]
        )
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    root = _compose(text)
    if root is None:
        raise RulebookError(
            [TextProblem(1, 1, "rulebook", "the text is empty", "Begin with name:, title: and rules:.")]
        )
    source = YamlText(text)
    problems: list[TextProblem] = []
    source.data = _construct(source, root, (), problems)
    if problems:
        raise RulebookError(problems)
    return source


def _compose(text: str) -> yaml.Node | None:
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise RulebookError(
            [
                TextProblem(
                    *spot,
                    "rulebook",
                    f"this is not YAML: {what}",
                    "Look at the indentation here, and put a text in quotes that holds a colon or begins with { [ ! & *"
                    " or a quote.",
                )
            ]
        ) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        spot = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise RulebookError([TextProblem(*spot, "rulebook", "this character cannot be read", "Remove it.")]) from error
    except RecursionError as error:
        raise RulebookError([TextProblem(1, 1, "rulebook", "the text is nested too deeply", "Flatten it.")]) from error


def _construct(source: YamlText, node: yaml.Node, path: Path, problems: list[TextProblem]) -> Any:
    source._values[path] = node
    if len(path) > _DEEPEST:
        problems.append(source.problem(path, "this is nested too deeply", "Flatten it."))
        return None
    if isinstance(node, yaml.MappingNode):
        return _construct_mapping(source, node, path, problems)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(source, child, (*path, index), problems) for index, child in enumerate(node.value)]
    return _construct_scalar(source, node, path, problems)


def _construct_mapping(
    source: YamlText, node: yaml.MappingNode, path: Path, problems: list[TextProblem]
) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line, column = _spot_of(key_node)
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(
                TextProblem(line, column, spell(path), "a key must be a word", "Quote texts that begin with [ or {.")
            )
            continue
        key = key_node.value
        if key in mapping:
            problems.append(
                TextProblem(line, column, spell((*path, key)), f"{key} is said twice", "Keep one of the two.")
            )
            continue
        source._keys[(*path, key)] = key_node
        mapping[key] = _construct(source, value_node, (*path, key), problems)
    return mapping


def _construct_scalar(source: YamlText, node: yaml.Node, path: Path, problems: list[TextProblem]) -> Any:
    tag = node.tag.rpartition(":")[2]
    match tag:
        case "str":
            return node.value
        case "null":
            return None
        case "bool":
            return node.value.lower() == "true"
        case "int" if len(node.value) < 400:
            return int(node.value)
        case "float":
            return float(node.value)
    problems.append(
        source.problem(
            path,
            f"YAML takes {node.tag} for a tag, and rulebooks use none",
            "Quote a text that begins with an exclamation mark.",
        )
    )
    return None


def _spot_of(node: yaml.Node) -> Spot:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _indices(node: yaml.ScalarNode, text: str) -> Sequence[int]:
    """For each character of the scalar's value, where it stands in the text."""
    start, end = node.start_mark.index, node.end_mark.index
    match node.style:
        case '"':
            return list(_double_quoted(text, start + 1, node.value))
        case "|" | ">":
            return list(_aligned(text, text.index("\n", start) + 1 if "\n" in text[start:end] else start, node.value))
        case "'":
            return list(_aligned(text, start + 1, node.value, doubled="'"))
    return list(_aligned(text, start, node.value))


def _aligned(text: str, index: int, value: str, doubled: str = "") -> Iterator[int]:
    # line folding only ever changes white space, so the visible characters of value and text come in the same order
    for letter in value:
        if letter.isspace():
            yield index
            index += 1 if index < len(text) and text[index].isspace() else 0
            continue
        while index < len(text) and text[index] != letter:
            index += 1
        yield index
        index += 2 if letter == doubled else 1


def _double_quoted(text: str, index: int, value: str) -> Iterator[int]:
    for letter in value:
        while text.startswith("\\\n", index):  # an escaped line break stands for nothing
            index += 2
            while index < len(text) and text[index] in " \t":
                index += 1
        if text[index] == "\\":
            yield index
            index += 2 + _ESCAPE_LENGTHS.get(text[index + 1], 0)
        elif letter.isspace():
            yield index
            index += 1 if text[index].isspace() else 0
        else:
            index += len(text[index:]) - len(text[index:].lstrip()) if text[index].isspace() else 0
            yield index
            index += 1
