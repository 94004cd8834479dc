"""What lifecycle hears, and the timers it set itself."""

from __future__ import annotations

from chassis.subscriptions import on_any, on_timer
from services.lifecycle.domain.clocks import BREACH, REMIND
from services.lifecycle.domain.hearing import HEARD
from services.lifecycle.domain.verdicts import WAKE
from services.lifecycle.handlers.walking import on_breaches_due, on_people_told, on_reminders_due, on_wakes_due

SUBSCRIPTIONS = [on_any(HEARD, on_people_told)]
TIMERS = [on_timer(REMIND, on_reminders_due), on_timer(BREACH, on_breaches_due), on_timer(WAKE, on_wakes_due)]
