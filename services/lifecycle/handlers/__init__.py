"""What lifecycle does when it hears something, when a timer fires, and when it is asked to."""

from services.lifecycle.handlers.rulebooks import with_rulebook
from services.lifecycle.handlers.subscriptions import SUBSCRIPTIONS, TIMERS
from services.lifecycle.handlers.walking import on_breaches_due, on_people_told, on_reminders_due, on_wakes_due

__all__ = ["SUBSCRIPTIONS", "TIMERS", "on_breaches_due", "on_people_told", "on_reminders_due", "on_wakes_due", "with_rulebook"]
