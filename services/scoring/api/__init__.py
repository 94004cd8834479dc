"""Scoring's HTTP door; the gateway passes requests on to it."""

from __future__ import annotations

from services.scoring.api import history, people, rulebooks

ROUTERS = [people.router, history.router, rulebooks.router]
