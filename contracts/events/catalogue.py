"""Every event there is, by wire name."""

from __future__ import annotations

from contracts.envelope import Event
from contracts.events import gateway, identity, lifecycle, metrics, nurture, routing, scoring

EVENTS: tuple[type[Event], ...] = (
    gateway.InteractionReceived,
    identity.InteractionRecognized,
    identity.InteractionWithheld,
    identity.InteractionReleased,
    identity.PersonCreated,
    identity.PersonMerged,
    identity.PersonSplit,
    identity.PersonMarked,
    identity.CandidateProposed,
    identity.CandidateDecided,
    identity.ConsentChanged,
    identity.AccountCreated,
    identity.AccountChanged,
    identity.AccountMerged,
    identity.AccountSplit,
    scoring.ProfileChanged,
    scoring.ProfileChangedV1,
    scoring.ScoreChanged,
    scoring.ScoreCorrected,
    scoring.RulebookActivated,
    lifecycle.StageEntered,
    lifecycle.StageCorrected,
    lifecycle.SlaStarted,
    lifecycle.SlaReminded,
    lifecycle.SlaBreached,
    lifecycle.SlaKept,
    lifecycle.OpportunityOpened,
    lifecycle.OpportunityAdvanced,
    lifecycle.OpportunityWon,
    lifecycle.OpportunityLost,
    lifecycle.RulebookActivated,
    nurture.TreatmentSelected,
    nurture.RulebookActivated,
    routing.ReferralOffered,
    routing.ReferralSeen,
    routing.ReferralAccepted,
    routing.ReferralReturned,
    routing.ReferralExpired,
    routing.ReferralReassigned,
    routing.AlertRaised,
    routing.RepChanged,
    routing.RulebookActivated,
    metrics.CostRecorded,
)
BY_WIRE_NAME: dict[str, type[Event]] = {event.wire_name: event for event in EVENTS}
