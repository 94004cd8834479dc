"""Routing's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from people_kernel.api.receipts import receipts_router
from people_kernel.api.rulebooks import rulebook_router
from services.routing.api import accounts, answers, credentials, people, referrals, reps
from services.routing.domain.rules import NAME
from services.routing.handlers.rulebooks import RULEBOOKS
from services.routing.store.tables import FRAGMENT, RECEIPT

ROUTERS = [
    reps.router,
    credentials.router,
    accounts.router,
    answers.router,
    referrals.router,
    people.router,
    receipts_router(NAME, RECEIPT, FRAGMENT),
    rulebook_router(RULEBOOKS),
]
