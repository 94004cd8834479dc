"""Lifecycle: where are they on the way, which clock runs, what became of the deal?"""

from __future__ import annotations

from gateway.routes.table import TALKERS, Route, rulebook_routes

ROUTES = (
    Route("GET", "/v1/lifecycle/process", "lifecycle"),
    Route("GET", "/v1/lifecycle/people", "lifecycle"),
    Route("GET", "/v1/lifecycle/people/{person_id}", "lifecycle"),
    Route("GET", "/v1/lifecycle/people/{person_id}/history", "lifecycle"),
    Route("GET", "/v1/lifecycle/people/{person_id}/receipts", "lifecycle"),
    Route("POST", "/v1/lifecycle/people/{person_id}:qualify", "lifecycle", TALKERS),
    Route("POST", "/v1/lifecycle/people/{person_id}:recycle", "lifecycle", TALKERS),
    Route("POST", "/v1/lifecycle/people/{person_id}:disqualify", "lifecycle", TALKERS),
    Route("POST", "/v1/lifecycle/people/{person_id}:reopen", "lifecycle", TALKERS),
    Route("GET", "/v1/opportunities", "lifecycle"),
    Route("POST", "/v1/opportunities", "lifecycle", TALKERS),
    Route("GET", "/v1/opportunities/{opportunity_id}", "lifecycle"),
    Route("POST", "/v1/opportunities/{opportunity_id}:advance", "lifecycle", TALKERS),
    Route("POST", "/v1/opportunities/{opportunity_id}:win", "lifecycle", TALKERS),
    Route("POST", "/v1/opportunities/{opportunity_id}:lose", "lifecycle", TALKERS),
    *rulebook_routes("lifecycle"),
)
