"""Which operation a request is, as the document names it, and what it is about: ids in its path and in its answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import orjson

_NAME = re.compile(r"\{(\w+)\}")
_VERBS = ("get", "post", "put", "patch", "delete")
_MOST_IDS = 200
_ID_CHARACTERS = 100
# beside everything under /people: they show people too, or who looked at them
_SHOWS_PEOPLE = frozenset(
    ("/v1/referrals", "/v1/referrals/{referral_id}", "/v1/interactions/withheld", "/v1/alerts/stream", "/v1/audit")
)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CREATED = 201


class NamedOperation(NamedTuple):
    """An operation of the document."""

    operation_id: str
    method: str
    template: str
    is_capture: bool

    @property
    def shows_people(self) -> bool:
        """Whether its answer holds a person's data."""
        return "people" in re.split(r"[/:]", self.template) or self.template in _SHOWS_PEOPLE

    @property
    def is_list(self) -> bool:
        """Whether the people that it shows are named by its answer alone."""
        return self.shows_people and self.method == "GET" and "{" not in self.template


class FoundOperation(NamedTuple):
    """The operation of a request, and the ids in its path."""

    operation: NamedOperation
    objects: tuple[str, ...]


class OperationTable:
    """All operations of a document, found by method and path."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._by_depth: dict[tuple[str, int], list[tuple[re.Pattern[str], NamedOperation]]] = {}
        paths: Mapping[str, Any] = document.get("paths", {})
        # where two fit, the one with more fixed characters is meant
        for template in sorted(paths, key=lambda one: -len(_NAME.sub("", one))):
            for verb in _VERBS:
                if verb in paths[template]:
                    self._add(verb.upper(), template, paths[template][verb])

    def find(self, method: str, path: str) -> FoundOperation | None:
        """The operation; HEAD is GET. None: the document has none, so that there is nothing to be done or seen."""
        asked = "GET" if method == "HEAD" else method
        for pattern, operation in self._by_depth.get((asked, path.count("/")), ()):
            if (found := pattern.fullmatch(path)) is not None:
                return FoundOperation(operation, tuple(_named(*one) for one in found.groupdict().items()))
        return None

    def _add(self, method: str, template: str, told: Mapping[str, Any]) -> None:
        parts = enumerate(_NAME.split(template))  # fixed text and names in turns
        pattern = re.compile("".join(f"(?P<{part}>[^/:]+)" if at % 2 else re.escape(part) for at, part in parts))
        operation = NamedOperation(
            str(told.get("operationId", template)), method, template, "capture" in told.get("tags", ())
        )
        self._by_depth.setdefault((method, template.count("/")), []).append((pattern, operation))


class Documented(Protocol):
    """An application that has a document."""

    def openapi(self) -> dict[str, Any]: ...


class Operations:
    """The table of an application, made when it is first asked for; beside the loop, as it takes a while."""

    def __init__(self) -> None:
        self._table: OperationTable | None = None
        self._turn = asyncio.Lock()

    async def find(self, app: Documented, method: str, path: str) -> FoundOperation | None:
        """As the table's."""
        if self._table is None:
            async with self._turn:
                if (table := self._table) is None:
                    table = await asyncio.to_thread(_made, app)
                self._table = table
        return self._table.find(method, path)


def _made(app: Documented) -> OperationTable:
    return OperationTable(app.openapi())


def shown_people(body: bytes) -> tuple[str, ...]:
    """The people in a list that was answered, as many as a page can hold."""
    answer = _object(body)
    items = answer.get("items")
    ids = [item.get("person_id") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return tuple(one[:_ID_CHARACTERS] for one in ids if isinstance(one, str))[:_MOST_IDS]


def made_objects(body: bytes) -> tuple[str, ...]:
    """The ids in an answer that says what was made."""
    return tuple(
        value[:_ID_CHARACTERS]
        for name, value in _object(body).items()
        if name.endswith("_id") and isinstance(value, str)
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _named(name: str, value: str) -> str:
    """An id says itself what it is of; anything else needs its name."""
    return (value if name.endswith("_id") else f"{name}:{value}")[:_ID_CHARACTERS]
