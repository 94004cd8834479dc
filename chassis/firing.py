"""Due timers become one transaction: take them, hand them over in runs, write what was said, commit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from opentelemetry.trace import SpanKind

from chassis.runtime import Runtime
from chassis.store import timers
from chassis.subscriptions import TimerSubscription


class TimerFiring:
    """What the clock (`chassis.store.clock`) calls when timers are due."""

    def __init__(self, runtime: Runtime, subscriptions: Sequence[TimerSubscription]) -> None:
        self._runtime = runtime
        self._handlers = {subscription.kind: subscription.handler for subscription in subscriptions}

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of timers that this service has handlers for."""
        return frozenset(self._handlers)

    async def fire(self, now: datetime, limit: int) -> int:
        """Handles up to `limit` timers that are due at `now`, each in the transaction that removes it. Answers how many there were."""
        with self._runtime.telemetry.span("fire timers", SpanKind.INTERNAL):
            async with self._runtime.writing(now=now) as context:
                due = await timers.take_due(context.session, now, self.kinds, limit)
                for kind, run in groupby(due, key=lambda timer: timer.kind):
                    began = time.perf_counter()
                    handed = list(run)
                    await self._handlers[kind](handed, context)
                    self._runtime.metrics.run_handled(f"timer {kind}", len(handed), time.perf_counter() - began)
        for timer in due:
            self._runtime.metrics.timer_fired(timer.kind, (now - timer.due_at).total_seconds())
        return len(due)
