"""A stranger can read the document: each field has a sentence, each request and answer an example that fits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

FOLDER = Path(__file__).resolve().parents[2] / "contracts" / "openapi"
DOCUMENT: dict[str, Any] = json.loads((FOLDER / "gateway.json").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
VERBS = ("get", "post", "put", "patch", "delete")
# what is not JSON shows itself
_JSON = "application/json"


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for verb in VERBS:
            if verb in methods:
                yield f"{verb.upper()} {path}", methods[verb]


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each JSON request and each JSON answer that is no refusal, by where it stands."""
    for name, operation in operations():
        parts = [("request", operation.get("requestBody", {}))]
        parts += [(status, answer) for status, answer in operation["responses"].items() if status.startswith("2")]
        for what, part in parts:
            if (content := part.get("content", {}).get(_JSON)) is not None:
                yield f"{name} {what}", content


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    return schema


def examples_of(content: dict[str, Any]) -> list[Any]:
    named = [one["value"] for one in content.get("examples", {}).values()]
    return named or ([content["example"]] if "example" in content else resolved(content["schema"]).get("examples", []))


def test_each_field_has_a_sentence() -> None:
    fields = [
        (name, field, told) for name, schema in SCHEMAS.items() for field, told in schema.get("properties", {}).items()
    ]
    assert [
        f"{name}.{field}"
        for name, field, told in fields
        if not (resolved(told).get("description") or told.get("description"))
    ] == []


def test_each_parameter_has_a_sentence() -> None:
    silent = [
        f"{name} {one['name']}"
        for name, operation in operations()
        for one in operation.get("parameters", ())
        if not one.get("description")
    ]
    assert silent == []


def test_each_request_and_answer_has_an_example() -> None:
    assert [name for name, content in contents() if not examples_of(content)] == []


@pytest.mark.parametrize(("name", "content"), [pytest.param(name, one, id=name) for name, one in contents()])
def test_an_example_is_what_the_schema_says(name: str, content: dict[str, Any]) -> None:
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    for example in examples_of(content):
        assert [error.message for error in Draft202012Validator(schema).iter_errors(example)] == []
