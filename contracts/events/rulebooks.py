"""What each service that decides says of its rules."""

from __future__ import annotations

from typing import ClassVar

from contracts.envelope import Event


class RulebookActivated(Event):
    """From here on in the owner's stream, another version of its rulebook decides."""

    every_lane: ClassVar[bool] = True

    version: int
    digest: str
    activated_by: str

    @property
    def lane_key(self) -> str:
        return self.owner
