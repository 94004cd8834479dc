"""Whether an object is what the API of Kubernetes, or a definition of custom resources, says it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from tests.support.kubernetes_tools import CUSTOM, KUBERNETES, schemas

Schema = dict[str, Any]
_KIND = "x-kubernetes-group-version-kind"


def complaints(one: dict[str, Any], version: str) -> list[str]:
    """What is wrong with an object on this version; fields that the schema does not know are wrong."""
    schema = _schema(one["apiVersion"], one["kind"], version)
    if schema is None:
        return [f"no schema knows {one['apiVersion']} {one['kind']}"]
    found = jsonschema.Draft7Validator(schema).iter_errors(one)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in found]


@cache
def custom_definitions() -> dict[tuple[str, str], dict[str, Any]]:
    """(apiVersion, kind) -> the CustomResourceDefinition that has it."""
    found = {}
    for path in schemas(CUSTOM):
        for definition in yaml.load_all(path.read_text(), yaml.CSafeLoader):
            spec = (definition or {}).get("spec", {})
            for version in spec.get("versions", []):
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = definition
    return found


@cache
def _schema(api: str, kind: str, version: str) -> Schema | None:
    definition = custom_definitions().get((api, kind))
    if definition is not None:
        number = api.partition("/")[2]
        versions = {one["name"]: one["schema"]["openAPIV3Schema"] for one in definition["spec"]["versions"]}
        found: Schema = _strict(versions[number])
        return found
    group, _, number = api.rpartition("/")
    name = f"apis__{group}__{number}_openapi.json" if group else f"api__{number}_openapi.json"
    document = _document(version, name)
    for title, schema in (document or {}).items():
        if {"group": group, "version": number, "kind": kind} in schema.get(_KIND, []):
            return {"$ref": f"#/components/schemas/{title}", "components": {"schemas": document}}
    return None


@cache
def _document(version: str, name: str) -> Schema | None:
    path = next((path for path in _files(version) if path.name == name), None)
    if path is None:
        return None
    found: Schema = _strict(json.loads(path.read_text())["components"]["schemas"])
    return found


def _files(version: str) -> Iterator[Path]:
    yield from schemas(KUBERNETES[version])


def _strict(schema: Any) -> Any:
    """The same, but an object has no other properties than those that are named."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    is_object = isinstance(schema.get("properties"), dict) and isinstance(schema.get("type", "object"), str)
    if is_object and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        strict["additionalProperties"] = False
    return strict
