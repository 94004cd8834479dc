"""The scoring rulebook over HTTP."""

from __future__ import annotations

from people_kernel.api.rulebooks import rulebook_router
from services.scoring.handlers.rulebooks import DESK

router = rulebook_router(DESK)
