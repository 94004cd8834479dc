"""A capture: one interaction, ready to be said, built as plain JSON so that the hot path never builds a pydantic
object.

`body` equals `InteractionReceived.body()` byte for byte; a test holds both against each other on
every recorded request. It is written once, when the capture is made: its length is what the capture
costs, and is judged before it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

from contracts.events.gateway import InteractionReceived
from contracts.values import Flag, IdentifierKind, InteractionKind, JsonObject
from gateway.domain.capture import CaptureSource
from semantics.contacts import given_in, unreadable_among
from tests.unit.gateway.plain.ids import derive_id, hash_id, lane_of

_DEFAULTS: Final[tuple[Any, ...]] = (None, False, [], {})


@dataclass(frozen=True, slots=True)
class Claim:
    """A name someone goes by, as claimed."""

    kind: IdentifierKind
    value: str


@dataclass(slots=True)
class Draft:
    """An interaction in the making; `account` has the four fields of AccountClaim or is None."""

    kind: InteractionKind
    message_id: str
    received_at: datetime  # aware UTC
    occurred_at: datetime  # aware UTC
    name: str | None = None
    flags: list[Flag] = field(default_factory=list)
    traits: JsonObject = field(default_factory=dict)
    properties: JsonObject = field(default_factory=dict)
    context: JsonObject = field(default_factory=dict)
    account: JsonObject | None = None
    extra: JsonObject = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    previous_id: str | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """An interaction as it goes to the stream; `body` is the JSON of InteractionReceived (UTF-8)."""

    event_id: str
    received_at: datetime
    lane_key: str
    body: bytes

    def subject(self, lanes: int) -> str:
        """Where it is published."""
        return f"{InteractionReceived.wire_name}.{lane_of(self.lane_key, lanes)}"

    def headers(self) -> dict[str, str]:
        """The headers on its subject, equal to `InteractionReceived.headers_on(subject)`; a capture begins its own
        correlation.
        """
        return {"ce-id": self.event_id, "ce-time": self.received_at.isoformat().replace("+00:00", "Z")}


def seal(draft: Draft, source: CaptureSource) -> Capture:
    """Give a draft its ids. The capture id holds no time, so a retry of the same message carries the same one."""
    event_id = hash_id("cap", source.source_id, draft.message_id)
    identifiers = [{"kind": claim.kind.value, "value": claim.value} for claim in draft.claims]
    interaction = {
        "interaction_id": derive_id("int", draft.received_at, event_id),
        "kind": draft.kind.value,
        "name": draft.name,
        "source_id": source.source_id,
        "source_kind": source.kind.value,
        "is_test": source.is_test,
        "message_id": draft.message_id,
        "occurred_at": draft.occurred_at,
        "received_at": draft.received_at,
        "flags": [*(flag.value for flag in draft.flags), *unreadable_among(given_in(draft.traits))],
        "traits": draft.traits,
        "properties": draft.properties,
        "context": draft.context,
        "account": None if draft.account is None else _stated(draft.account),
        "extra": draft.extra,
    }
    lane_key = f"{identifiers[0]['kind']}:{identifiers[0]['value']}" if identifiers else event_id
    payload = _stated(
        {"interaction": _stated(interaction), "identifiers": identifiers, "previous_id": draft.previous_id}
    )
    return Capture(event_id, draft.received_at, lane_key, orjson.dumps(payload, option=orjson.OPT_UTC_Z))


def _stated(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is as it is by default, as `InteractionReceived.body()` has it; an account is claimed also where
    nothing is said of it.
    """
    return {
        name: value for name, value in fields.items() if value not in _DEFAULTS or (name == "account" and value == {})
    }
