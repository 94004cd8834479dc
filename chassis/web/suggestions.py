"""What somebody most likely meant who was refused: the name beside the one that was sent, the path near the one asked.

Asked only when something is refused. What is compared is bounded, so that a refusal costs little however it is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from typing import Any, get_args

from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_LONGEST_WORD = 64
_LONGEST_PATH = 256
_CLOSE = 0.7
_NOT_A_LETTER = re.compile(r"[\W_]+")
_NAME = re.compile(r"{[^}]*}")


def near(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `word` is most likely a misspelling of: case and underscores count for nothing."""
    by_letters = {_letters(name): name for name in known}
    close = get_close_matches(_letters(word[:_LONGEST_WORD]), list(by_letters), 1, _CLOSE)
    return by_letters[close[0]] if close else None


def names_beside(route: APIRoute, place: Sequence[int | str]) -> Sequence[str]:
    """The names that may stand where `place` (pydantic's: `("body", "money", "amout")`) says that one may not."""
    where, *inner = place[:-1]
    if where == "query":
        return sorted(query_names(route))
    if where != "body" or route.body_field is None:
        return ()
    models = _models(route.body_field.field_info.annotation)
    for step in inner:
        models = models if isinstance(step, int) else [one for model in models for one in _models_of(model, step)]
    return sorted({name for model in models for name in _fields(model)})


def query_names(route: APIRoute) -> frozenset[str]:
    """Every query parameter that `route` and what it depends on read."""
    names: set[str] = {one["name"] for one in (route.openapi_extra or {}).get("parameters", ()) if one["in"] == "query"}
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        for field in dependant.query_params:
            models = _models(field.field_info.annotation)
            names.update(name for model in models for name in _fields(model)) if models else names.add(field.alias)
    return frozenset(names)


def near_path(path: str, paths: Iterable[str]) -> str | None:
    """The path of the document that `path` is most likely a misspelling of, with what stands for names filled in."""
    if len(path) > _LONGEST_PATH:
        return None
    asked = path.rstrip("/").split("/")
    rated = [(_likeness(asked, template.split("/")), template) for template in paths]
    likeness, template = max(rated, default=(0.0, ""))
    return _filled(asked, template) if likeness >= _CLOSE else None


def actions_at(paths: Iterable[str], path: str) -> Sequence[str]:
    """The verbs that go with the thing at `path` (`/v1/people/per_1:pull` -> merge, split); empty without a colon."""
    thing, colon, _ = path.rpartition(":")
    if not colon or "/" in path[len(thing) :] or len(path) > _LONGEST_PATH:
        return ()
    asked = thing.split("/")
    found = [template.rpartition(":") for template in paths]
    return sorted({verb for place, colon, verb in found if colon and _likeness(asked, place.split("/")) == 1.0})


def _letters(word: str) -> str:
    return _NOT_A_LETTER.sub("", word).lower()


def _fields(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_of(model: type[BaseModel], name: str) -> list[type[BaseModel]]:
    field = _fields(model).get(name)
    return [] if field is None else _models(field.annotation)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _likeness(asked: Sequence[str], template: Sequence[str]) -> float:
    """1.0 where all parts are equal or stand for a name; 0.0 where one part is nothing like the other."""
    if len(asked) != len(template):
        return 0.0
    rates = [_part_likeness(part, known) for part, known in zip(asked, template, strict=True)]
    return 0.0 if min(rates) < _CLOSE else sum(rates) / len(rates)


def _part_likeness(part: str, known: str) -> float:
    if part == known or (_NAME.fullmatch(known) and part and ":" not in part):
        return 1.0
    name, _, verb = known.rpartition(":")
    if _NAME.fullmatch(name) and ":" in part:
        return _part_likeness(part.rpartition(":")[2], verb)
    matcher = SequenceMatcher(None, part[:_LONGEST_WORD], known)
    return matcher.ratio() if matcher.quick_ratio() >= _CLOSE else 0.0


def _filled(asked: Sequence[str], template: str) -> str:
    parts = template.split("/")
    return "/".join(
        given if _NAME.fullmatch(known) else _NAME.sub(given.partition(":")[0], known)
        for given, known in zip(asked, parts, strict=True)
    )
