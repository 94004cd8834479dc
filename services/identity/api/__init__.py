"""Identity's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from services.identity.api import accounts, consent, marking, people, regrouping

ROUTERS = [people.router, regrouping.router, marking.router, consent.router, accounts.router]
