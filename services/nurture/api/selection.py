"""Asking for the treatment that fits."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import HTTPConnection

from chassis.runtime import Runtime
from services.nurture.api.requests import SelectRequest
from services.nurture.domain.answers import Answer
from services.nurture.handlers.selecting import select_treatment
from services.nurture.handlers.workshop import Workshop

router = APIRouter(tags=["treatments"])


async def _running(connection: HTTPConnection) -> Runtime[Workshop]:
    runtime: Runtime[Workshop] = connection.app.state.runtime
    return runtime  # async: a plain function would be run in a thread


@router.post("/v1/treatments:select")
async def select(runtime: Annotated[Runtime[Workshop], Depends(_running)], body: SelectRequest) -> Answer:
    """The treatment that fits somebody now, those that come after it, and why the rest does not fit.

    Asked again while nothing changed, it answers the same for half an hour, and records nothing new.
    """
    return await select_treatment(runtime, body.ask())
