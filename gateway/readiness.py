"""What the gateway's readiness has beside every process's: its two ways to NATS, and `GET /readyz/forms`, which says
the same as `/readyz/traffic`: are forms kept and reads answered here?
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from chassis.bus.broker import Broker
from chassis.bus.coalescer import Coalescer
from chassis.progress import Progress
from chassis.readiness import Finding
from chassis.runtime import Runtime
from chassis.web.health import takes_traffic_of_all

router = APIRouter(include_in_schema=False)


@router.get("/readyz/forms")
async def are_forms_kept(request: Request) -> Response:
    """200 while forms are kept and reads answered, also when NATS is away; 503 when a form would be lost."""
    return await takes_traffic_of_all(request)


class DoorWork:
    """The gateway's own work, as a readiness check: captures reach the stream, and whoever listens hears of alerts."""

    def __init__(self, runtime: Runtime, captures: Coalescer, alerts: Broker) -> None:
        self._runtime = runtime
        self._captures = captures
        self._alerts = alerts
        self._unheard = Progress()

    async def findings(self) -> Sequence[Finding]:
        """What does not move for longer than a retry that helps. That NATS is away is told elsewhere."""
        most, found = self._runtime.settings.stuck_seconds, []
        if (stuck := self._captures.stuck_seconds) > most:
            says = f"captures have waited for {stuck:.0f} s to be stored, and none was"
            found.append(Finding("captures", says, "Look at nats-server; restart the gateway when that is well"))
        if self._alerts.is_connected or not self._runtime.broker.is_connected:
            self._unheard.rest()
        else:
            self._unheard.begin()
        if (stuck := self._unheard.stuck_seconds) > most:
            says = f"the connection that alerts come by has been away for {stuck:.0f} s"
            found.append(Finding("alerts", says, "Look at nats-server's log. It is tried again by itself"))
        return found
