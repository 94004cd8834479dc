"""What is counted of webhooks, and what readiness notes of them."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from chassis.readiness import Finding
from chassis.runtime import OwnFigure, Runtime
from chassis.store.session import Session
from gateway.domain.webhooks.backoff import Reception
from gateway.webhooks import delivery_log, registry

_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)
_NAMED = 3


async def _waiting(session: Session) -> int:
    return await delivery_log.waiting(session)


async def _off(session: Session) -> int:
    return len(await registry.off(session))


LOOKED_UP = (
    OwnFigure("rapport_webhook_deliveries_waiting", "Events that wait to be sent to a webhook", _waiting),
    OwnFigure("rapport_webhooks_failing", "Webhooks whose receiver answers nothing well", registry.failing),
    OwnFigure("rapport_webhooks_off", "Webhooks that were switched off because of their receiver", _off),
)


class WebhookFigures:
    """Attempts by what came of them, and how long receivers took."""

    def __init__(self, service: str, collected: CollectorRegistry) -> None:
        self._service = service
        self._attempts = Counter(
            "rapport_webhook_attempts_total",
            "Attempts to send an event to a webhook",
            ("service", "outcome"),
            registry=collected,
        )
        self._seconds = Histogram(
            "rapport_webhook_answer_seconds",
            "Time that receivers of webhooks took to answer",
            ("service",),
            buckets=_BUCKETS,
            registry=collected,
        )

    def attempted(self, verdict: Reception, latency_ms: int) -> None:
        """One attempt was made."""
        self._attempts.labels(self._service, verdict.value).inc()
        self._seconds.labels(self._service).observe(latency_ms / 1000)


def watched(runtime: Runtime) -> WebhookFigures:
    """The figures of a process, which `/metrics`, `/readyz` and `GET /v1/status` tell from now on."""

    async def findings() -> Sequence[Finding]:
        async with runtime.database.glance() as session:
            return _noted(await registry.off(session))

    runtime.own_figures += LOOKED_UP
    runtime.checks.append(findings)
    return WebhookFigures(runtime.name, runtime.metrics.registry)


def _noted(off: Sequence[tuple[str, str]]) -> Sequence[Finding]:
    """Webhooks that were switched off, as a note: nothing else suffers from it."""
    if not off:
        return ()
    named = "; ".join(f"{webhook_id}: {reason}" for webhook_id, reason in off[:_NAMED])
    more = f" and {len(off) - _NAMED} more" if len(off) > _NAMED else ""
    remedy = "See to the receiver, then POST /v1/webhooks/{webhook_id}:enable sends what it missed"
    return [Finding("webhooks", f"switched off: {named}{more}", remedy, is_note=True)]
