"""What the gateway passes on: a table to be read. First match counts; a path the table does not name is the gateway's own or nobody's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

EVERYBODY = frozenset({"marketing", "sales", "manager", "agent", "ops", "admin"})
DECIDERS = frozenset({"marketing", "sales", "manager", "ops", "admin"})
RULE_WRITERS = frozenset({"marketing", "ops", "admin"})


@dataclass(frozen=True, slots=True)
class Route:
    """`path` may hold `{names}`. `to` is the upstream's path where it differs."""

    method: str
    path: str
    upstream: str
    roles: frozenset[str] = EVERYBODY
    timeout_seconds: float = 5.0
    to: str | None = None
    pattern: re.Pattern[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(_NAME.sub(r"(?P<\1>[^/:]+)", self.path) + "$"))

    def upstream_path(self, path: str, names: Mapping[str, str]) -> str:
        """The path at the upstream."""
        return path if self.to is None else _NAME.sub(lambda name: names[name[1]], self.to)


_NAME = re.compile(r"\{(\w+)\}")

ROUTES: tuple[Route, ...] = (
    # identity: who is this?
    Route("POST", "/v1/people/{person_id}:merge", "identity", DECIDERS),
    Route("POST", "/v1/people/{person_id}:split", "identity", DECIDERS),
    Route("GET", "/v1/people/{person_id}/links", "identity"),
    Route("GET", "/v1/accounts", "identity"),
    Route("GET", "/v1/accounts/{account_id}", "identity"),
    # scoring: what is known, and how ready are they?
    Route("GET", "/v1/people/{person_id}/receipts", "scoring", to="/v1/scoring/people/{person_id}/receipts"),
    Route("GET", "/v1/people/{person_id}/timeline", "scoring", to="/v1/scoring/people/{person_id}/timeline"),
    Route("GET", "/v1/scoring/people", "scoring"),
    Route("POST", "/v1/scoring/people:lookup", "scoring"),
    Route("GET", "/v1/scoring/people/{person_id}", "scoring"),
    Route("GET", "/v1/scoring/people/{person_id}/receipts", "scoring"),
    Route("GET", "/v1/scoring/people/{person_id}/timeline", "scoring"),
    Route("GET", "/v1/rulebooks/scoring", "scoring"),
    Route("POST", "/v1/rulebooks/scoring", "scoring", RULE_WRITERS, timeout_seconds=30.0),
    Route("GET", "/v1/rulebooks/scoring/{version}", "scoring"),
    Route("POST", "/v1/rulebooks/scoring/{version}:activate", "scoring", RULE_WRITERS, timeout_seconds=30.0),
)


class RouteTable:
    """Finds a route by method and path: routes are kept by their number of segments, so that few patterns are tried."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._by_depth: dict[int, list[Route]] = {}
        for route in routes:
            self._by_depth.setdefault(route.path.count("/"), []).append(route)

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """The route and the names in its path, or None. HEAD is answered as GET."""
        asked = "GET" if method == "HEAD" else method
        for route in self._by_depth.get(path.count("/"), ()):
            if route.method == asked and (found := route.pattern.match(path)) is not None:
                return route, found.groupdict()
        return None

    def methods_of(self, path: str) -> tuple[str, ...]:
        """The methods that the path is passed on with; empty when it is not."""
        return tuple(sorted({route.method for route in self._by_depth.get(path.count("/"), ()) if route.pattern.match(path)}))
