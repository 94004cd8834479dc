"""Nurture's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from people_kernel.api.receipts import receipts_router
from people_kernel.api.rulebooks import rulebook_router
from services.nurture.api import routes_people, routes_treatments
from services.nurture.domain.rules import NAME
from services.nurture.rulebooks import REGISTRY
from services.nurture.store.tables import FRAGMENT, RECEIPT

ROUTERS = [
    routes_treatments.router,
    routes_people.router,
    receipts_router(NAME, RECEIPT, FRAGMENT),
    rulebook_router(REGISTRY),
]
