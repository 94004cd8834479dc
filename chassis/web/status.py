"""`GET /v1/status`: the condition of this process in figures, for whoever puts the whole suite on one page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from chassis.condition import Condition, condition_of
from chassis.figures import BusFigures
from chassis.readiness import Finding
from chassis.runtime import Runtime
from chassis.version import VERSION, revision
from chassis.web.auth import Caller, require
from chassis.web.problems import problem_responses
from chassis.web.routes import runtime_of

OPERATORS = ("ops", "admin")
router = APIRouter(tags=["status"])


class StatusFinding(BaseModel):
    """One thing about one part of a process."""

    model_config = ConfigDict(extra="forbid")

    part: str = Field(description="Which part: store, nats, relay, lane STREAM/0, timers, ...", examples=["relay"])
    says: str = Field(
        description="What is the matter, with figures and the last error",
        examples=["12 events wait for NATS, the oldest for 40 s"],
    )
    remedy: str = Field(
        description="What to do about it; empty where nothing need be done",
        examples=["See whether NATS is up and its disk has room"],
    )


class ServiceStatus(BaseModel):
    """How one service is. What is not known is null: when it cannot be reached, or its store does not answer."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="The service", examples=["scoring"])
    status: Literal["ready", "not-ready", "unreachable"] = Field(
        description="ready: its work moves. not-ready: `problems` says what does not. unreachable: it does not answer"
    )
    instances: int | None = Field(
        default=None,
        description="How many addresses its name has; one of them was asked. null: not known",
        examples=[1],
    )
    since: datetime | None = Field(
        default=None,
        description="When the process that answered was started, in UTC; null: not known",
        examples=["2026-03-01T08:00:00Z"],
    )
    version: str | None = Field(default=None, description="Its version; null: not known", examples=[VERSION])
    revision: str | None = Field(
        default=None,
        description="The commit its image was built from; empty: nobody said; null: not known",
        examples=["3ef7580"],
    )
    lag: dict[str, int | None] | None = Field(
        default=None,
        description="Messages that it has not applied yet, by stream; null: NATS cannot say it, as when the stream is"
        " gone",
        examples=[{"IDENTITY": 0}],
    )
    outbox_events: int | None = Field(
        default=None,
        description="What it said that NATS does not have yet, counted up to 10000; gateway: kept forms",
        examples=[0],
    )
    outbox_age_seconds: float | None = Field(
        default=None, description="Age of the oldest of these, in seconds; 0: there is none", examples=[0.0]
    )
    dead_letters: int | None = Field(
        default=None, description="Messages it gave up that wait for a replay, counted up to 10000", examples=[0]
    )
    timers_late_seconds: float | None = Field(
        default=None,
        description="For how many seconds the first timer that is due has not fired; 0: none is late",
        examples=[0.0],
    )
    store_bytes: int | None = Field(default=None, description="Size of its store, in bytes", examples=[1048576])
    figures: dict[str, int] = Field(
        default_factory=dict, description="What only this service counts", examples=[{"unassigned_leads": 2}]
    )
    problems: list[StatusFinding] = Field(default_factory=list, description="What keeps it from being ready")
    notes: list[StatusFinding] = Field(default_factory=list, description="What was set aside and waits for somebody")


@router.get("/v1/status", responses=problem_responses(403))
async def own_status(request: Request, caller: Caller) -> ServiceStatus:
    """How this process is: readiness, lag, outbox, dead letters, timers, and since when."""
    require(caller, *OPERATORS)
    runtime = runtime_of(request)
    return status_of(runtime, await condition_of(runtime))


def status_of(runtime: Runtime, condition: Condition) -> ServiceStatus:
    """`condition`, as it is answered."""
    store = condition.figures.store
    status = ServiceStatus(
        name=runtime.name,
        status="not-ready" if condition.problems else "ready",
        since=runtime.started_at,
        version=VERSION,
        revision=revision(),
        lag=_lag(condition.figures.bus),
        problems=_told(condition.problems),
        notes=_told(condition.notes),
    )
    if store is None:
        return status
    return status.model_copy(
        update={
            "outbox_events": store.outbox_events,
            "outbox_age_seconds": round(store.outbox_age_seconds, 3),
            "dead_letters": store.dead_letters,
            "timers_late_seconds": round(store.timers_late_seconds, 3),
            "store_bytes": store.size_bytes,
            "figures": {name.removeprefix("rapport_"): count for name, count in store.own.items()},
        }
    )


def _lag(bus: BusFigures) -> dict[str, int | None]:
    """By stream; one lane that is not known makes the sum unknown."""
    sums: dict[str, int | None] = {}
    for (stream, _), messages in bus.lag.items():
        before = sums.get(stream, 0)
        sums[stream] = None if before is None or messages is None else before + messages
    return sums


def _told(findings: Sequence[Finding]) -> list[StatusFinding]:
    return [StatusFinding(part=one.part, says=one.says, remedy=one.remedy) for one in findings]
