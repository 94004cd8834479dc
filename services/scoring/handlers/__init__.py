"""What scoring does when it hears something, when a timer fires, and when it is asked to."""

from services.scoring.handlers.recording import on_interactions_recognized, on_people_marked, on_people_regrouped, on_scores_faded
from services.scoring.handlers.rulebooks import with_rulebook
from services.scoring.handlers.subscriptions import SUBSCRIPTIONS, TIMERS

__all__ = ["SUBSCRIPTIONS", "TIMERS", "on_interactions_recognized", "on_people_marked", "on_people_regrouped", "on_scores_faded", "with_rulebook"]
