"""A capture: one interaction, ready to be said, built as plain JSON so that the
hot path never builds a pydantic object.

`body` equals `InteractionReceived.body()` byte for byte; a test holds both against each other on
every recorded request. It is written once, when the capture is made: its length is what the capture
costs, and is judged before it is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import orjson

from contracts.events.gateway import InteractionReceived
from contracts.ids import derive_id, derive_ids, hash_id, hash_ids, lane_of, placed
from contracts.values import Flag, InteractionKind, JsonObject, SourceKind
from semantics.contacts import NOTHING_GIVEN, Given, unreadable_among

Claim = dict[str, str]
"""A name someone goes by, as claimed and as it is said: `kind` and `value`."""


@dataclass(frozen=True, slots=True)
class CaptureSource:
    """Who sends: a public write key (`web`: its identifiers are claims) or a secret one (`server`)."""

    source_id: str
    kind: SourceKind = SourceKind.WEB
    is_test: bool = False
    name: str = ""
    mapping: tuple[tuple[str, str], ...] = ()  # property of a track event -> trait of the person
    origins: tuple[str, ...] = ()  # pages that may use a public key; empty: any
    events_a_minute: int | None = None  # None: as the settings have it for its kind; 0: not counted


@dataclass(frozen=True, slots=True)
class CaptureSender:
    """What the connection tells about a browser; it fills in what the event does not say itself."""

    ip: str | None = None
    user_agent: str | None = None


@dataclass(slots=True)
class CaptureDraft:
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
    event: JsonObject = field(default_factory=dict)  # what it was read from
    is_flat: bool = True  # whatever of the event is not kept is flat
    given: Given = NOTHING_GIVEN  # of `traits`, what somebody could be reached by


class Capture(NamedTuple):
    """An interaction as it goes to the stream; `body` is the JSON of InteractionReceived (UTF-8)."""

    event_id: str
    received_at: datetime
    lane_key: str
    body: bytes

    def subject(self, lanes: int) -> str:
        """Where it is published."""
        return _LANE_OF_ALL if lanes == 1 else f"{InteractionReceived.wire_name}.{lane_of(self.lane_key, lanes)}"

    def headers(self) -> dict[str, str]:
        """The headers on its subject, equal to `InteractionReceived.headers_on(subject)`;
        a capture begins its own correlation.
        """
        return {"ce-id": self.event_id, "ce-time": _said(self.received_at)}


_LANE_OF_ALL = f"{InteractionReceived.wire_name}.0"


class Ids(NamedTuple):
    """Of a capture and of its interaction."""

    event_id: str
    interaction_id: str


def ids_of(
    drafts: Sequence[CaptureDraft], source: CaptureSource, received_at: datetime, places: Sequence[int]
) -> list[Ids]:
    """What `seal` makes for drafts that came at once, for less; `places` are their positions in what came. The capture
    id holds no time, so a retry of the same message carries the same one, and the first counts. The interaction's holds
    the position: of what happened at one moment the later in the batch is the later.
    """
    event_ids = hash_ids("cap", source.source_id, [draft.message_id for draft in drafts])
    return list(map(Ids, event_ids, map(placed, derive_ids("int", received_at, event_ids), places)))


def seal(draft: CaptureDraft, source: CaptureSource, ids: Ids | None = None) -> Capture:
    """The capture that a draft makes, with its ids where they are known already."""
    event_id = hash_id("cap", source.source_id, draft.message_id) if ids is None else ids.event_id
    interaction_id = derive_id("int", draft.received_at, event_id) if ids is None else ids.interaction_id
    identifiers = draft.claims
    payload: JsonObject = {"interaction": _interaction(draft, source, interaction_id)}
    if identifiers:
        payload["identifiers"] = identifiers
    if draft.previous_id is not None:
        payload["previous_id"] = draft.previous_id
    lane_key = f"{identifiers[0]['kind']}:{identifiers[0]['value']}" if identifiers else event_id
    return Capture(event_id, draft.received_at, lane_key, orjson.dumps(payload, option=orjson.OPT_UTC_Z))


def _interaction(draft: CaptureDraft, source: CaptureSource, interaction_id: str) -> JsonObject:
    """Its fields in the contract's order, without those that are as they are by
    default: as `InteractionReceived.body()` has it.
    """
    said: JsonObject = {"interaction_id": interaction_id, "kind": f"{draft.kind}"}
    if draft.name is not None:
        said["name"] = draft.name
    said["source_id"], said["source_kind"] = source.source_id, f"{source.kind}"
    if source.is_test:
        said["is_test"] = True
    said["message_id"], said["occurred_at"], said["received_at"] = (
        draft.message_id,
        draft.occurred_at,
        draft.received_at,
    )
    flags: list[str] = [flag.value for flag in draft.flags]
    if draft.given is not NOTHING_GIVEN:
        flags += unreadable_among(draft.given, [one["value"] for one in draft.claims if one["kind"] == "email"])
    if flags:
        said["flags"] = flags
    if draft.traits:
        said["traits"] = draft.traits
    if draft.properties:
        said["properties"] = draft.properties
    if draft.context:
        said["context"] = draft.context
    if draft.account is not None:  # a company is claimed also where nothing is said of it
        said["account"] = {name: value for name, value in draft.account.items() if value is not None and value != {}}
    if draft.extra:
        said["extra"] = draft.extra
    return said


@lru_cache(maxsize=16)  # all events of a request came at one moment
def _said(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
