"""What operators send and see of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import Field, StrictBool

from chassis.web.fields import WHOLE, Moment
from gateway.admin.access import AdminRequest, AdminView
from gateway.domain.webhooks.addresses import MOST_CHARACTERS
from gateway.domain.webhooks.event_types import PATTERN
from gateway.domain.webhooks.limits import WEBHOOK_REPLAY
from gateway.domain.webhooks.payload import cursor_of
from gateway.webhooks.tables import DeliveryState, WebhookDeliveryRow, WebhookRow

WebhookUrl = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MOST_CHARACTERS,
        description="Where events are posted: https, without credentials, reached over the internet",
        examples=["https://hooks.tidewater.example/rapport"],
    ),
]
EventPattern = Annotated[str, Field(max_length=100, pattern=PATTERN)]
EventPatterns = Annotated[
    list[EventPattern],
    Field(
        min_length=1,
        max_length=50,
        description="Events wanted, by name: `lifecycle.stage.entered`, with its version or without; `*` for a word, at"
        " the end for all that follow; `*` alone for everything",
        examples=[["lifecycle.*", "routing.referral.accepted"]],
    ),
]
Description = Annotated[
    str, Field(max_length=500, pattern=r"^[^\x00]*$", description="What it is for", examples=["CRM of the north team"])
]
WebhookId = Annotated[
    str, Path(max_length=64, description="Of GET /v1/webhooks", examples=["whk_01M80JJ5Y0W1TJ1R02BCAFQ80A"])
]
PlaceCursor = Annotated[
    str,
    Field(
        pattern=r"^[A-Z]{1,20}/[0-9]{1,18}$",
        description="The `cursor` of an event that arrived; what follows it on its stream is sent",
        examples=["LIFECYCLE/1204"],
    ),
]
DELIVERY_EXAMPLE: dict[str, Any] = {
    "delivery_id": 812,
    "event_id": "evt_01KJPY44E0W3QFZ9Z1TQ7E9NFN",
    "event_type": "lifecycle.stage.entered.v1",
    "cursor": "LIFECYCLE/1204",
    "state": "waiting",
    "attempts": 2,
    "created_at": "2026-03-02T09:30:01Z",
    "attempted_at": "2026-03-02T09:30:07Z",
    "next_attempt_at": "2026-03-02T09:30:36Z",
    "status": 503,
    "latency_ms": 41,
    "answer": "down for maintenance",
    "error": "",
}


class WebhookWish(AdminRequest):
    """A webhook to be made."""

    url: WebhookUrl
    types: EventPatterns
    description: Description = ""
    is_enabled: StrictBool = Field(default=True, description="Whether events are sent from now on", examples=[True])


class WebhookChange(AdminRequest):
    """What is to be different; what is left out stays."""

    url: WebhookUrl | None = Field(
        default=None, description="Where events are posted from now on", examples=["https://hooks.tidewater.example/r2"]
    )
    types: EventPatterns | None = Field(
        default=None, description="Events wanted from now on", examples=[["lifecycle.stage.*"]]
    )
    description: Description | None = Field(default=None, description="What it is for", examples=["CRM of the south"])
    is_enabled: StrictBool | None = Field(
        default=None,
        description="Switched off, it keeps its place in the streams, and goes on from there",
        examples=[False],
    )


class WebhookView(AdminView):
    """A webhook; its secret is told when it is made or rotated, and then no more."""

    webhook_id: str = Field(description="Its id", examples=["whk_01M80JJ5Y0W1TJ1R02BCAFQ80A"])
    url: str = Field(description="Where events are posted", examples=["https://hooks.tidewater.example/rapport"])
    types: list[str] = Field(description="Events wanted", examples=[["lifecycle.*"]])
    description: str = Field(description="What it is for", examples=["CRM of the north team"])
    is_enabled: bool = Field(description="Whether events are sent to it", examples=[True])
    off_reason: str | None = Field(
        description="Why it was switched off by itself: `:enable` sends what it missed",
        examples=["It has answered nothing well for 24 hours"],
    )
    created_by: str = Field(description="Whose key it was made with", examples=["ops@acme.test"])
    created_at: datetime = Field(description="When it was made", examples=["2026-03-01T08:00:00Z"])
    failing_since: datetime | None = Field(
        description="Since when nothing was answered well; null while all is", examples=["2026-03-02T09:30:01Z"]
    )
    delivered_at: datetime | None = Field(
        description="When something was answered well last", examples=["2026-03-02T09:12:44Z"]
    )
    secrets_in_force: int = Field(description="How many secrets sign: 2 while a rotation overlaps", examples=[1])


class NewWebhookView(WebhookView):
    """A webhook just made or rotated; the only answer that holds its secret."""

    secret: str = Field(
        description="What signatures are checked with (Standard Webhooks)",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDi0ZuNyBE5pM="],
    )


class WebhookPage(AdminView):
    """Webhooks in the order they were made."""

    items: list[WebhookView] = Field(description="The webhooks of this page")
    next_cursor: str | None = Field(description="Send it as `cursor`; null after the last page", examples=[None])


class WebhookRotation(AdminRequest):
    """How the new secret takes over."""

    overlap_hours: Annotated[int, Field(ge=0, le=168), WHOLE] = Field(
        default=24,
        description="For so long the old secret signs beside the new one; 0: at once, as when it was stolen",
        examples=[24],
    )


class EnablingWish(AdminRequest):
    """How it goes on."""

    skip_missed: StrictBool = Field(
        default=False,
        description="Leave out what it missed, and what waits for it: only what comes from now on is sent",
        examples=[False],
    )


class TestWish(AdminRequest):
    """What is sent as a sample."""

    __test__ = False  # no test class

    event_type: Annotated[str, Field(max_length=100)] | None = Field(
        default=None,
        description="The event whose example is sent; else the first that the webhook wants",
        examples=["lifecycle.stage.entered.v1"],
    )


class TestResultView(AdminView):
    """What the receiver said to the sample."""

    __test__ = False

    event_id: str = Field(description="The sample's `webhook-id`", examples=["evt_01KJPY44E0W3QFZ9Z1TQ7E9NFN"])
    event_type: str = Field(description="Whose example was sent", examples=["lifecycle.stage.entered.v1"])
    is_delivered: bool = Field(description="Whether it was answered with 2xx", examples=[True])
    status: int | None = Field(description="The status it answered with; null when it did not", examples=[204])
    latency_ms: int = Field(description="How long it took, in milliseconds", examples=[38])
    answer: str = Field(description="The first 512 bytes of its answer", examples=["ok"])
    error: str = Field(description="Why there was no answer; else empty", examples=[""])


class ReplayWish(AdminRequest):
    """From where on events are sent again: one of the two."""

    since: Moment | None = Field(
        default=None, description="What was stored since then, on all streams", examples=["2026-03-01T00:00:00Z"]
    )
    cursor: PlaceCursor | None = Field(
        default=None,
        description="The `cursor` of an event that arrived: what follows it on its stream",
        examples=["LIFECYCLE/1204"],
    )


class ReplayedStream(AdminView):
    """What is sent again of one stream."""

    stream: str = Field(description="Which", examples=["LIFECYCLE"])
    after: int = Field(description="Behind this message", examples=[1204])
    until: int = Field(description="Up to this one; what came later is sent anyhow", examples=[1388])


class WebhookReplayView(AdminView):
    """What is sent again, in the background."""

    streams: list[ReplayedStream] = Field(description="Those on which there is something to be repeated")
    most_events: int = Field(
        default=WEBHOOK_REPLAY,
        description="So many events of each stream at most; go on with the cursor of the last",
        examples=[WEBHOOK_REPLAY],
    )


class DeliveryView(AdminView):
    """An event for this webhook, and what came of the last attempt."""

    delivery_id: int = Field(description="Its number", examples=[812])
    event_id: str = Field(
        description="The event, as in the header webhook-id", examples=["evt_01KJPY44E0W3QFZ9Z1TQ7E9NFN"]
    )
    event_type: str = Field(description="Its name", examples=["lifecycle.stage.entered.v1"])
    cursor: str = Field(description="Where it stands: `:replay` goes on from there", examples=["LIFECYCLE/1204"])
    state: DeliveryState = Field(description="waiting, delivered, or failed for good", examples=["waiting"])
    attempts: int = Field(description="How often it was sent", examples=[2])
    created_at: datetime = Field(description="When it was taken from the stream", examples=["2026-03-02T09:30:01Z"])
    attempted_at: datetime | None = Field(description="The last attempt", examples=["2026-03-02T09:30:07Z"])
    next_attempt_at: datetime | None = Field(description="The next one", examples=["2026-03-02T09:30:36Z"])
    status: int | None = Field(description="The status of the last answer", examples=[503])
    latency_ms: int | None = Field(description="How long that took, in milliseconds", examples=[41])
    answer: str | None = Field(description="The first 512 bytes of it", examples=["down for maintenance"])
    error: str | None = Field(description="Why there was none; else empty", examples=[""])


class DeliveryPage(AdminView):
    """Deliveries, newest first."""

    items: list[DeliveryView] = Field(description="The deliveries of this page", examples=[[DELIVERY_EXAMPLE]])
    next_cursor: str | None = Field(description="Send it as `cursor`; null after the last page", examples=[None])


def view_of(row: WebhookRow, secrets_in_force: int) -> WebhookView:
    """A row, as operators see it."""
    known = {name: getattr(row, name) for name in WebhookView.model_fields if name != "secrets_in_force"}
    return WebhookView(**known, secrets_in_force=secrets_in_force)


def delivery_view_of(row: WebhookDeliveryRow) -> DeliveryView:
    """A row, as operators see it."""
    known = {name: getattr(row, name) for name in DeliveryView.model_fields if name != "cursor"}
    return DeliveryView(**known, cursor=cursor_of(row.stream, row.sequence))
