"""Every event there is, by wire name."""

from __future__ import annotations

from contracts.envelope import Event
from contracts.events import gateway, identity, scoring

EVENTS: tuple[type[Event], ...] = (
    gateway.InteractionReceived,
    identity.InteractionRecognized,
    identity.PersonCreated,
    identity.PersonMerged,
    identity.PersonSplit,
    identity.AccountCreated,
    identity.AccountChanged,
    scoring.ProfileChanged,
    scoring.ScoreChanged,
    scoring.ScoreCorrected,
    scoring.RulebookActivated,
)
BY_WIRE_NAME: dict[str, type[Event]] = {event.wire_name: event for event in EVENTS}
