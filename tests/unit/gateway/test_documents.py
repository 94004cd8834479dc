"""The one OpenAPI document; that the gateway keeps it is for tests/contract."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.capture import ENDPOINTS
from gateway.main import create_service
from tests.unit.gateway.running import gateway_settings


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("document")
    return dict(create_service(gateway_settings("nats://127.0.0.1:9", folder / "unused.db")).app().openapi())


def test_every_capture_path_is_in_the_document(document: dict[str, Any]) -> None:
    assert {*ENDPOINTS, "/v1/forms/{form_id}", "/v1/projects/{write_key}/settings"} <= document["paths"].keys()


def test_each_operation_has_a_name_of_its_own_and_tells_its_errors(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all({"400", "500"} <= operation["responses"].keys() for operation in operations)


def test_every_reference_points_at_something(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


def test_a_view_of_one_service_is_not_taken_for_another_s(document: dict[str, Any]) -> None:
    if "/v1/scoring/people/{person_id}" not in document["paths"]:
        pytest.skip("contracts/openapi/scoring.json is not there yet")
    answer = document["paths"]["/v1/scoring/people/{person_id}"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ScoringPersonView"}
    assert "lifecycle" in document["components"]["schemas"]["PersonView"]["properties"]


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [reference for item in node for reference in references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [reference for value in node.values() for reference in references(value)]
