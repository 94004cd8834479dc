"""An example for each request and answer of the document, put together from the examples of its fields.

Nobody writes out two hundred bodies, and keeps them true: what a field says of itself stands in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_JSON: Final = "application/json"
_OF_FORMAT: Final = {
    "date-time": "2026-03-01T08:00:00Z",
    "date": "2026-03-01",
    "uri": "https://www.acme.test/",
    "uuid": "8f14e45f-ceea-467a-9af0-bd8ac1d7f3f8",
}
_NOTHING: Final = object()


def with_examples(document: dict[str, Any]) -> dict[str, Any]:
    """`document`, in which each JSON request and each JSON answer that is no refusal has an example."""
    schemas = document["components"]["schemas"]
    for content in _contents(document):
        schema = content.get("schema", {})
        told = _resolved(schema, schemas).get("examples")
        if "example" not in content and "examples" not in content and not told:
            composed = example_of(schema, schemas)
            if composed is not _NOTHING:
                content["example"] = composed
    return document


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], within: frozenset[str] = frozenset()) -> Any:
    """A value that `schema` allows, of the examples in it; `_NOTHING` where a schema holds itself (`within`)."""
    if (name := schema.get("$ref")) is not None:
        if name in within:
            return _NOTHING
        within |= {name}
    schema = _resolved(schema, schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    for name in ("const", "default"):
        if schema.get(name) is not None:
            return schema[name]
    if "enum" in schema:
        return schema["enum"][0]
    for name in ("anyOf", "oneOf", "allOf"):
        if name in schema:
            return _first_of(schema[name], schemas, within)
    return _of_type(schema, schemas, within)


def _of_type(schema: Mapping[str, Any], schemas: Mapping[str, Any], within: frozenset[str]) -> Any:
    kind = schema.get("type", "object")
    kind = next((one for one in kind if one != "null"), "null") if isinstance(kind, list) else kind
    match kind:
        case "object":
            return _object(schema, schemas, within)
        case "array":
            item = example_of(schema.get("items", {}), schemas, within)
            return [] if item is _NOTHING or schema.get("maxItems") == 0 else [item]
        case "string":
            return _OF_FORMAT.get(schema.get("format", ""), "text")
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case _:
            return None


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], within: frozenset[str]) -> Any:
    fields = {name: example_of(told, schemas, within) for name, told in schema.get("properties", {}).items()}
    found = {name: value for name, value in fields.items() if value is not _NOTHING}
    if not set(schema.get("required", ())) <= found.keys():
        return _NOTHING
    further = schema.get("additionalProperties")
    if not found and isinstance(further, dict) and further:
        value = example_of(further, schemas, within)
        return {} if value is _NOTHING else {"name": value}
    return found


def _first_of(choices: list[Mapping[str, Any]], schemas: Mapping[str, Any], within: frozenset[str]) -> Any:
    for choice in choices:
        if choice.get("type") != "null":
            return example_of(choice, schemas, within)
    return None


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        schema = {**schemas[schema["$ref"].rpartition("/")[2]], **beside}
    return schema


def _contents(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    for operation in operations:
        answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        for part in (operation.get("requestBody", {}), *answers):
            if (content := part.get("content", {}).get(_JSON)) is not None:
                yield content
