"""`GET /v1/status`: the whole suite on one page, for whoever runs it. Every service is asked at the same time, and one
that does not answer is named: the operator asks just then.
"""

from __future__ import annotations

import asyncio
import socket
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends
from pydantic import Field, ValidationError
from starlette.requests import Request

from chassis.condition import Condition, condition_of
from chassis.errors import Problem
from chassis.version import VERSION
from chassis.web.auth import Principal, require
from chassis.web.problems import problem_responses
from chassis.web.routes import runtime_of
from chassis.web.status import OPERATORS, ServiceStatus, StatusFinding, status_of
from gateway.admin.access import AdminView, ApiKey, State
from gateway.proxy import AnsweredBadly, Upstreams

_PATH: Final = "/v1/status"
_PATIENCE_SECONDS: Final = 0.95  # a service whose store hangs says so after 0.8
_NAMES_SECONDS: Final = 0.5
_LOOK: Final = "Look at its process and its log; what it was to hear waits for it"

router = APIRouter(tags=["status"])


class DiskStatus(AdminView):
    """Room, in bytes. What cannot be seen from the gateway is null: stores on another host, NATS that is away."""

    free_bytes: int | None = Field(description="Free on the disk of the gateway's store", examples=[48_318_382_080])
    size_bytes: int | None = Field(description="Size of that disk", examples=[107_374_182_400])
    stores_bytes: int = Field(description="What the stores of those that answered take up", examples=[613_416_960])
    streams_bytes: int | None = Field(description="What the streams take up", examples=[201_326_592])


class SuiteStatus(AdminView):
    """How the suite is."""

    version: str = Field(description="The gateway's version", examples=[VERSION])
    since: datetime = Field(description="When the gateway that answered was started", examples=["2026-03-01T08:00:00Z"])
    services: list[ServiceStatus] = Field(description="The gateway, and each service in the order of a capture's way")
    unassigned_leads: int | None = Field(
        description="Leads that no rep could be asked about; null while routing does not answer", examples=[0]
    )
    dead_letters: int = Field(
        description="Messages given up that wait for a replay, of those that answered", examples=[0]
    )
    disk: DiskStatus


_EXAMPLE = {
    "version": VERSION,
    "since": "2026-03-01T08:00:00Z",
    "services": [
        {
            "name": "gateway",
            "status": "ready",
            "instances": 1,
            "since": "2026-03-01T08:00:00Z",
            "version": VERSION,
            "revision": "",
            "lag": {},
            "outbox_events": 0,
            "outbox_age_seconds": 0.0,
            "dead_letters": 0,
            "timers_late_seconds": 0.0,
            "store_bytes": 126976,
            "figures": {},
            "problems": [],
            "notes": [],
        },
        {
            "name": "scoring",
            "status": "unreachable",
            "instances": 1,
            "since": None,
            "version": None,
            "revision": None,
            "lag": None,
            "outbox_events": None,
            "outbox_age_seconds": None,
            "dead_letters": None,
            "timers_late_seconds": None,
            "store_bytes": None,
            "figures": {},
            "problems": [{"part": "process", "says": "scoring cannot be reached", "remedy": _LOOK}],
            "notes": [],
        },
    ],
    "unassigned_leads": 2,
    "dead_letters": 0,
    "disk": {
        "free_bytes": 48_318_382_080,
        "size_bytes": 107_374_182_400,
        "stores_bytes": 613_416_960,
        "streams_bytes": 201_326_592,
    },
}
_ANSWERS = {
    200: {"content": {"application/json": {"example": _EXAMPLE}}},
    **problem_responses(401, 403),
}


@router.get(_PATH, responses=_ANSWERS)
async def suite_status(request: Request, state: State, caller: Annotated[Principal, Depends(ApiKey())]) -> SuiteStatus:
    """How the suite is: each service with its lag, outbox, dead letters and timers, and what is amiss where.

    Answered within a second or so, and with 200 whatever is away.
    """
    require(caller, *OPERATORS)
    runtime = runtime_of(request)
    condition, services = await asyncio.gather(
        condition_of(runtime), asyncio.gather(*(_asked(state.upstreams, name, caller) for name in state.upstreams.urls))
    )
    own = status_of(runtime, condition)
    return _whole(own.model_copy(update={"instances": 1}), services, condition)


def _whole(own: ServiceStatus, services: list[ServiceStatus], condition: Condition) -> SuiteStatus:
    everybody = [own, *services]
    disk, bus = condition.figures.disk, condition.figures.bus
    unassigned = [one.figures["unassigned_leads"] for one in services if "unassigned_leads" in one.figures]
    assert own.since is not None
    return SuiteStatus(
        version=VERSION,
        since=own.since,
        services=everybody,
        unassigned_leads=sum(unassigned) if unassigned else None,
        dead_letters=sum(one.dead_letters or 0 for one in everybody),
        disk=DiskStatus(
            free_bytes=None if disk is None else disk.free,
            size_bytes=None if disk is None else disk.size,
            stores_bytes=sum(one.store_bytes or 0 for one in everybody),
            streams_bytes=bus.used_bytes,
        ),
    )


async def _asked(upstreams: Upstreams, name: str, caller: Principal) -> ServiceStatus:
    instances, status = await asyncio.gather(_addresses(upstreams.urls[name]), _told(upstreams, name, caller))
    return status.model_copy(update={"instances": instances})


async def _told(upstreams: Upstreams, name: str, caller: Principal) -> ServiceStatus:
    try:
        answer = await upstreams.ask(name, "GET", _PATH, caller, timeout_seconds=_PATIENCE_SECONDS)
        return ServiceStatus.model_validate(answer)
    except (Problem, AnsweredBadly) as error:
        reason = error.detail if isinstance(error, Problem) else str(error)
    except ValidationError:  # what listens there is another version, or nothing of ours
        reason = f"{name} answers, but not as this version would"
    return ServiceStatus(
        name=name, status="unreachable", problems=[StatusFinding(part="process", says=reason, remedy=_LOOK)]
    )


async def _addresses(url: str) -> int | None:
    """How many addresses the host of `url` has: instances, where a name stands for all of them."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(_NAMES_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return None
    return len({address[0] for *_, address in found})
