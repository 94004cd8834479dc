"""What metrics hears."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.context import Context
from chassis.subscriptions import on_any
from contracts.envelope import Event
from contracts.events import identity, lifecycle, nurture, routing
from services.metrics.domain.hearing import harvest
from services.metrics.store.saving import save

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
    await save(context.session, harvest(events))


# one handler for all, so that a batch is one run however its events are mixed
SUBSCRIPTIONS = [on_any(HEARD, on_anything_told)]
