"""What the gateway passes on, and to whom. First match counts; a path that is
not named is the gateway's own or nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

REPORTS = ("funnel", "time-in-stage", "campaigns", "referrals")
_NAME = re.compile(r"\{(\w+)\}")
_REPORT_SECONDS = 15.0  # a report over years of facts
_RULEBOOK_SECONDS = 30.0  # compiling a version and running its examples


@dataclass(frozen=True, slots=True)
class Route:
    """`path` may hold `{names}`. `to` is the upstream's path where it differs. Who may is in `gateway.access`; the
    service checks roles again.
    """

    method: str
    path: str
    upstream: str
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
        return tuple(
            sorted({route.method for route in self._by_depth.get(path.count("/"), ()) if route.pattern.match(path)})
        )


def rulebook_routes(service: str) -> tuple[Route, ...]:
    """The routes of the rulebook of a service that decides."""
    path = f"/v1/rulebooks/{service}"
    return (
        Route("GET", path, service),
        Route("POST", path, service, timeout_seconds=_RULEBOOK_SECONDS),
        Route("GET", path + "/{version}", service),
        Route("POST", path + "/{version}:activate", service, timeout_seconds=_RULEBOOK_SECONDS),
    )


# Identity: who is this, and may we write to them?
_IDENTITY = (
    Route("POST", "/v1/people/{person_id}:merge", "identity"),
    Route("POST", "/v1/people/{person_id}:split", "identity"),
    Route("POST", "/v1/people/{person_id}:mark", "identity"),
    Route("GET", "/v1/people/{person_id}/links", "identity"),
    Route("GET", "/v1/people/{person_id}/consent", "identity"),
    Route("PUT", "/v1/people/{person_id}/consent", "identity"),
    Route("GET", "/v1/identity/candidates", "identity"),
    Route("GET", "/v1/identity/candidates/{candidate_id}", "identity"),
    Route("POST", "/v1/identity/candidates/{candidate_id}:confirm", "identity"),
    Route("POST", "/v1/identity/candidates/{candidate_id}:reject", "identity"),
    Route("GET", "/v1/interactions/withheld", "identity"),
    Route("POST", "/v1/interactions/{interaction_id}:release", "identity"),
    Route("GET", "/v1/accounts", "identity"),
    Route("GET", "/v1/accounts/{account_id}", "identity"),
    Route("POST", "/v1/accounts/{account_id}:merge", "identity"),
    Route("POST", "/v1/accounts/{account_id}:split", "identity"),
)
# Scoring: what is known, and how ready are they?
_SCORING = (
    Route("GET", "/v1/people/{person_id}/timeline", "scoring", to="/v1/scoring/people/{person_id}/timeline"),
    Route("GET", "/v1/scoring/people", "scoring"),
    Route("POST", "/v1/scoring/people:lookup", "scoring"),
    Route("GET", "/v1/scoring/people/{person_id}", "scoring"),
    Route("GET", "/v1/scoring/people/{person_id}/receipts", "scoring"),
    Route("GET", "/v1/scoring/people/{person_id}/timeline", "scoring"),
    *rulebook_routes("scoring"),
)
# Lifecycle: where are they on the way, which clock runs, what became of the deal?
_LIFECYCLE = (
    Route("GET", "/v1/lifecycle/process", "lifecycle"),
    Route("GET", "/v1/lifecycle/people", "lifecycle"),
    Route("GET", "/v1/lifecycle/people/{person_id}", "lifecycle"),
    Route("GET", "/v1/lifecycle/people/{person_id}/history", "lifecycle"),
    Route("GET", "/v1/lifecycle/people/{person_id}/receipts", "lifecycle"),
    Route("POST", "/v1/lifecycle/people/{person_id}:qualify", "lifecycle"),
    Route("POST", "/v1/lifecycle/people/{person_id}:recycle", "lifecycle"),
    Route("POST", "/v1/lifecycle/people/{person_id}:disqualify", "lifecycle"),
    Route("POST", "/v1/lifecycle/people/{person_id}:reopen", "lifecycle"),
    Route("GET", "/v1/opportunities", "lifecycle"),
    Route("POST", "/v1/opportunities", "lifecycle"),
    Route("GET", "/v1/opportunities/{opportunity_id}", "lifecycle"),
    Route("POST", "/v1/opportunities/{opportunity_id}:advance", "lifecycle"),
    Route("POST", "/v1/opportunities/{opportunity_id}:win", "lifecycle"),
    Route("POST", "/v1/opportunities/{opportunity_id}:lose", "lifecycle"),
    *rulebook_routes("lifecycle"),
)
# Nurture: which treatment fits now? (`POST /v1/treatments:select` is the gateway's own: web sites ask it too.)
_NURTURE = (
    Route("GET", "/v1/treatments", "nurture"),
    Route("POST", "/v1/treatments", "nurture"),
    Route("GET", "/v1/treatments/{treatment_id}", "nurture"),
    Route("PUT", "/v1/treatments/{treatment_id}", "nurture"),
    Route("GET", "/v1/nurture/people/{person_id}", "nurture"),
    Route("GET", "/v1/nurture/people/{person_id}/receipts", "nurture"),
    Route("GET", "/v1/nurture/people/{person_id}/receipts/{receipt_id}/why-not", "nurture"),
    *rulebook_routes("nurture"),
)
# Routing: which human should act, and how do they hear of it? (`GET /v1/alerts/stream` is the gateway's own.)
_ROUTING = (
    Route("GET", "/v1/reps", "routing"),
    Route("POST", "/v1/reps", "routing"),
    Route("GET", "/v1/reps/{rep_id}", "routing"),
    Route("PATCH", "/v1/reps/{rep_id}", "routing"),
    Route("POST", "/v1/reps/{rep_id}/credentials", "routing"),
    Route("GET", "/v1/accounts/{account_id}/owner", "routing"),
    Route("PUT", "/v1/accounts/{account_id}/owner", "routing"),
    Route("GET", "/v1/referrals", "routing"),
    Route("GET", "/v1/referrals/{referral_id}", "routing"),
    Route("POST", "/v1/referrals/{referral_id}:see", "routing"),
    Route("POST", "/v1/referrals/{referral_id}:accept", "routing"),
    Route("POST", "/v1/referrals/{referral_id}:return", "routing"),
    Route("POST", "/v1/referrals/{referral_id}:reassign", "routing"),
    Route("GET", "/v1/routing/people/{person_id}/receipts", "routing"),
    *rulebook_routes("routing"),
)
# Metrics: what worked, and what was it worth?
_METRICS = (
    Route("GET", "/v1/campaigns", "metrics"),
    Route("POST", "/v1/campaigns", "metrics"),
    Route("GET", "/v1/campaigns/{campaign_id}", "metrics"),
    Route("PUT", "/v1/campaigns/{campaign_id}", "metrics"),
    Route("GET", "/v1/costs", "metrics"),
    Route("POST", "/v1/costs", "metrics"),
    Route("GET", "/v1/rates", "metrics"),
    Route("PUT", "/v1/rates/{currency}/{on}", "metrics"),
    *(Route("GET", f"/v1/reports/{name}", "metrics", timeout_seconds=_REPORT_SECONDS) for name in REPORTS),
)

ROUTES: tuple[Route, ...] = (*_IDENTITY, *_SCORING, *_LIFECYCLE, *_NURTURE, *_ROUTING, *_METRICS)
UPSTREAMS = ("identity", "scoring", "lifecycle", "nurture", "routing", "metrics")
"""The services behind the gateway, in the order of the walk; for each there is a setting `<name>_url`."""
