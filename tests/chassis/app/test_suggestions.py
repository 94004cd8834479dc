"""Who is refused is told what they may have meant, and nothing of how it was read."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from chassis.web.parameters import refuse_unknown_parameters
from chassis.web.problems import install_problem_handlers
from chassis.web.suggestions import actions_at, near, near_path

PATHS = [
    "/v1/people",
    "/v1/people/{person_id}",
    "/v1/people/{person_id}:merge",
    "/v1/people/{person_id}:split",
    "/v1/t",
]


class Money(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Annotated[int, BeforeValidator(lambda value: value)] | Annotated[float, AfterValidator(lambda value: value)]
    currency: str


class Cost(BaseModel):
    model_config = ConfigDict(extra="forbid")

    campaign_id: str
    spent: list[Money]


class Filters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    owner: str | None = None


@pytest.fixture(scope="module")
def app() -> FastAPI:
    app = FastAPI(dependencies=[Depends(refuse_unknown_parameters)], redirect_slashes=False)
    install_problem_handlers(app)

    @app.post("/v1/costs")
    async def create(cost: Cost) -> None:
        return None

    @app.get("/v1/reps")
    async def read(limit: int = 50, teams: Annotated[list[str] | None, Query(alias="team")] = None) -> None:
        return None

    @app.get("/v1/people")
    async def find(filters: Annotated[Filters, Query()]) -> None:
        return None

    @app.post("/v1/people/{person_id}:merge")
    async def merge(person_id: str) -> None:
        return None

    @app.get("/v1/people/{person_id}")
    async def person(person_id: str) -> None:
        return None

    return app


async def asked(app: FastAPI, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        answer = await client.request(method, path, **options)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("query", "field", "remedy"),
    [
        ("/v1/reps?limt=3", "query.limt", "Did you mean limit?"),
        ("/v1/reps?TEAM=emea", "query.TEAM", "Did you mean team?"),
        ("/v1/reps?sort=name", "query.sort", "Leave it out; known are: limit, team"),
        ("/v1/people?ownr=me", "query.ownr", "Did you mean owner?"),
        ("/v1/people/per_1?x=1", "query.x", "Leave it out; there is none"),
    ],
)
async def test_a_parameter_that_nobody_reads_is_refused(app: FastAPI, query: str, field: str, remedy: str) -> None:
    status, problem = await asked(app, "GET", query)
    assert (status, problem["errors"]) == (
        422,
        [{"field": field, "reason": "There is no such name here", "remedy": remedy}],
    )


async def test_what_is_read_is_taken(app: FastAPI) -> None:
    assert (await asked(app, "GET", "/v1/reps?limit=3&team=a&team=b"))[0] == 200
    assert (await asked(app, "GET", "/v1/people?owner=me"))[0] == 200


async def test_a_field_is_told_by_where_it_stands_at_any_depth(app: FastAPI) -> None:
    body = {"campagn_id": "c", "campaign_id": "c", "spent": [{"amount": 1, "currency": "EUR", "curency": "EUR"}]}
    _, problem = await asked(app, "POST", "/v1/costs", json=body)
    assert {error["field"]: error["remedy"] for error in problem["errors"]} == {
        "body.campagn_id": "Did you mean campaign_id?",
        "body.spent.0.curency": "Did you mean currency?",
    }


async def test_no_python_is_in_what_is_told(app: FastAPI) -> None:
    _, problem = await asked(
        app, "POST", "/v1/costs", json={"campaign_id": "c", "spent": [{"amount": "x", "currency": "E"}, 5]}
    )
    assert [error["field"] for error in problem["errors"]] == ["body.spent.0.amount", "body.spent.1"]
    assert "function" not in str(problem)
    assert "dictionary" not in str(problem)


@pytest.mark.parametrize(
    ("method", "path", "remedy"),
    [
        ("GET", "/v1/peopel", "Did you mean /v1/people?"),
        ("GET", "/v1/people/", "Did you mean /v1/people?"),
        ("GET", "/v1/peple/per_1", "Did you mean /v1/people/per_1?"),
        ("POST", "/v1/people/per_1:merg", "Possible are: merge"),
        ("POST", "/v1/people/per_1:pull", "Possible are: merge"),
        ("GET", "/nothing/like/it", "All paths are in /openapi.json"),
    ],
)
async def test_a_path_that_is_not_there_says_which_is(app: FastAPI, method: str, path: str, remedy: str) -> None:
    status, problem = await asked(app, method, path)
    assert (status, problem["remedy"]) == (404, remedy)


async def test_a_method_that_a_path_does_not_take_stays_that(app: FastAPI) -> None:
    assert (await asked(app, "DELETE", "/v1/people/per_1"))[0] == 405


@pytest.mark.parametrize(
    ("word", "meant"),
    [("anonymousID", "anonymousId"), ("anonymous_id", "anonymousId"), ("usr_id", "userId"), ("q", None), ("", None)],
)
def test_capitals_and_underscores_count_for_nothing(word: str, meant: str | None) -> None:
    assert near(word, ["anonymousId", "userId", "event"]) == meant


@pytest.mark.parametrize("path", ["/" * 5_000, "/v1/" + "p" * 5_000, "/v1/people/" + "x" * 5_000 + ":merge"])
def test_what_is_too_long_is_not_compared(path: str) -> None:
    assert near_path(path, PATHS) is None
    assert actions_at(PATHS, path) == ()
