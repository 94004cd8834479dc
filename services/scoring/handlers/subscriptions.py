"""What scoring hears."""

from __future__ import annotations

from chassis.subscriptions import on, on_any, on_timer
from contracts.events.identity import InteractionRecognized, PersonMarked, PersonMerged, PersonSplit
from services.scoring.handlers.recording import FADED, on_interactions_recognized, on_people_marked, on_people_regrouped, on_scores_faded

SUBSCRIPTIONS = [
    on(InteractionRecognized, on_interactions_recognized),
    on_any((PersonMerged, PersonSplit), on_people_regrouped),
    on(PersonMarked, on_people_marked),
]
TIMERS = [on_timer(FADED, on_scores_faded)]
