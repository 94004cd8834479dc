"""Lifecycle's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from people_kernel.api.receipts import receipts_router
from people_kernel.api.rulebooks import rulebook_router
from services.lifecycle.api import routes_opportunities, routes_people
from services.lifecycle.domain.process import NAME
from services.lifecycle.rulebooks import REGISTRY
from services.lifecycle.store.tables import FRAGMENT, RECEIPT

ROUTERS = [
    routes_people.router,
    routes_opportunities.router,
    receipts_router(NAME, RECEIPT, FRAGMENT),
    rulebook_router(REGISTRY),
]
