"""Identity's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from services.identity.api import (
    routes_accounts,
    routes_browsers,
    routes_candidates,
    routes_consent,
    routes_people,
    routes_withheld,
)

ROUTERS = [
    routes_people.router,
    routes_consent.router,
    routes_accounts.router,
    routes_withheld.router,
    routes_browsers.router,
    routes_candidates.router,
]
