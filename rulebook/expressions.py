"""CEL expressions parsed, expanded and type-checked.

A fault names the character it is at, in the expression as it was written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_optional, ext_strings

from rulebook.patterns import matches
from rulebook.problems import did_you_mean
from rulebook.syntax import Node, Read, free_names, parse_tree, reads, walk
from rulebook.vocabulary import KNOWN, Vocabulary

_LONGEST = 50_000  # characters, definitions written out: they could double with each level

_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '([^']*)'")
_NAME_BEFORE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\s*\.\s*[A-Za-z_][A-Za-z0-9_]*)*\s*$")
# constants that the type checker lets pass and that would only fail when the rule is evaluated
_CONSTANT_CHECKS = {
    "matches": ('"".matches(p)', "is not a regular expression (RE2)"),
    "timestamp": ("timestamp(p)", 'is not a moment such as "2026-01-31T00:00:00Z"'),
    "duration": ("duration(p)", 'is not a length of time such as "36h" or "90m"'),
}

_MATCHES, _QUICK = "matches", "matches_quickly"

_CEL_TYPES: dict[str, Any] = {
    "BOOL": cel.Type.BOOL,
    "INT": cel.Type.INT,
    "DOUBLE": cel.Type.DOUBLE,
    "STRING": cel.Type.STRING,
    "TIMESTAMP": cel.Type.TIMESTAMP,
    "DURATION": cel.Type.DURATION,
    "STRINGS": cel.Type.List(cel.Type.STRING),
    "MAP": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    "ANY": cel.Type.DYN,
}


@dataclass(frozen=True)
class ExpressionFault:
    """A mistake at the character `offset` of an expression."""

    offset: int
    message: str
    remedy: str


class ExpressionError(ValueError):
    """An expression that cannot be compiled."""

    def __init__(self, faults: Iterable[ExpressionFault]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__("; ".join(fault.message for fault in self.faults))


@dataclass(frozen=True)
class Expanded:
    """An expression with its definitions written out, and where each stretch of it comes from."""

    text: str
    starts: tuple[int, ...]  # where stretches begin in `text`
    origins: tuple[tuple[int, bool], ...]  # where they begin in the original, and whether they are its own text

    def origin(self, offset: int) -> int:
        """The place in the original of a place in the text; all of a definition comes from the place that names it."""
        stretch = bisect_right(self.starts, offset) - 1
        begin, is_own = self.origins[stretch]
        return begin + (offset - self.starts[stretch]) if is_own else begin

    def is_own(self, offset: int) -> bool:
        """Whether a place in the text is the original's own, not a definition's."""
        return self.origins[bisect_right(self.starts, offset) - 1][1]


@dataclass(frozen=True)
class Program:
    """A checked expression, ready to run against an activation of its language."""

    expression: Any
    text: str
    reads: tuple[Read, ...]
    numbers: tuple[int | float, ...] = ()  # that it names: where a verdict about a number may change

    @property
    def is_bool(self) -> bool:
        return bool(self.expression.return_type() == cel.Type.BOOL)


class Language:
    """CEL with the facts of one vocabulary declared, and with the extensions for strings, numbers and optional
    values.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        declared = {name: _CEL_TYPES[fact.cel] for name, fact in vocabulary.variables.items()}
        declared |= {f"{KNOWN}.{name}": cel.Type.BOOL for name in vocabulary.variables}
        self._extensions = [ext_strings.ExtStrings(), ext_math.ExtMath(), ext_optional.ExtOptional()]
        self._env = cel.NewEnv(
            variables=declared,
            extensions=self._extensions,
            functions=[cel.FunctionDecl(_QUICK, _overloads_of_matches())],
        )
        self.activate: Callable[[Mapping[str, Any]], Any] = self._env.Activation
        """The facts as programs take them; it copies them."""
        self._constants = cel.NewEnv(variables={"p": cel.Type.STRING})

    def parse(self, text: str) -> Node:
        """The tree of `text`, unchecked. Raises ExpressionError for mistakes of syntax."""
        return self._tree(self._compile(text, Expanded(text, (0,), ((0, True),)), checked=False))

    def check(self, expanded: Expanded) -> Program:
        """Compile and type-check. Raises ExpressionError."""
        expression = self._compile(expanded.text, expanded, checked=True)
        tree = self._tree(expression)
        faults = [fault for fault in self._faults_of_constants(tree) if expanded.is_own(fault.offset)]
        if faults:
            raise ExpressionError(
                ExpressionFault(expanded.origin(fault.offset), fault.message, fault.remedy) for fault in faults
            )
        declared = self.vocabulary.variables
        read = (path for path in reads(tree) if path[0] in declared or path[0].removeprefix(KNOWN + ".") in declared)
        numbers = sorted({node.number for node, _ in walk(tree) if node.number is not None})
        return Program(expression, expanded.text, tuple(dict.fromkeys(read)), tuple(numbers))

    def _compile(self, text: str, expanded: Expanded, checked: bool) -> Any:
        try:
            return self._env.compile(text, disable_check=not checked)
        except RuntimeError as error:
            raise ExpressionError(self._translate(str(error), expanded)) from error

    def _tree(self, expression: Any) -> Node:
        try:
            tree = parse_tree(expression.serialize())
            for _ in walk(tree):
                pass
        except RecursionError as error:
            raise ExpressionError(
                [ExpressionFault(0, "the expression is too long a chain", "Put parts of it into definitions.")]
            ) from error
        return tree

    def _faults_of_constants(self, tree: Node) -> Iterator[ExpressionFault]:
        for node, _ in walk(tree):
            if node.kind != "call":
                continue
            constant = node.parts[-1] if node.parts else node
            name = _MATCHES if node.name == _QUICK else node.name
            if name in _CONSTANT_CHECKS and constant.value is not None and not self._holds(name, constant.value):
                yield ExpressionFault(
                    constant.offset, f'"{constant.value}" {_CONSTANT_CHECKS[name][1]}', "Correct the text in quotes."
                )
            yield from self._faults_of_choices(node)

    def _holds(self, function: str, constant: str) -> bool:
        return bool(
            self._constants.compile(_CONSTANT_CHECKS[function][0]).eval(data={"p": constant}).type() != cel.Type.ERROR
        )

    def _faults_of_choices(self, node: Node) -> Iterator[ExpressionFault]:
        """Comparisons of a fact that has choices with a text that is none of them."""
        if node.name not in ("_==_", "_!=_", "@in") or len(node.parts) != 2:
            return
        fact = next(
            (
                self.vocabulary.variables[part.name]
                for part in node.parts
                if part.kind == "ident" and part.name in self.vocabulary.variables
            ),
            None,
        )
        if fact is None or not fact.choices:
            return
        for constant in (inner for part in node.parts for inner in (part, *part.parts)):
            if constant.value is not None and constant.value not in fact.choices:
                yield ExpressionFault(
                    constant.offset, f'it is never "{constant.value}"', did_you_mean(constant.value, fact.choices)
                )

    def _translate(self, message: str, expanded: Expanded) -> Iterator[ExpressionFault]:
        found = list(_ERROR.finditer(message))
        if not found:
            yield ExpressionFault(0, "the expression is nested too deeply", "Put parts of it into definitions.")
        for error in found:
            offset = _offset(expanded.text, int(error[1]), int(error[2]))
            if undeclared := _UNDECLARED.search(error[3]):
                yield self._undeclared(undeclared[1], offset, expanded)
            elif overload := _OVERLOAD.search(error[3].replace(_QUICK, _MATCHES)):
                words = f"{overload[1].strip('_').replace('_', ' ')} cannot be applied to {overload[2]}"
                yield ExpressionFault(
                    expanded.origin(offset),
                    words,
                    'Both sides must be of one type: 5 is an int, 5.0 a double, "5" a string.',
                )
            else:
                yield ExpressionFault(
                    expanded.origin(offset),
                    error[3].partition(" expecting ")[0].lower().rstrip("."),
                    "Look at quotes, brackets and operators here.",
                )

    def _undeclared(self, name: str, offset: int, expanded: Expanded) -> ExpressionFault:
        # the checker points at the last dot, or at the bracket of a call; the
        # reader looks for the beginning of the name
        following = expanded.text[offset : offset + 1]
        if following == "(":
            before = re.search(r"\w+\s*$", expanded.text[:offset])
            at = expanded.origin(before.start() if before else offset)
            return ExpressionFault(at, f"there is no function {name}", "docs/rulebooks.md lists the functions.")
        if following == ".":
            before = _NAME_BEFORE.search(expanded.text[:offset])
            offset = before.start() if before else offset
        return ExpressionFault(
            expanded.origin(offset), f"there is no fact {name}", did_you_mean(name, tuple(self.vocabulary.variables))
        )


def expand(text: str, tree: Node, definitions: Mapping[str, str]) -> Expanded:
    """`text` with each definition that it names written out in brackets; names bound inside the expression are left
    alone.
    """
    named = {(node.offset, node.name) for node in free_names(tree) if node.name in definitions}
    called = _calls_of_matches(tree)
    places = sorted((offset, name) for offset, name in named | called if offset >= 0 and text.startswith(name, offset))
    pieces, starts, origins, end, length = [], [0], [(0, True)], 0, 0
    for offset, name in places:
        own = text[end:offset]
        # line breaks: a definition may end in a // comment
        inlined = _QUICK if (offset, name) in called else f"(\n{definitions[name]}\n)"
        pieces += [own, inlined]
        length += len(own)
        starts += [length, length + len(inlined)]
        length += len(inlined)
        end = offset + len(name)
        origins += [(offset, False), (end, True)]
    pieces.append(text[end:])
    if length > _LONGEST:
        too_long = f"with its definitions written out this is longer than {_LONGEST} characters"
        raise ExpressionError([ExpressionFault(0, too_long, "Define less in terms of more.")])
    return Expanded("".join(pieces), tuple(starts), tuple(origins))


def _calls_of_matches(tree: Node) -> set[tuple[int, str]]:
    # the checker gives the place of the bracket of a call
    calls = (node for node, _ in walk(tree) if node.kind == "call" and node.name == _MATCHES and len(node.parts) == 2)
    return {(node.offset - len(_MATCHES), _MATCHES) for node in calls}


def _overloads_of_matches() -> list[Any]:
    texts = [cel.Type.STRING, cel.Type.STRING]
    return [
        cel.Overload(
            f"{_QUICK}_{'member' if is_member else 'plain'}",
            return_type=cel.Type.BOOL,
            parameters=texts,
            is_member=is_member,
            impl=matches,
        )
        for is_member in (True, False)  # text.matches(pattern) and matches(text, pattern)
    ]


def _offset(text: str, line: int, column: int) -> int:
    if line < 1:
        return 0
    begins = [0, *(found.end() for found in re.finditer("\n", text))]
    return begins[min(line, len(begins)) - 1] + max(column - 1, 0)
