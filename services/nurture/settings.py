"""Nurture's knobs."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import LINGER, Milliseconds, ServiceSettings


class NurtureSettings(ServiceSettings, env_prefix="NURTURE_"):
    """Read from NURTURE_*."""

    reuse_minutes: int = Field(
        default=30,
        ge=0,
        le=1440,
        description="For how long a page that is loaded again gets the same answer; 0: always choose anew",
    )
    # nobody waits for a suggestion; but who asks for a treatment is answered from what was heard
    linger_ms: Milliseconds = Field(default=50.0, description=LINGER)
