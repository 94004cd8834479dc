"""The public API as somebody with a key uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from demo.errors import Trouble

_BUSY = {429, 502, 503, 504}
_ATTEMPTS = 6
PROBES: Mapping[str, str] = {
    "identity": "/v1/accounts?limit=1",
    "scoring": "/v1/rulebooks/scoring",
    "lifecycle": "/v1/lifecycle/process",
    "nurture": "/v1/treatments?limit=1",
    "routing": "/v1/reps?limit=1",
    "metrics": "/v1/campaigns?limit=1",
}
"""A cheap question for each service behind the gateway."""


class Refused(Exception):
    """The API said no, and why."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(f"{status}: {what}")
        self.status = status


class Api:
    """Questions and orders of one caller. Who is busy is asked again; who stays away is named."""

    def __init__(
        self, url: str, key: str, transport: httpx.AsyncBaseTransport | None = None, pause_seconds: float = 0.1
    ) -> None:
        self.url = url
        self._pause_seconds = pause_seconds
        self.http = httpx.AsyncClient(
            base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=30, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def get(self, path: str, **query: str) -> Any:
        """The answer to a question."""
        return await self._ask("GET", path, params=query or None)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to an order."""
        return await self._ask("POST", path, json=dict(body))

    async def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to an order that may be repeated."""
        return await self._ask("PUT", path, json=dict(body))

    async def delete(self, path: str) -> Any:
        """Take something away."""
        return await self._ask("DELETE", path)

    async def _ask(self, method: str, path: str, **how: Any) -> Any:
        for attempt in range(_ATTEMPTS):
            try:
                answer = await self.http.request(method, path, **how)
            except httpx.TransportError as error:
                said = f"no answer ({type(error).__name__})"
            else:
                if answer.status_code not in _BUSY:
                    return _content(answer)
                said = f"{answer.status_code} {_reason(answer)}"
            await asyncio.sleep(self._pause_seconds * 2**attempt)
        raise Trouble(
            f"{method} {path} gives {said}. Is every process of the suite running? Their logs are in var/log."
        )


async def check_services(api: Api) -> None:
    """Every service answers, or the one that does not is named."""
    for service, path in PROBES.items():
        try:
            await api.get(path)
        except Refused as refused:
            raise Trouble(f"The service {service} is not there: GET {path} gives {refused}.") from None
        except Trouble as trouble:
            raise Trouble(f"The service {service} is not there: {trouble}") from None


def _content(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    raise Refused(answer.status_code, _reason(answer))


def _reason(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return answer.text[:200]
    said = [problem.get("title"), problem.get("detail"), *(str(error) for error in problem.get("errors", ()))]
    return "; ".join(dict.fromkeys(part for part in said if part))
