"""What nurture hears."""

from __future__ import annotations

from chassis.subscriptions import on, on_any
from contracts.events.identity import ConsentChanged, PersonCreated, PersonMerged, PersonSplit
from contracts.events.lifecycle import StageCorrected, StageEntered
from contracts.events.scoring import ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from services.nurture.handlers.following import (
    on_consents_changed,
    on_people_created,
    on_people_regrouped,
    on_scores_said,
    on_stages_said,
)

SUBSCRIPTIONS = [
    on(PersonCreated, on_people_created),
    on_any((PersonMerged, PersonSplit), on_people_regrouped),
    on(ConsentChanged, on_consents_changed),
    on_any((ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected), on_scores_said),
    on_any((StageEntered, StageCorrected), on_stages_said),
]
