"""Who calls the gateway's own API, and what a handler is given."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Query
from fastapi.openapi.models import HTTPBearer as BearerModel
from fastapi.security.base import SecurityBase
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection

from chassis.runtime import Runtime
from chassis.web.auth import Principal
from gateway.access.guard import allowed
from gateway.middleware import GatewayState
from people_kernel.api.pages import to_id_cursor

Item = TypeVar("Item")

WATCHERS = ("marketing", "ops", "admin")
KEEPERS = ("ops", "admin")


class ApiKey(SecurityBase):
    """The dependency that turns an API key into a principal, who may do what is asked by the table of
    `gateway.access`.
    """

    def __init__(self) -> None:
        self.model = BearerModel(
            description="An API key, made with POST /v1/keys, or a token of the sign-in service (OpenID Connect)."
        )
        self.scheme_name = "api_key"

    async def __call__(self, connection: HTTPConnection) -> Principal:
        caller = state_of(connection).directory.caller_of(connection.headers.get("authorization"))
        return allowed(caller, connection.scope["method"], connection.scope["route"].path)[1]


async def _state(connection: HTTPConnection) -> GatewayState:
    return state_of(connection)


def state_of(connection: HTTPConnection) -> GatewayState:
    """What the gateway holds while it runs."""
    runtime: Runtime[GatewayState] = connection.app.state.runtime
    return runtime.service


ApiCaller = Annotated[Principal, Depends(ApiKey())]
State = Annotated[GatewayState, Depends(_state)]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items")]
Cursor = Annotated[str | None, Query(max_length=1_000, description="`next_cursor` of the page before")]
SourceId = Annotated[str, Path(description="Of GET /v1/sources", examples=["src_01M80JJ5Y0W1TJ1R02BCAFQ80A"])]
FormId = Annotated[str, Path(description="Of GET /v1/forms", examples=["demo-request"])]
KeyId = Annotated[str, Path(description="Of GET /v1/keys", examples=["key_01M80JJ5Y0W1TJ1R02BCAFQ80A"])]


class AdminView(BaseModel):
    """What is answered: nothing but what is declared."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class AdminRequest(BaseModel):
    """What is asked: unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


def next_cursor(rows: Any, limit: int, key: str) -> str | None:
    """Where the next page begins; None after the last."""
    return to_id_cursor(str(getattr(rows[-1], key))) if len(rows) == limit else None
