"""The demo's own client of the public API."""

from __future__ import annotations

import httpx
import pytest

from demo.api import Api, Refused, check_services
from demo.errors import Trouble
from demo.setup import next_run, pages


def answering(*answers: httpx.Response) -> tuple[Api, list[httpx.Request]]:
    """An API that gives these answers in turn, the last one for ever."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answers[min(len(asked), len(answers)) - 1]

    return Api("http://rapport.example", "rk_key", httpx.MockTransport(answer), pause_seconds=0), asked


async def test_who_is_busy_is_asked_again() -> None:
    api, asked = answering(httpx.Response(503), httpx.Response(200, json={"items": []}))
    assert await api.get("/v1/people", email="a@b.example") == {"items": []}
    assert [str(request.url) for request in asked] == ["http://rapport.example/v1/people?email=a%40b.example"] * 2
    assert asked[0].headers["authorization"] == "Bearer rk_key"


async def test_who_stays_away_is_named() -> None:
    api, _ = answering(httpx.Response(503, json={"title": "Unavailable", "detail": "routing cannot be reached"}))
    with pytest.raises(Trouble, match=r"GET /v1/reps gives 503 Unavailable; routing cannot be reached"):
        await api.get("/v1/reps")


async def test_a_connection_that_cannot_be_made_is_trouble_too() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    api = Api("http://rapport.example", "rk_key", httpx.MockTransport(away), pause_seconds=0)
    with pytest.raises(Trouble, match="ConnectError"):
        await api.get("/v1/reps")


async def test_a_refusal_carries_the_reason_of_the_problem() -> None:
    problem = {"title": "Conflict", "detail": "They are a customer", "errors": [{"field": "path.person_id"}]}
    api, asked = answering(httpx.Response(409, json=problem))
    with pytest.raises(Refused, match=r"409: Conflict; They are a customer; .*path\.person_id") as refused:
        await api.post("/v1/x:qualify", {"note": "x"})
    assert refused.value.status == 409
    assert len(asked) == 1


async def test_a_service_that_is_not_there_is_named_before_anything_is_sent() -> None:
    api, asked = answering(
        httpx.Response(200, json={}), httpx.Response(200, json={}), httpx.Response(404, json={"title": "Not found"})
    )
    with pytest.raises(
        Trouble, match=r"The service lifecycle is not there: GET /v1/lifecycle/process gives 404: Not found"
    ):
        await check_services(api)
    assert str(asked[0].url) == "http://rapport.example/v1/accounts?limit=1"


async def test_a_service_that_does_not_answer_is_named_too() -> None:
    api, _ = answering(httpx.Response(503, json={"title": "Unavailable"}))
    with pytest.raises(
        Trouble, match=r"The service identity is not there: GET /v1/accounts\?limit=1 gives 503 Unavailable"
    ):
        await check_services(api)


async def test_lists_are_read_to_the_end() -> None:
    first = httpx.Response(200, json={"items": [{"name": "a"}], "next_cursor": "c1"})
    api, asked = answering(first, httpx.Response(200, json={"items": [{"name": "b"}], "next_cursor": None}))
    assert [item["name"] async for item in pages(api, "/v1/sources")] == ["a", "b"]
    assert asked[1].url.params["cursor"] == "c1"


@pytest.mark.parametrize(
    ("names", "run"),
    [((), 1), (("default", "Demo site (run 2)", "Demo product server (run 7)", "Demo site (run 10)"), 11)],
)
async def test_a_run_has_the_number_after_the_last_one(names: tuple[str, ...], run: int) -> None:
    api, _ = answering(httpx.Response(200, json={"items": [{"name": name} for name in names], "next_cursor": None}))
    assert await next_run(api) == run
