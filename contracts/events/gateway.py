"""What the gateway says."""

from __future__ import annotations

from typing import ClassVar

from contracts.envelope import Event
from contracts.values import Identifier, Interaction


class InteractionReceived(Event):
    """An interaction was captured and is on disk; who did it is not known yet.

    `meta.event_id` is the capture id: it depends on source and message id alone, so a retry carries the same one.
    """

    wire_name: ClassVar[str] = "capture.interaction.received.v1"
    owner: ClassVar[str] = "capture"
    omits_defaults: ClassVar[bool] = True

    interaction: Interaction
    identifiers: tuple[Identifier, ...] = ()  # as claimed, not normalised; strongest kind first
    previous_id: str | None = None  # alias calls: the name this person went by before

    @property
    def lane_key(self) -> str:
        if self.identifiers:
            first = self.identifiers[0]
            return f"{first.kind}:{first.value}"
        return self.meta.event_id
