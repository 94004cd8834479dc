"""Every service answers as its OpenAPI document says, whatever is sent to it: schemathesis against the running processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from chassis.auth import Principal, issue_token, read_private_key
from tests.support.suite import Suite

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts" / "openapi"
ENDLESS = r"/tail$|/stream$"  # server-sent events do not end

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_thorough = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def schema_of(name: str, *, tags: str | None = None) -> Any:
    document = json.loads((CONTRACTS / f"{name}.json").read_text())
    schema = schemathesis.openapi.from_dict(document).exclude(path_regex=ENDLESS)
    return schema.include(tag=tags) if tags else schema


def inner_token(suite: Suite) -> Mapping[str, str]:
    everybody = Principal(subject="schemathesis", roles=frozenset({"admin"}))
    key = read_private_key(suite.setting("gateway", "GATEWAY_TOKEN_PRIVATE_KEY"))
    return {"authorization": f"Bearer {issue_token(key, everybody, datetime.now(UTC), ttl_seconds=300)}"}


def base_url(suite: Suite, service: str) -> str:
    return f"http://127.0.0.1:{suite.setting(service, f'{service.upper()}_PORT')}"


identity = schema_of("identity")
scoring = schema_of("scoring")
gateway = schema_of("gateway")


@identity.parametrize()
@_thorough
def test_identity_keeps_its_contract(case: schemathesis.Case, suite: Suite) -> None:
    case.call_and_validate(base_url=base_url(suite, "identity"), headers=dict(inner_token(suite)))


@scoring.parametrize()
@_thorough
def test_scoring_keeps_its_contract(case: schemathesis.Case, suite: Suite) -> None:
    case.call_and_validate(base_url=base_url(suite, "scoring"), headers=dict(inner_token(suite)))


@gateway.parametrize()
@_thorough
def test_gateway_keeps_its_contract(case: schemathesis.Case, suite: Suite) -> None:
    case.call_and_validate(base_url=suite.url, headers={"authorization": f"Bearer {suite.api_key}"})
