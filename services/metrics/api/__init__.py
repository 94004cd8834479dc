"""Metrics' HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from services.metrics.api import campaigns, costs, people, rates, reports

ROUTERS = [campaigns.router, costs.router, rates.router, reports.router, people.router]
