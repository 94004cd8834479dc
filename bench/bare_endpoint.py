"""What the gateway is compared with: a FastAPI endpoint with a pydantic model of the same event, which stores
nothing.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel


class SegmentEvent(BaseModel):
    """A Segment event, as one would declare it to FastAPI."""

    type: str | None = None
    event: str | None = None
    userId: str | None = None  # noqa: N815
    anonymousId: str | None = None  # noqa: N815
    messageId: str  # noqa: N815
    writeKey: str | None = None  # noqa: N815
    timestamp: AwareDatetime
    sentAt: AwareDatetime | None = None  # noqa: N815
    traits: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}
    integrations: dict[str, Any] = {}


class Batch(BaseModel):
    """A batch of them."""

    batch: list[SegmentEvent]


def bare() -> FastAPI:
    """The endpoint to compare with: parses, validates, answers; stores nothing."""
    app = FastAPI()

    @app.post("/v1/track")
    async def track(event: SegmentEvent) -> dict[str, bool]:
        return {"success": bool(event.messageId)}

    @app.post("/v1/batch")
    async def batch(batch: Batch) -> dict[str, bool]:
        return {"success": all(event.messageId for event in batch.batch)}

    return app
