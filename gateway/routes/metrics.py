"""Metrics: what worked, and what was it worth?"""

from __future__ import annotations

from gateway.routes.table import DECIDERS, MARKETERS, Route

_REPORT_SECONDS = 15.0  # a report over years of facts

ROUTES = (
    Route("GET", "/v1/campaigns", "metrics", DECIDERS),
    Route("POST", "/v1/campaigns", "metrics", MARKETERS),
    Route("GET", "/v1/campaigns/{campaign_id}", "metrics", DECIDERS),
    Route("PUT", "/v1/campaigns/{campaign_id}", "metrics", MARKETERS),
    Route("GET", "/v1/costs", "metrics", DECIDERS),
    Route("POST", "/v1/costs", "metrics", MARKETERS),
    Route("GET", "/v1/rates", "metrics", DECIDERS),
    Route("PUT", "/v1/rates/{currency}/{on}", "metrics", MARKETERS),
    Route("GET", "/v1/reports/{name}", "metrics", DECIDERS, timeout_seconds=_REPORT_SECONDS),
)
