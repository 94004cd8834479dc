"""Metrics' HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from services.metrics.api import routes_campaigns, routes_reports

ROUTERS = [
    routes_campaigns.campaigns_router,
    routes_campaigns.costs_router,
    routes_campaigns.rates_router,
    routes_reports.reports_router,
    routes_reports.people_router,
]
