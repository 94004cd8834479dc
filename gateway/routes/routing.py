"""Routing: which human should act, and how do they hear of it? (`GET /v1/alerts/stream` is the gateway's own.)"""

from __future__ import annotations

from gateway.routes.table import LEADERS, REFERRED, Route, rulebook_routes

ROUTES = (
    Route("GET", "/v1/reps", "routing"),
    Route("POST", "/v1/reps", "routing", LEADERS),
    Route("GET", "/v1/reps/{rep_id}", "routing"),
    Route("PATCH", "/v1/reps/{rep_id}", "routing", LEADERS),
    Route("POST", "/v1/reps/{rep_id}/credentials", "routing", REFERRED),
    Route("GET", "/v1/accounts/{account_id}/owner", "routing"),
    Route("PUT", "/v1/accounts/{account_id}/owner", "routing", LEADERS),
    Route("GET", "/v1/referrals", "routing"),
    Route("GET", "/v1/referrals/{referral_id}", "routing"),
    Route("POST", "/v1/referrals/{referral_id}:see", "routing", REFERRED),
    Route("POST", "/v1/referrals/{referral_id}:accept", "routing", REFERRED),
    Route("POST", "/v1/referrals/{referral_id}:return", "routing", REFERRED),
    Route("POST", "/v1/referrals/{referral_id}:reassign", "routing", LEADERS),
    Route("GET", "/v1/routing/people/{person_id}/receipts", "routing"),
    *rulebook_routes("routing"),
)
