"""The syntax tree of an expression, as the CEL compiler serializes it, and what can be read off it.

The compiler gives out its tree only as a protocol buffer
(https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto and
checked.proto); the few field numbers needed are below.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Read = tuple[str, ...]
"""A fact an expression reads: the variable's name, then the constant keys that follow it: `("properties", "plan")`."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node. `name`: of the identifier, field or function; `value`: of a text constant, `number`: of a numeric one;
    `offset`: characters from the beginning, -1 unknown.
    """

    kind: str  # const, ident, select, call, list, struct, comprehension
    offset: int
    name: str = ""
    value: str | None = None
    parts: tuple[Node, ...] = ()
    binds: tuple[str, ...] = ()  # what a comprehension calls its elements and its result
    is_presence_test: bool = False
    number: int | float | None = None


_KINDS = {3: "const", 4: "ident", 5: "select", 6: "call", 7: "list", 8: "struct", 9: "comprehension"}


def parse_tree(serialized: bytes) -> Node:
    """The tree in a serialized expression, checked or not."""
    type_url, payload = "", b""
    for number, value in _fields(serialized):
        if number == 1:
            type_url = value.decode()
        elif number == 2:
            payload = value
    expression_number, source_number = (4, 5) if type_url.endswith("CheckedExpr") else (2, 3)
    expression, offsets = b"", {}
    for number, value in _fields(payload):
        if number == expression_number:
            expression = value
        elif number == source_number:
            offsets = dict(_positions(value))
    return _node(expression, offsets)


def walk(node: Node, bound: frozenset[str] = frozenset()) -> Iterator[tuple[Node, frozenset[str]]]:
    """Every node with the names that comprehensions around it have bound, from the outside in."""
    yield node, bound
    inner = bound | set(node.binds)
    for position, part in enumerate(node.parts):
        # the range and the first value of a comprehension are evaluated outside of it
        yield from walk(part, bound if node.kind == "comprehension" and position < 2 else inner)


def free_names(node: Node) -> Iterator[Node]:
    """The identifiers that are not bound inside the expression."""
    return (found for found, bound in walk(node) if found.kind == "ident" and found.name not in bound)


def reads(node: Node, bound: frozenset[str] = frozenset()) -> Iterator[Read]:
    """The facts that a checked expression reads."""
    chain = _chain(node)
    if chain is not None:
        if chain[0] not in bound:
            yield chain
        return
    inner = bound | set(node.binds)
    for position, part in enumerate(node.parts):
        yield from reads(part, bound if node.kind == "comprehension" and position < 2 else inner)


def _chain(node: Node) -> Read | None:
    # a.b["c"] with constant keys only; an index that is computed reads all of what stands before it
    if node.kind == "ident":
        return (node.name,)
    if node.kind == "select":
        before = _chain(node.parts[0])
        return None if before is None else (*before, node.name)
    if node.kind == "call" and node.name in ("_[_]", "_[?_]", "_?._") and node.parts[1].value is not None:
        before = _chain(node.parts[0])
        return None if before is None else (*before, node.parts[1].value)
    return None


def _node(message: bytes, offsets: dict[int, int]) -> Node:
    kind, fields, offset = _kind_in(message, offsets)
    match kind:
        case "ident":
            return Node(kind, offset, name=_text(fields, 1))
        case "select":
            return Node(
                kind,
                offset,
                _text(fields, 2),
                parts=_parts(fields, (1,), offsets),
                is_presence_test=bool(dict(fields).get(3)),
            )
        case "call":
            return Node(kind, offset, _text(fields, 2), parts=_parts(fields, (1, 3), offsets))
        case "list":
            return Node(kind, offset, parts=_parts(fields, (1,), offsets))
        case "struct":
            entries = tuple(
                part
                for number, entry in fields
                if number == 2
                for part in _parts(list(_fields(entry)), (3, 4), offsets)
            )
            return Node(kind, offset, parts=entries)
        case "comprehension":
            binds = tuple(name for name in (_text(fields, 1), _text(fields, 8), _text(fields, 3)) if name)
            return Node(kind, offset, parts=_parts(fields, (2, 4, 5, 6, 7), offsets), binds=binds)
    texts = [value.decode(errors="replace") for number, value in fields if number == 6]
    return Node(kind, offset, value=texts[0] if texts else None, number=_number_in(fields))


def _number_in(fields: list[tuple[int, Any]]) -> int | float | None:
    """The number of a numeric constant."""
    for number, value in fields:
        if number == 3:  # negative ones are written in two's complement
            return int(value) - 2**64 if value >= 2**63 else int(value)
        if number == 4:
            return int(value)
        if number == 5:
            return float(struct.unpack("<d", value)[0])
    return None


def _kind_in(message: bytes, offsets: dict[int, int]) -> tuple[str, list[tuple[int, Any]], int]:
    """What kind of node it is, the fields of that kind, and where it stands."""
    kind, body, offset = "const", b"", -1
    for number, value in _fields(message):
        if number == 2:
            offset = offsets.get(value, -1)
        elif number in _KINDS:
            kind, body = _KINDS[number], value
    return kind, list(_fields(body)), offset


def _parts(fields: list[tuple[int, Any]], numbers: tuple[int, ...], offsets: dict[int, int]) -> tuple[Node, ...]:
    return tuple(_node(value, offsets) for wanted in numbers for number, value in fields if number == wanted)


def _text(fields: list[tuple[int, Any]], wanted: int) -> str:
    return next((value.decode() for number, value in fields if number == wanted), "")


def _positions(source_info: bytes) -> Iterator[tuple[int, int]]:
    for number, entry in _fields(source_info):
        if number == 4:
            position = dict(_fields(entry))
            yield position.get(1, 0), position.get(2, 0)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protocol buffer message: number, and an int or bytes (eight of a number with a fraction)."""
    index = 0
    while index < len(message):
        key, index = _varint(message, index)
        match key & 7:
            case 0:
                value, index = _varint(message, index)
                yield key >> 3, value
            case 2:
                length, index = _varint(message, index)
                yield key >> 3, message[index : index + length]
                index += length
            case 1:
                yield key >> 3, message[index : index + 8]
                index += 8
            case _:
                index += 4  # no one asks for it


def _varint(message: bytes, index: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[index]
        value |= (byte & 0x7F) << shift
        index, shift = index + 1, shift + 7
        if byte < 0x80:
            return value, index
