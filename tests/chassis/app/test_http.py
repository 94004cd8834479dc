"""What the HTTP side promises: commits before answers, and a clear problem for every bad request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from chassis.bus.broker import Broker
from chassis.store import outbox
from chassis.web.auth import Principal, generate_key_pair
from tests.chassis.app.bus_words import echoes, ids_on, stored
from tests.chassis.app.echo import EchoSettings, create_service
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.postgres import databases
from tests.support.service import PUBLIC_KEY, RunningService, running, token

pytestmark = pytest.mark.asyncio(loop_scope="module")
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def bus() -> Iterator[NatsServer]:
    with NatsServer() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def shared(
    request: pytest.FixtureRequest, bus: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningService]:
    """One service on each kind of store: what is refused leaves nothing behind."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('http') / 'store.db'}"
        else:
            url = stack.enter_context(databases(request.getfixturevalue("postgres_admin_url")))()
        settings = EchoSettings(database_url=url, nats_url=bus.url, token_public_key=PUBLIC_KEY)
        async with running(create_service(settings)) as service:
            yield service


@pytest_asyncio.fixture(loop_scope="module")
async def service(shared: RunningService) -> AsyncIterator[RunningService]:
    """It, with a client of the test's own."""
    transport, headers = httpx.ASGITransport(shared.app), dict(shared.client.headers)
    async with httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers) as client:
        yield replace(shared, client=client)


@pytest_asyncio.fixture(loop_scope="module")
async def outside(bus: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(bus.url, "outside")
    yield broker
    await broker.close()


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem in `answer`, having checked what every problem has."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"].startswith("/problems/")
    assert problem["title"]
    assert problem["detail"]
    return problem


async def test_a_request_is_committed_and_said_before_the_answer(service: RunningService, outside: Broker) -> None:
    before, told = await echoes(service.runtime.database), await all_said(service, outside)
    answer = await service.client.post("/v1/echoes", json={"text": "hello", "times": 2})
    assert (answer.status_code, answer.json()) == (201, {"text": "hello", "count": 2})
    assert await echoes(service.runtime.database) == [*before, "hello", "hello"]

    async def said() -> bool:
        return len(await ids_on(outside, "ECHO")) == told + 1

    await eventually(said)


async def test_a_commit_that_fails_is_told_to_the_caller_and_says_nothing(
    service: RunningService, outside: Broker
) -> None:
    told = await all_said(service, outside)
    answer = await service.client.post("/v1/orphans")
    assert answer.status_code == 500
    assert "FOREIGN" not in answer.text.upper()
    problem_of(answer)
    assert await all_said(service, outside) == told


async def all_said(service: RunningService, outside: Broker) -> int:
    """How many events it ever said; nothing waits in its outbox then."""

    async def is_empty() -> bool:
        async with service.runtime.database.read() as session:
            return (await outbox.backlog(session)).count == 0

    await eventually(is_empty)
    return len(await stored(outside, "ECHO"))


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b"", 422, "body"),
        (b"\xff\xfe", 400, None),
        (b"[1]", 422, "body"),
        (b'{"text": 5}', 422, "body.text"),
        (b'{"text": ""}', 422, "body.text"),
        (b'{"text": "x", "colour": "red"}', 422, "body.colour"),
        (b'{"text": "x", "times": 1e400}', 422, "body.times"),
        (b'{"text": "x", "times": ' + b"9" * 5000 + b"}", 400, None),
        (b'{"text": "a\\u0000b"}', 422, "body"),
        (b'{"text": "a\x00b"}', 422, "body"),
        (b'{"text": "\\ud800"}', 422, "body.text"),
        (b"[" * 100_000, 400, None),
    ],
)
async def test_a_bad_body_is_refused_by_name(
    service: RunningService, body: bytes, status: int, field: str | None
) -> None:
    before = await echoes(service.runtime.database)
    answer = await service.client.post("/v1/echoes", content=body, headers=JSON)
    problem = problem_of(answer)
    assert answer.status_code == status
    assert [error["field"] for error in problem.get("errors", [])] == ([field] if field else [])
    assert await echoes(service.runtime.database) == before


async def test_the_two_letters_backslash_u_are_text_like_any_other(service: RunningService) -> None:
    answer = await service.client.post("/v1/echoes", content=b'{"text": "a\\\\u0000b"}', headers=JSON)
    assert (answer.status_code, answer.json()["text"]) == (201, "a\\u0000b")


async def test_an_escape_cut_in_two_by_the_network_is_still_seen(service: RunningService) -> None:
    async def chunks() -> Any:
        yield b'{"text": "a\\u0'
        yield b'000b"}'

    answer = await service.client.post("/v1/echoes", content=chunks(), headers=JSON)
    assert problem_of(answer)["status"] == 422


@pytest.mark.parametrize(("number", "name"), [(2**70, "big"), (-(2**63) - 1, "small"), (5, "\ud800")])
async def test_a_value_that_no_store_can_hold_is_the_callers_mistake(
    service: RunningService, number: int, name: str
) -> None:
    answer = await service.client.post(
        "/v1/numbers", content=json.dumps({"number": number, "name": name}), headers=JSON
    )
    assert problem_of(answer)["status"] == 422


async def test_a_body_that_is_too_long_is_not_read(service: RunningService) -> None:
    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 100_000

    announced = await service.client.post("/v1/echoes", content=b" " * 3_000_000, headers=JSON)
    unannounced = await service.client.post("/v1/echoes", content=chunks(), headers=JSON)
    assert problem_of(announced)["status"] == problem_of(unannounced)["status"] == 413


async def test_a_body_that_is_not_json_is_refused(service: RunningService) -> None:
    answer = await service.client.post(
        "/v1/echoes", content=b"text=x", headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert problem_of(answer)["errors"][0]["field"] == "body"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nowhere", 404),
        ("PUT", "/v1/echoes", 405),
        ("GET", "/v1/echoes/never", 404),
        ("GET", "/v1/echoes/%00", 400),
    ],
)
async def test_a_path_that_is_not_there_is_a_problem_too(
    service: RunningService, method: str, path: str, status: int
) -> None:
    answer = await service.client.request(method, path)
    assert problem_of(answer)["status"] == status


async def test_what_is_missing_is_named_after_the_error_class(service: RunningService) -> None:
    problem = problem_of(await service.client.get("/v1/echoes/never"))
    assert (problem["type"], problem["title"]) == ("/problems/echo-not-found", "Echo not found")
    assert problem["instance"] == "/v1/echoes/never"


async def test_our_own_mistake_tells_nothing_but_the_trace(service: RunningService) -> None:
    answer = await service.client.get("/v1/mistakes")
    problem = problem_of(answer)
    assert answer.status_code == 500
    assert "jane" not in answer.text
    assert "Zero" not in answer.text
    assert len(problem["trace_id"]) == 32


NOW = datetime.now(UTC)
REFUSED = {
    "no token": None,
    "not a token": "Bearer x.y.z",
    "another scheme": "Basic dGVzdDp0ZXN0",
    "expired": f"Bearer {token(now=NOW - timedelta(minutes=10))}",
    "from the future": f"Bearer {token(now=NOW + timedelta(days=1))}",
    "signed by a stranger": f"Bearer {token(private_key=generate_key_pair()[0])}",
}


@pytest.mark.parametrize("authorization", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/echoes/x"), ("POST", "/v1/echoes"), ("GET", "/v1/nowhere")])
async def test_nobody_gets_in_without_a_good_token(
    service: RunningService, authorization: str | None, method: str, path: str
) -> None:
    service.client.headers.pop("authorization")
    headers = {} if authorization is None else {"authorization": authorization}
    answer = await service.client.request(method, path, headers=headers, content=b"{")
    assert problem_of(answer)["status"] == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_role_that_is_missing_is_named(service: RunningService) -> None:
    answer = await service.client.post(
        "/v1/secrets", headers={"authorization": f"Bearer {token(Principal('rep', frozenset({'sales'})))}"}
    )
    assert problem_of(answer)["status"] == 403
    assert "admin, ops" in answer.json()["detail"]
    assert (await service.client.post("/v1/secrets")).status_code == 200


async def test_every_answer_is_declared(service: RunningService) -> None:
    document = (await service.client.get("/openapi.json")).json()
    shout = document["paths"]["/v1/echoes"]["post"]
    assert shout["operationId"] == "shout"
    assert set(shout["responses"]) == {"201", "400", "401", "413", "422", "500", "503"}
    assert shout["security"] == [{"inner": []}]
    assert set(document["paths"]["/v1/echoes/{text}"]["get"]["responses"]) == {
        "200",
        "400",
        "401",
        "404",
        "422",
        "500",
        "503",
    }
    references = {
        media["schema"]["$ref"] for path in document["paths"].values() for operation in path.values()
        for status,
        response in operation["responses"].items() if status >= "4" for media in response["content"].values()
    }  # fmt: skip
    assert references == {"#/components/schemas/ProblemDocument"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
