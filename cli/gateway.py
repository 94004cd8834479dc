"""Asking the gateway's API, as somebody with the installation's key."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from cli.installation import InstallationAccess
from cli.output import fail

_ANSWER_SECONDS = 30.0


class GatewayRefused(Exception):
    """The gateway did not answer as hoped. `status` is 0 where it did not answer at all."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class GatewayAnswer:
    """What it said. `date`: its clock, to the second."""

    body: Any
    date: datetime | None


class Gateway:
    """The gateway of `place`."""

    def __init__(self, place: InstallationAccess, *, as_json: bool) -> None:
        self._url = place.need("RAPPORT_URL", as_json=as_json).rstrip("/")
        self._key = place.need("RAPPORT_API_KEY", as_json=as_json)
        self._as_json = as_json

    def ask(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> GatewayAnswer:
        """Raises GatewayRefused."""
        request = urllib.request.Request(  # noqa: S310 - the operator's own address
            f"{self._url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"authorization": f"Bearer {self._key}", "content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - as above
                text, date = answer.read(), answer.headers.get("date")
            return GatewayAnswer(json.loads(text) if text else None, parsedate_to_datetime(date) if date else None)
        except urllib.error.HTTPError as error:
            raise GatewayRefused(error.code, _reason(error)) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise GatewayRefused(0, f"{self._url} does not answer: {getattr(error, 'reason', error)}") from None

    def call(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Any:
        """What it answers; ends the command where it does not."""
        try:
            return self.ask(path, method, body).body
        except GatewayRefused as refusal:
            fail(str(refusal), remedy_for(refusal), as_json=self._as_json)

    def pages(self, path: str) -> Iterator[Any]:
        """The items of all pages."""
        cursor: str | None = None
        while True:
            page = self.call(path + (f"?{urlencode({'cursor': cursor})}" if cursor else ""))
            yield from page["items"]
            if not (cursor := page.get("next_cursor")):
                return


def remedy_for(refusal: GatewayRefused) -> str:
    """What to do about it."""
    match refusal.status:
        case 0:
            return "Is the suite up? `rapport doctor` looks; `rapport up` starts it."
        case 401:
            return "The key is not known there: RAPPORT_API_KEY in the environment wins over rapport.env."
        case 403:
            return "This takes a key with the role admin or ops."
        case _:
            return ""


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        problem = json.loads(error.read())
        fields = [f"{one.get('field')}: {one.get('reason')}" for one in problem.get("errors") or []]
        return ": ".join([str(problem.get("detail") or problem.get("title")), *fields])
    except (ValueError, AttributeError):
        return f"it answered {error.code}"
