"""A route that is passed on, and how one is found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

EVERYBODY = frozenset({"marketing", "sales", "manager", "agent", "ops", "admin"})
DECIDERS = frozenset({"marketing", "sales", "manager", "ops", "admin"})
TALKERS = frozenset({"marketing", "sales", "manager", "agent", "admin"})  # who speaks with people, and says what came of it
MARKETERS = frozenset({"marketing", "ops", "admin"})  # who writes rules, treatments, campaigns and costs
LEADERS = frozenset({"manager", "ops", "admin"})  # who says which rep gets what
REFERRED = frozenset({"sales", "agent", "manager", "ops", "admin"})  # who answers a referral: the rep, or a leader for them

_NAME = re.compile(r"\{(\w+)\}")
_RULEBOOK_SECONDS = 30.0  # compiling a version and running its examples


@dataclass(frozen=True, slots=True)
class Route:
    """`path` may hold `{names}`. `to` is the upstream's path where it differs. The service checks roles again, and more closely."""

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


def rulebook_routes(service: str) -> tuple[Route, ...]:
    """The routes of the rulebook of a service that decides."""
    path = f"/v1/rulebooks/{service}"
    return (
        Route("GET", path, service),
        Route("POST", path, service, MARKETERS, timeout_seconds=_RULEBOOK_SECONDS),
        Route("GET", path + "/{version}", service),
        Route("POST", path + "/{version}:activate", service, MARKETERS, timeout_seconds=_RULEBOOK_SECONDS),
    )
