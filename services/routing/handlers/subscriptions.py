"""What routing hears."""

from __future__ import annotations

from chassis.subscriptions import on_any, on_timer
from contracts.events.identity import PersonMerged, PersonSplit
from contracts.events.lifecycle import SlaBreached, SlaReminded, StageCorrected, StageEntered
from services.routing.handlers.desks import EXPIRED, WAITING
from services.routing.handlers.hearing import on_lifecycle_told, on_people_regrouped
from services.routing.handlers.timing import on_offers_expired, on_referrals_waiting

SUBSCRIPTIONS = [
    on_any((StageEntered, StageCorrected, SlaReminded, SlaBreached), on_lifecycle_told),
    on_any((PersonMerged, PersonSplit), on_people_regrouped),
]
TIMERS = [on_timer(EXPIRED, on_offers_expired), on_timer(WAITING, on_referrals_waiting)]
