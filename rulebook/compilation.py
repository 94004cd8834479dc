"""A document being compiled: its language, the problems found so far, its reasons and its examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any

from rulebook.caps import cap_of
from rulebook.document import Document, Example, RuleText
from rulebook.expressions import ExpressionError, ExpressionFault, Language, Program, expand
from rulebook.inputs import band_of
from rulebook.problems import TextProblem, did_you_mean
from rulebook.receipts import EFFECT_PREFIX, PLACEHOLDER, find_fact
from rulebook.source import Path
from rulebook.syntax import Node, Read, free_names, walk
from rulebook.vocabulary import KNOWN, MISFIT, FactType, Vocabulary

_FITS_EVERYWHERE = "dyn(true)"  # keeps a mistake in a definition from hiding those in the rules that use it


class Compilation:
    """Collects every problem of one document instead of stopping at the first."""

    def __init__(self, document: Document, vocabulary: Vocabulary) -> None:
        self.body = document.body
        self.source = document.source
        self.vocabulary = vocabulary
        self.language = Language(vocabulary)
        self.problems: list[TextProblem] = list(document.problems)
        self.repaired = document.repaired

    def complain(self, path: Path, message: str, remedy: str, offset: int | None = None) -> None:
        """Note a problem with the value at `path`, or with the character `offset` of it."""
        if any(path[:length] in self.repaired for length in range(len(path) + 1)):
            return  # what stands here is not the author's
        self.problems.append(self.source.problem(self.source.nearest(path), message, remedy, offset))

    def check_kind(self, path: Path, kind: str) -> None:
        """Complain unless `kind` is one the vocabulary has."""
        if kind not in self.vocabulary.kinds:
            self.complain(path, f"{kind} is not a kind of event", did_you_mean(kind, tuple(self.vocabulary.kinds)))

    def check_unique(self, part: str, index: int, name: str) -> None:
        """Complain if an earlier entry of the list `part` has the same name."""
        entries: Sequence[RuleText | Example] = self.body.rules if part == "rules" else self.body.examples
        if any(entry.name == name for entry in entries[:index]):
            self.complain((part, index, "name"), f"{name} is the name of two", "Give each a name of its own.")

    def define(self) -> dict[str, str]:
        """The definitions, each with those it names written out.

        In place of a broken one stands what fits everywhere.
        """
        texts = {name: text for name, text in self.body.definitions.items() if self._check_name(name)}
        trees = {name: self._parse(("definitions", name), text) for name, text in texts.items()}
        needs = {
            name: {found.name for found in free_names(tree) if found.name in texts} if tree else set()
            for name, tree in trees.items()
        }
        written = dict.fromkeys(texts, _FITS_EVERYWHERE)
        for name in self._in_order(needs):
            program = self._check(("definitions", name), texts[name], trees[name], written)
            if program is not None:
                written[name] = program.text
        return written

    def compile_condition(self, path: Path, text: str, definitions: Mapping[str, str]) -> Program | None:
        """The program of a condition; None, with problems noted, if it has none."""
        program = self._check(path, text, self._parse(path, text), definitions)
        if program is not None and not program.is_bool and _FITS_EVERYWHERE not in program.text:
            kind = program.expression.return_type().name()
            self.complain(
                path,
                f"a condition must be true or false, this is {kind}",
                'Compare it with something: ... == "value".',
                0,
            )
            return None
        return program

    def _parse(self, path: Path, text: str) -> Node | None:
        try:
            tree = self.language.parse(text)
        except ExpressionError as error:
            self._note(path, error)
            return None
        faults = [*_misplaced_presence_tests(tree, self.vocabulary), *self._shadows(tree)]
        if faults:
            self._note(path, ExpressionError(faults))
            return None
        return tree

    def _check(self, path: Path, text: str, tree: Node | None, definitions: Mapping[str, str]) -> Program | None:
        if tree is None:
            return None
        try:
            return self.language.check(expand(text, tree, definitions))
        except ExpressionError as error:
            self._note(path, error)
            return None

    def _note(self, path: Path, error: ExpressionError) -> None:
        for fault in error.faults:
            self.complain(path, fault.message, fault.remedy, fault.offset)

    def _in_order(self, needs: Mapping[str, set[str]]) -> list[str]:
        try:
            return list(TopologicalSorter(needs).static_order())
        except CycleError as error:
            cycle = error.args[1]
            first = next(name for name in needs if name in cycle)
            self.complain(
                ("definitions", first),
                f"a definition may not lead back to itself: {' -> '.join(cycle)}",
                "Break the circle.",
                0,
            )
            remaining = {name: needed - set(cycle) for name, needed in needs.items() if name not in cycle}
            return self._in_order(remaining)

    def _check_name(self, name: str) -> bool:
        if name in self.vocabulary.roots:
            line, column = self.source.key_spot(("definitions", name))
            self.problems.append(
                TextProblem(
                    line, column, f"definitions.{name}", f"{name} already stands for facts", "Choose another name."
                )
            )
            return False
        return True

    def _shadows(self, tree: Node) -> list[ExpressionFault]:
        taken = self.vocabulary.roots | self.body.definitions.keys()
        bound = ((node.offset, name) for node, _ in walk(tree) for name in node.binds if name in taken)
        return [
            ExpressionFault(
                max(offset, 0), f"{name} already stands for something else", "Give the loop variable another name."
            )
            for offset, name in bound
        ]


def _misplaced_presence_tests(tree: Node, vocabulary: Vocabulary) -> list[ExpressionFault]:
    # of a declared fact has() would give the value itself, silently
    faults = []
    for node, _ in walk(tree):
        name = _dotted(node) if node.is_presence_test else None
        if name in vocabulary.variables:
            faults.append(
                ExpressionFault(
                    max(node.offset, 0),
                    f"has({name}) asks for an entry of a map, and {name} is a fact",
                    f"Write {KNOWN}.{name}.",
                )
            )
    return faults


def _dotted(node: Node) -> str | None:
    if node.kind == "ident":
        return node.name
    if node.kind == "select":
        before = _dotted(node.parts[0])
        return None if before is None else f"{before}.{node.name}"
    return None


def citations(compilation: Compilation, path: Path, reason: str, effect: Any) -> tuple[Read, ...]:
    """The facts that a reason names; complains about placeholders that name nothing."""
    cited: list[Read] = []
    for placeholder in PLACEHOLDER.finditer(reason):
        name = placeholder[1].strip()
        if name.startswith(EFFECT_PREFIX):
            field = name.removeprefix(EFFECT_PREFIX)
            if effect is not None and not hasattr(effect, field):
                compilation.complain(
                    path, f"the effect has no {field}", did_you_mean(field, _fields(effect)), placeholder.start()
                )
            continue
        read = find_fact(name, compilation.vocabulary)
        if read is None:
            compilation.complain(
                path,
                f"there is no fact {name}",
                did_you_mean(name, tuple(compilation.vocabulary.variables)),
                placeholder.start(),
            )
        else:
            cited.append(read)
    return tuple(cited)


def counted_by(compilation: Compilation, path: Path, effect: Any) -> tuple[Read, ...]:
    """The fact by which a rule's cap counts apart; complains if there is none of that name."""
    cap = cap_of(effect)
    if cap is None or cap.per is None:
        return ()
    read = find_fact(cap.per, compilation.vocabulary)
    if read is None:
        remedy = did_you_mean(cap.per, tuple(compilation.vocabulary.variables))
        compilation.complain(path, f"there is no fact {cap.per}", remedy)
        return ()
    return (read,)


def _fields(effect: Any) -> tuple[str, ...]:
    return tuple(getattr(type(effect), "model_fields", None) or getattr(effect, "__dict__", {}))


_LENGTH = re.compile(r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def checked_examples(compilation: Compilation) -> tuple[Example, ...]:
    """The examples with their facts by dotted name; complains about kinds, facts and rules that do not exist, and
    values that do not fit.
    """
    rules = {rule.name for rule in compilation.body.rules}
    checked = []
    for index, example in enumerate(compilation.body.examples):
        path: Path = ("examples", index)
        compilation.check_unique("examples", index, example.name)
        compilation.check_kind((*path, "on"), example.on)
        for position, rule in enumerate(example.expect.rules or ()):
            if rule not in rules:
                compilation.complain(
                    (*path, "expect", "rules", position), f"there is no rule {rule}", did_you_mean(rule, tuple(rules))
                )
        facts = _facts(compilation, (*path, "given"), example.given)
        checked.append(example.model_copy(update={"given": facts}))
    return tuple(checked)


def _facts(compilation: Compilation, path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for where, name, value in _flat(compilation, path, "", given):
        read = find_fact(name, compilation.vocabulary)
        if read is None:
            compilation.complain(
                where, f"there is no fact {name}", did_you_mean(name, tuple(compilation.vocabulary.variables))
            )
            continue
        variable, *keys = read
        fact = compilation.vocabulary.variables[variable]
        value = value if keys else _typed(value, fact)
        if value is MISFIT or (fact.choices and value is not None and value not in fact.choices):
            compilation.complain(where, f"{name} should be {fact.words}", "Correct the value.")
        elif keys:
            _put(facts, read, value)
        else:
            facts[variable] = value
    return facts


def _flat(
    compilation: Compilation, path: Path, prefix: str, given: Mapping[str, Any]
) -> Iterator[tuple[Path, str, Any]]:
    # `person: {title: x}` says the same as `person.title: x`
    for key, value in given.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and any(
            variable.startswith(f"{name}.") for variable in compilation.vocabulary.variables
        ):
            yield from _flat(compilation, (*path, key), f"{name}.", value)
        else:
            yield (*path, key), name, value


def _typed(value: Any, fact: FactType) -> Any:
    if value is None:
        return None
    if fact.cel == "TIMESTAMP" and isinstance(value, str):
        value = _moment(value)
    elif fact.cel == "DURATION" and isinstance(value, str) and (length := _LENGTH.fullmatch(value)):
        days, hours, minutes, seconds = (int(part or 0) for part in length.groups())
        value = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return value if band_of(value, fact) is not None else fact.fit(value)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _put(facts: dict[str, Any], read: tuple[str, ...], value: Any) -> None:
    *outer, last = read
    for step in outer:
        facts = facts.setdefault(step, {})
    facts[last] = value
