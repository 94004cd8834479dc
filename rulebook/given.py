"""The facts of an example, brought from the YAML text to the types that the vocabulary declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rulebook.document import Example
from rulebook.fitting import MISFIT
from rulebook.problems import did_you_mean
from rulebook.reasons import find_fact
from rulebook.source import Path
from rulebook.vocabulary import FactType
from rulebook.writing import Writing

_LENGTH = re.compile(r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def check_examples(writing: Writing) -> tuple[Example, ...]:
    """The examples with their facts by dotted name; complains about kinds, facts and rules that do not exist, and values that do not fit."""
    rules = {rule.name for rule in writing.body.rules}
    checked = []
    for index, example in enumerate(writing.body.examples):
        path: Path = ("examples", index)
        writing.check_unique("examples", index, example.name)
        writing.check_kind((*path, "on"), example.on)
        for position, rule in enumerate(example.expect.rules or ()):
            if rule not in rules:
                writing.complain((*path, "expect", "rules", position), f"there is no rule {rule}", did_you_mean(rule, tuple(rules)))
        facts = _facts(writing, (*path, "given"), example.given)
        checked.append(example.model_copy(update={"given": facts}))
    return tuple(checked)


def _facts(writing: Writing, path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for where, name, value in _flat(writing, path, "", given):
        read = find_fact(name, writing.vocabulary)
        if read is None:
            writing.complain(where, f"there is no fact {name}", did_you_mean(name, tuple(writing.vocabulary.variables)))
            continue
        variable, *keys = read
        fact = writing.vocabulary.variables[variable]
        value = value if keys else _typed(value, fact)
        if value is MISFIT or (fact.choices and value is not None and value not in fact.choices):
            writing.complain(where, f"{name} should be {fact.words}", "Correct the value.")
        elif keys:
            _put(facts, read, value)
        else:
            facts[variable] = value
    return facts


def _flat(writing: Writing, path: Path, prefix: str, given: Mapping[str, Any]) -> Iterator[tuple[Path, str, Any]]:
    # `person: {title: x}` says the same as `person.title: x`
    for key, value in given.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and any(variable.startswith(f"{name}.") for variable in writing.vocabulary.variables):
            yield from _flat(writing, (*path, key), f"{name}.", value)
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
    return fact.fit(value)


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
