"""Every service answers as its committed OpenAPI document says, whatever is sent to it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from chassis.web.auth import Principal, issue_token, read_private_key
from gateway.routes import ROUTES
from tests.support.schema_fuzzer import Door, schemathesis
from tests.support.suite import Suite

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts" / "openapi"
OPTIONS = [
    # no schema says all that makes a value good (a phone number that can be dialled, a link
    # of that person): refusing those is right
    "--exclude-checks=positive_data_acceptance",
    "--exclude-path-regex=/(tail|alerts/stream)$",  # server-sent events do not end
]

SERVICES = sorted(path.stem for path in CONTRACTS.glob("*.json") if path.stem != "gateway")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module", autouse=True)
def somebody(suite: Suite) -> None:
    """There is a person to be found, so that answers beyond 404 are tried too."""
    event = {"userId": "stranger-1", "traits": {"email": "ines@harbour.example", "name": "Ines Amaral", "title": "CFO"}}
    answer = httpx.post(f"{suite.url}/v1/identify", json=event, auth=(suite.write_key, ""))
    assert answer.status_code == 200, answer.text


def inner_door(suite: Suite, service: str) -> Door:
    key = read_private_key(suite.setting("gateway", "GATEWAY_TOKEN_PRIVATE_KEY"))
    token = issue_token(key, Principal("stranger", frozenset({"admin"})), datetime.now(UTC), ttl_seconds=600)
    url = f"http://127.0.0.1:{suite.setting(service, f'{service.upper()}_PORT')}"
    return Door(url, str(CONTRACTS / f"{service}.json"), {"inner": token})


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_keeps_its_contract(suite: Suite, service: str, tmp_path: Path) -> None:
    ended = schemathesis(inner_door(suite, service), tmp_path, [*OPTIONS, "--max-examples=12"])
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]


def test_the_gateway_keeps_its_contract(suite: Suite, tmp_path: Path) -> None:
    door = Door(suite.url, str(CONTRACTS / "gateway.json"), {"api_key": suite.api_key})
    # what is behind the gateway is tried behind it; here its own doors
    behind = [f"--exclude-path={path}" for path in sorted({route.path for route in ROUTES})]
    ended = schemathesis(door, tmp_path, [*OPTIONS, "--max-examples=4", *behind])
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
