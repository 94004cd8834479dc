"""Scoring's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from people_kernel.api.rulebooks import rulebook_router
from services.scoring.api import routes_people
from services.scoring.rulebooks import REGISTRY

ROUTERS = [routes_people.router, rulebook_router(REGISTRY)]
