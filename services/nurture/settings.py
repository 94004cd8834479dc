"""Nurture's knobs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chassis.settings import Milliseconds, ServiceSettings


class NurtureSettings(ServiceSettings, env_prefix="NURTURE_"):
    """Read from NURTURE_*."""

    # a page that is loaded again gets the same answer; 0: always choose anew
    reuse_minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    # nobody waits for a suggestion; but who asks for a treatment is answered from what was heard
    linger_ms: Milliseconds = 50.0
