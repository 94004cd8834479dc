"""What routing does when it hears something, when a timer fires, and when it is asked to."""

from services.routing.handlers.hearing import on_lifecycle_told, on_people_regrouped
from services.routing.handlers.rulebooks import with_rulebook
from services.routing.handlers.subscriptions import SUBSCRIPTIONS, TIMERS
from services.routing.handlers.timing import on_offers_expired, on_referrals_waiting

__all__ = ["SUBSCRIPTIONS", "TIMERS", "on_lifecycle_told", "on_offers_expired", "on_people_regrouped", "on_referrals_waiting", "with_rulebook"]
