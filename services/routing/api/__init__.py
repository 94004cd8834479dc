"""Routing's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from people_kernel.api.receipts import receipts_router
from people_kernel.api.rulebooks import rulebook_router
from services.routing.api import routes_referrals, routes_reps, routes_rights
from services.routing.domain.assignment import NAME
from services.routing.rulebooks import REGISTRY
from services.routing.store.tables import FRAGMENT, RECEIPT

ROUTERS = [
    routes_reps.router,
    routes_referrals.router,
    routes_referrals.people_router,
    routes_rights.router,
    receipts_router(NAME, RECEIPT, FRAGMENT),
    rulebook_router(REGISTRY),
]
