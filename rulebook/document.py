"""The shape of a rulebook's text, before its expressions are compiled.

What is broken is replaced by something harmless, so that the rest can be checked and all problems told at once.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from rulebook.problems import RulebookError, TextProblem, did_you_mean
from rulebook.source import Path, YamlText, read_source, spell
from rulebook.vocabulary import UnknownPolicy

_MOST = 2_000  # rules, definitions or examples in one rulebook
_MOST_NAMED = 100  # mistakes of form: nobody corrects more at a time, and looking for what was meant takes a while each
_NAME = r"^[a-z][a-z0-9_]*$"


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _constant(value: Any) -> Any:
    # `when: true` and `unknown: false` are YAML booleans
    return str(value).lower() if isinstance(value, bool) else value


Name = Annotated[str, Field(pattern=_NAME, max_length=100)]
Text = Annotated[str, Field(min_length=1, max_length=1_000)]
Code = Annotated[str, BeforeValidator(_constant), Field(min_length=1, max_length=10_000)]
Words = Annotated[tuple[Text, ...], BeforeValidator(_listed)]  # one text may stand without brackets


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleText(_Part):
    """One rule as it is written. `effect` is checked later, by the model of the service."""

    name: Name
    on: Annotated[Words, Field(min_length=1)]
    named: Words = ()
    when: Code
    effect: Any = None
    unknown: Annotated[UnknownPolicy, BeforeValidator(_constant)] = UnknownPolicy.SKIP
    reason: Text


class Expectation(_Part):
    """What an example expects: the rules that match, in any order, and whatever else the service can answer for (its
    points, its cell).
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    rules: tuple[Name, ...] | None = None

    @property
    def others(self) -> Mapping[str, Any]:
        """The expectations that the service judges."""
        return self.model_extra or {}


class Example(_Part):
    """A story with a known end: given these facts, when this happens, expect that."""

    name: Text
    on: Text
    named: Text | None = None
    given: dict[str, Any] = Field(default_factory=dict)
    expect: Expectation


class Body(_Part):
    """The whole text. Sections that belong to the service (`grid:`) come as extras and are checked by the service's
    models.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: Name
    version: Annotated[int, Field(ge=1)] | None = None
    title: Text
    definitions: Annotated[dict[Name, Code], Field(max_length=_MOST)] = Field(default_factory=dict)
    rules: Annotated[tuple[RuleText, ...], Field(max_length=_MOST)]
    examples: Annotated[tuple[Example, ...], Field(max_length=_MOST)] = ()

    @property
    def sections(self) -> Mapping[str, Any]:
        """The service's own sections, unchecked."""
        return self.model_extra or {}


@dataclass(frozen=True)
class Document:
    """A rulebook's text, read; its expressions are not compiled yet."""

    body: Body
    source: YamlText
    problems: tuple[TextProblem, ...] = ()
    repaired: frozenset[Path] = frozenset()  # where `body` holds harmless replacements of what was wrong

    @property
    def digest(self) -> str:
        """SHA-256 of the content; the version, comments, layout and the order of keys do not count, the order of rules
        does.
        """
        content = {key: value for key, value in self.source.data.items() if key != "version"}
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def survey_document(text: str) -> Document:
    """Read a rulebook's text, noting what is wrong with its shape and going on with the rest.

    Raises RulebookError if it is not YAML.
    """
    source = read_source(text)
    try:
        return Document(Body.model_validate(source.data), source)
    except ValidationError as error:
        problems = tuple(problems_of(error, source, (), Body))
        data, repaired = repair(source.data, error.errors(include_url=False))
    try:
        return Document(Body.model_validate(data), source, problems, repaired)
    except ValidationError as error:  # too broken to go on
        raise RulebookError(problems) from error


def problems_of(error: ValidationError, source: YamlText, path: Path, model: type[BaseModel]) -> list[TextProblem]:
    """What pydantic found wrong with the data at `path`, as places in the text."""
    return [_problem_of(detail, source, path, model) for detail in error.errors(include_url=False)[:_MOST_NAMED]]


def _problem_of(detail: ErrorDetails, source: YamlText, path: Path, model: type[BaseModel]) -> TextProblem:
    where = (*path, *detail["loc"])
    match detail["type"]:
        case "extra_forbidden":
            line, column = source.key_spot(where)
            return TextProblem(
                line,
                column,
                _spelt(source, where),
                f"{where[-1]} is not known here",
                did_you_mean(str(where[-1]), _keys_beside(detail, model)),
            )
        case "missing":
            return source.problem(source.nearest(where[:-1]), f"{where[-1]} is missing", f"Add {where[-1]}: here.")
        case "string_pattern_mismatch":
            return source.problem(
                source.nearest(where),
                f"{detail['input']!r} is not a name",
                "Names are small letters, digits and _, and begin with a letter.",
            )
    message = detail["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    given = detail["input"]
    if detail["type"] == "string_type" and given is not None:
        return source.problem(source.nearest(where), "this is not a text", "Put it in quotes.")
    shown = f" (it is {given!r})" if isinstance(given, str | int | float) and len(repr(given)) < 60 else ""
    return source.problem(source.nearest(where), message + shown, "Correct this value.")


def _spelt(source: YamlText, where: Path) -> str:
    return spell((*source.nearest(where[:-1]), where[-1]))


def _keys_beside(detail: ErrorDetails, model: type[BaseModel]) -> Sequence[str]:
    # the model that refused the key is found by walking the fields that lead to it
    current: Any = model
    for step in detail["loc"][:-1]:
        if (
            isinstance(step, str)
            and isinstance(current, type)
            and issubclass(current, BaseModel)
            and step in current.model_fields
        ):
            current = _model_within(current.model_fields[step].annotation)
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _model_within(annotation: Any) -> Any:
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_within(argument)
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return None


_HARMLESS: dict[str, dict[str, Any]] = {
    "rules": {"on": "repaired", "named": [], "when": "true", "effect": None, "unknown": "skip", "reason": "Repaired."},
    "examples": {"on": "repaired", "named": None, "given": {}, "expect": {}},
}
_BODY: dict[str, Any] = {
    "name": "repaired",
    "version": None,
    "title": "Repaired.",
    "definitions": {},
    "rules": [],
    "examples": [],
}


def repair(data: Any, errors: Iterable[ErrorDetails]) -> tuple[Any, frozenset[Path]]:
    """A copy of `data` that is sound in shape, and the paths that were replaced: what stands there is not the
    author's.
    """
    repaired = copy.deepcopy(data) if isinstance(data, dict) else {}
    paths: set[Path] = set()
    for error in errors:
        where = error["loc"]
        if error["type"] == "extra_forbidden":
            _within(repaired, where[:-1]).pop(str(where[-1]), None)
        else:
            paths.add(_replace(repaired, where))
    for field in ("name", "title", "rules"):
        repaired.setdefault(field, _BODY[field])
    return repaired, frozenset(paths)


def _replace(data: dict[str, Any], where: Path) -> Path:
    match where:
        case ("definitions", str(name), *rest):
            if rest:  # the name is what is wrong
                data["definitions"].pop(name, None)
            else:
                data["definitions"][name] = "true"
            return ("definitions", name)
        case (("rules" | "examples") as part, int(index), *rest):
            harmless = _HARMLESS[part] | {"name": f"repaired_{index}"}
            field = rest[0] if rest else None
            if field in harmless and isinstance(data[part][index], dict):
                data[part][index][field] = harmless[field]
                return (part, index, field)
            data[part][index] = harmless
            return (part, index)
        case (str(field), *_):
            data[field] = _BODY.get(field)
            return (field,)
    return ()


def _within(data: Any, path: Path) -> dict[str, Any]:
    for step in path:
        data = data[step]
    return data if isinstance(data, dict) else {}
