"""What the gateway passes on: tables to be read, one for each service. First match counts; a path no table names is the gateway's own or nobody's."""

from __future__ import annotations

from gateway.routes import identity, lifecycle, metrics, nurture, routing, scoring
from gateway.routes.table import EVERYBODY, Route, RouteTable

__all__ = ["EVERYBODY", "ROUTES", "UPSTREAMS", "Route", "RouteTable"]

ROUTES: tuple[Route, ...] = (*identity.ROUTES, *scoring.ROUTES, *lifecycle.ROUTES, *nurture.ROUTES, *routing.ROUTES, *metrics.ROUTES)
UPSTREAMS = ("identity", "scoring", "lifecycle", "nurture", "routing", "metrics")
"""The services behind the gateway, in the order of the walk; for each there is a setting `<name>_url`."""
