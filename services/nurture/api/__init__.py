"""Nurture's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from people_kernel.api.receipts import receipts_router
from people_kernel.api.rulebooks import rulebook_router
from services.nurture.api import people, selection, treatments, why_not
from services.nurture.domain.rules import NAME
from services.nurture.handlers.rulebooks import DESK
from services.nurture.store.tables import FRAGMENT, RECEIPT

ROUTERS = [treatments.router, selection.router, people.router, why_not.router, receipts_router(NAME, RECEIPT, FRAGMENT), rulebook_router(DESK)]
