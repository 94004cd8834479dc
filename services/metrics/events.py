"""What metrics hears."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.context import Context
from chassis.subscriptions import on_any
from contracts.envelope import Event
from contracts.events import identity, lifecycle, nurture, routing
from services.metrics.domain.incoming_events import record
from services.metrics.domain.workspace import MetricsWorkspace
from services.metrics.store import write

HEARD: tuple[type[Event], ...] = (
    identity.InteractionRecognized,
    identity.PersonCreated,
    identity.PersonMerged,
    identity.PersonSplit,
    identity.PersonMarked,
    lifecycle.StageEntered,
    lifecycle.StageCorrected,
    lifecycle.SlaStarted,
    lifecycle.SlaKept,
    lifecycle.SlaBreached,
    lifecycle.OpportunityOpened,
    lifecycle.OpportunityAdvanced,
    lifecycle.OpportunityWon,
    lifecycle.OpportunityLost,
    routing.ReferralOffered,
    routing.ReferralAccepted,
    routing.ReferralReturned,
    routing.ReferralExpired,
    nurture.TreatmentSelected,
)


async def on_anything_told(events: Sequence[Event], context: Context) -> None:
    """Facts of all kinds are written in one go; what comes of a batch does not depend on the order in it."""
    workspace = MetricsWorkspace()
    for event in events:
        record(workspace, event)
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


# one handler for all, so that a batch is one run however its events are mixed
SUBSCRIPTIONS = [on_any(HEARD, on_anything_told)]
