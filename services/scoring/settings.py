"""Scoring's knobs: those that all services share; what decides is in the rulebook."""

from __future__ import annotations

from chassis.settings import ServiceSettings


class ScoringSettings(ServiceSettings, env_prefix="SCORING_"):
    """Read from SCORING_*."""
