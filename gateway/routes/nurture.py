"""Nurture: which treatment fits now? (`POST /v1/treatments:select` is the gateway's own: web sites ask it too.)"""

from __future__ import annotations

from gateway.routes.table import MARKETERS, Route, rulebook_routes

ROUTES = (
    Route("GET", "/v1/treatments", "nurture"),
    Route("POST", "/v1/treatments", "nurture", MARKETERS),
    Route("GET", "/v1/treatments/{treatment_id}", "nurture"),
    Route("PUT", "/v1/treatments/{treatment_id}", "nurture", MARKETERS),
    Route("GET", "/v1/nurture/people/{person_id}", "nurture"),
    Route("GET", "/v1/nurture/people/{person_id}/receipts", "nurture"),
    Route("GET", "/v1/nurture/people/{person_id}/receipts/{receipt_id}/why-not", "nurture"),
    *rulebook_routes("nurture"),
)
