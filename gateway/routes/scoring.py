"""Scoring: what is known, and how ready are they?"""

from __future__ import annotations

from gateway.routes.table import Route, rulebook_routes

ROUTES = (
    Route("GET", "/v1/people/{person_id}/timeline", "scoring", to="/v1/scoring/people/{person_id}/timeline"),
    Route("GET", "/v1/scoring/people", "scoring"),
    Route("POST", "/v1/scoring/people:lookup", "scoring"),
    Route("GET", "/v1/scoring/people/{person_id}", "scoring"),
    Route("GET", "/v1/scoring/people/{person_id}/receipts", "scoring"),
    Route("GET", "/v1/scoring/people/{person_id}/timeline", "scoring"),
    *rulebook_routes("scoring"),
)
