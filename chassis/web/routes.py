"""What a route asks for: a context that reads, or one that writes, and the runtime behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from chassis.context import Context
from chassis.runtime import Runtime


def runtime_of(connection: HTTPConnection) -> Runtime:
    """The runtime of the service that answers this request."""
    runtime: Runtime = connection.app.state.runtime
    return runtime


async def _write(connection: HTTPConnection) -> AsyncIterator[Context]:
    async with runtime_of(connection).writing() as context:
        yield context


async def _read(connection: HTTPConnection) -> AsyncIterator[Context]:
    async with runtime_of(connection).reading() as context:
        yield context


# scope="function": left before the answer is sent, so that a commit that fails is told to the caller
WRITING = Depends(_write, scope="function")
READING = Depends(_read, scope="function")
"""For services that hold something: `Read = Annotated[Context[What], READING]`."""

Write = Annotated[Context, WRITING]
"""A context in a transaction that commits before the answer is sent."""
Read = Annotated[Context, READING]
"""A context whose session never commits."""
