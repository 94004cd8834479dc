"""Identity's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from services.identity.api import routes_consent, routes_people

ROUTERS = [routes_people.router, routes_consent.router, routes_people.accounts]
