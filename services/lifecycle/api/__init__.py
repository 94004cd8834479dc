"""Lifecycle's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from people_kernel.api.receipts import receipts_router
from people_kernel.api.rulebooks import rulebook_router
from services.lifecycle.api import opportunities, people, process, verdicts
from services.lifecycle.domain.process import NAME
from services.lifecycle.handlers.rulebooks import DESK
from services.lifecycle.store.tables import FRAGMENT, RECEIPT

ROUTERS = [people.router, verdicts.router, process.router, opportunities.router, receipts_router(NAME, RECEIPT, FRAGMENT), rulebook_router(DESK)]
