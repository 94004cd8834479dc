"""Lifecycle's knobs: those that all services share; what decides is in the rulebook."""

from __future__ import annotations

from chassis.settings import ServiceSettings


class LifecycleSettings(ServiceSettings, env_prefix="LIFECYCLE_"):
    """Read from LIFECYCLE_*."""
