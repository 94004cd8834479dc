"""Identity: who is this, and may we write to them?"""

from __future__ import annotations

from gateway.routes.table import DECIDERS, MARKETERS, TALKERS, Route

ROUTES = (
    Route("POST", "/v1/people/{person_id}:merge", "identity", DECIDERS),
    Route("POST", "/v1/people/{person_id}:split", "identity", DECIDERS),
    Route("POST", "/v1/people/{person_id}:mark", "identity", MARKETERS),
    Route("GET", "/v1/people/{person_id}/links", "identity"),
    Route("GET", "/v1/people/{person_id}/consent", "identity"),
    Route("PUT", "/v1/people/{person_id}/consent", "identity", TALKERS),
    Route("GET", "/v1/accounts", "identity"),
    Route("GET", "/v1/accounts/{account_id}", "identity"),
)
