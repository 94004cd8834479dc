"""The one OpenAPI document; that the gateway keeps it is for tests/contract."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from gateway import documents
from gateway.capture import ENDPOINTS
from gateway.main import create_service
from gateway.routes import ROUTES, Route
from tests.unit.gateway.running import gateway_settings

# pages to read the API on, and what load balancers ask: no part of the API
ABOUT_THE_PROCESS = {"/openapi.json", "/docs", "/docs/{name}", "/healthz", "/readyz", "/readyz/traffic"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    folder = tmp_path_factory.mktemp("document")
    return create_service(gateway_settings("nats://127.0.0.1:9", folder / "unused.db")).app()


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return dict(app.openapi())


def test_every_capture_path_is_in_the_document(document: dict[str, Any]) -> None:
    assert {*ENDPOINTS, "/v1/forms/{form_id}", "/v1/projects/{write_key}/settings"} <= document["paths"].keys()


def test_each_operation_has_a_name_of_its_own_and_tells_its_errors(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    services = ("identity_", "scoring_", "lifecycle_", "nurture_", "routing_", "metrics_")
    assert [name for name in names if name.startswith(services) or not re.fullmatch("[a-z]+(_[a-z]+)+", name)] == []
    assert all({"400", "500"} <= operation["responses"].keys() for operation in operations)


def test_every_public_route_is_in_the_document(app: FastAPI, document: dict[str, Any]) -> None:
    own = {
        (method, route.path) for route in app.routes if isinstance(route, APIRoute) for method in route.methods or ()
    }
    passed_on = {(route.method, route.path) for route in ROUTES}
    told = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert {(method, path) for method, path in own | passed_on if path not in ABOUT_THE_PROCESS} <= told
    assert {("GET", f"/v1/reports/{name}") for name in ("funnel", "time-in-stage", "campaigns", "referrals")} <= told


def test_what_is_passed_on_and_in_no_document_stops_the_start(document: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match="GET /v1/nowhere is passed on"):
        documents._take_over(document, Route("GET", "/v1/nowhere", "metrics"))


def test_every_reference_points_at_something_and_every_schema_is_referred_to(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) == known


def test_a_schema_has_its_name_as_title_since_generators_name_classes_by_it(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert {name: schema["title"] for name, schema in schemas.items()} == {name: name for name in schemas}


def test_each_group_of_operations_is_told_what_it_is_for(document: dict[str, Any]) -> None:
    used = {tag for path in document["paths"].values() for operation in path.values() for tag in operation["tags"]}
    assert {tag["name"] for tag in document["tags"] if tag["description"]} == used


def test_a_view_of_one_service_is_not_taken_for_another_s(document: dict[str, Any]) -> None:
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
