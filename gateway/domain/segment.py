"""One event of the Segment spec, read into an interaction.

Source: https://segment.com/docs/connections/spec/. Field names are the spec's camelCase; snake_case
spellings that real senders use are read as well.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson

from contracts.ids import hash_id
from contracts.limits import EVENT_BYTES, EVENT_LEVELS, EVENT_NAME_CHARACTERS, MESSAGE_ID_CHARACTERS
from contracts.values import Flag, InteractionKind, JsonObject, SourceKind
from gateway.domain import claims, hints
from gateway.domain.body import check_depth, kind_of
from gateway.domain.capture import Capture, CaptureDraft, CaptureSender, CaptureSource, Claim, Ids, seal
from gateway.domain.event_parts import parts_of
from gateway.domain.moment import READABLE, occurred
from gateway.domain.refusal import CaptureRefused
from semantics.contacts import NOTHING_GIVEN, Given, given_in

KINDS = {kind.value: kind for kind in InteractionKind if kind is not InteractionKind.FORM}

# a look-up in an enumeration's class costs as much as three of these
_TRACK, _GROUP, _ALIAS = InteractionKind.TRACK, InteractionKind.GROUP, InteractionKind.ALIAS

_SNAKE = {
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "previous_id": "previousId",
    "group_id": "groupId",
    "message_id": "messageId",
    "sent_at": "sentAt",
    "original_timestamp": "originalTimestamp",
}
# What the interaction holds under a name of its own, or must not hold (the write key). All else is kept in `extra`.
_NAMED = (
    "type",
    "event",
    "name",
    "category",
    "traits",
    "properties",
    "context",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "writeKey",
)
_READ = frozenset((*_NAMED, "userId", "anonymousId", "previousId", "groupId", "messageId"))
_OBJECTS = frozenset(("traits", "properties", "context"))  # of what is read, these are kept whole
_CONTAINERS = frozenset((dict, list))
_SNAKE_NAMES = frozenset(_SNAKE)
_EMPTY: Final[JsonObject] = {}
_NOBODY: Final = "an event needs a userId, an anonymousId or an e-mail address in its traits"
_CHANGES_ON_RETRY = frozenset(("sentAt", "writeKey", "receivedAt"))


def read_event(
    event: Any, kind: InteractionKind | None, source: CaptureSource, received_at: datetime, sender: CaptureSender
) -> Capture:
    """The capture an event is, or `CaptureRefused` naming the field. `kind` comes from
    the path; None: the event's `type` says it.
    """
    return seal_event(draft_event(event, kind, received_at, sender if source.kind is SourceKind.WEB else None), source)


def draft_event(
    event: Any, kind: InteractionKind | None, received_at: datetime, sender: CaptureSender | None
) -> CaptureDraft:
    """What an event says, as `read_event`; it may yet nest too deep. `sender` is None where it says
    nothing about whoever the event is about.
    """
    if not isinstance(event, dict):
        raise CaptureRefused("event", f"must be a JSON object, not {kind_of(event)}")
    extra, is_flat = _unread(event)
    if extra and not _SNAKE_NAMES.isdisjoint(extra):
        event = _camel(event)
        extra, is_flat = _unread(event)
    try:
        draft = _draft(event, kind or _kind_of(event), received_at, sender)
    except (CaptureRefused, orjson.JSONEncodeError):
        check_depth(event)  # whatever else is wrong with it
        raise
    if draft.flags:
        extra.update(
            {key: event[key] for key in ("timestamp", "originalTimestamp", "sentAt") if event.get(key) is not None}
        )
    if extra.get("integrations") == []:
        extra["integrations"] = {}
    draft.extra, draft.is_flat = extra, is_flat
    return draft


def check_time(draft: CaptureDraft) -> None:
    """Refuse an event of an import whose time cannot be read: it would be history of today."""
    if Flag.TIME_UNREADABLE in draft.flags:
        raise CaptureRefused("timestamp", "cannot be read as a time", remedy=f"send {READABLE}")


def seal_event(draft: CaptureDraft, source: CaptureSource, ids: Ids | None = None) -> Capture:
    """The capture that a draft of `draft_event` makes; `CaptureRefused` when the event nests too deep."""
    if source.mapping and draft.kind is _TRACK:
        draft.traits = {**claims.traits_of(draft.properties, source.mapping), **draft.traits}
        draft.given = given_in(draft.traits)
    try:
        capture = seal(draft, source, ids)
    except orjson.JSONEncodeError:
        check_depth(draft.event)
        raise
    # nothing nests deeper than it opens brackets, and counting those that were written is a
    # hundred times cheaper than to follow them
    if not draft.is_flat or capture.body.count(b"{") + capture.body.count(b"[") > EVENT_LEVELS:
        check_depth(draft.event)
    return capture


def _unread(event: JsonObject) -> tuple[JsonObject, bool]:
    """(what nobody here reads and is kept as it came, whether what is read and not kept is flat)."""
    extra, is_flat = {}, True
    for key, value in event.items():
        if key not in _READ:
            extra[key] = value
        elif value.__class__ in _CONTAINERS and key not in _OBJECTS:
            is_flat = False
    return extra, is_flat


def _draft(
    event: JsonObject, kind: InteractionKind, received_at: datetime, sender: CaptureSender | None
) -> CaptureDraft:
    traits, properties, context = parts_of(event, kind, sender)
    occurred_at, flags = _occurred(event, received_at)
    message_id, name = _message_id(event, flags, received_at), _name(event, kind)
    told = _traits(kind, traits, context)
    said = _claims(event, given := given_in(told), _own(kind, name, properties))
    previous_id = _required(event, "previousId", "the name this person went by before") if kind is _ALIAS else None
    account = _account_of_group(event, traits) if kind is _GROUP else _account(event, told, context)
    if not said:
        raise CaptureRefused("userId", _NOBODY, remedy=hints.who(event))
    # all at once: a draft that is filled in later would be made with seven empty containers first
    return CaptureDraft(
        kind,
        message_id,
        received_at,
        occurred_at,
        name,
        flags,
        told,
        properties,
        context,
        account,
        _EMPTY,
        said,
        previous_id,
        event,
        given=given,
    )


def _occurred(event: JsonObject, received_at: datetime) -> tuple[datetime, list[Flag]]:
    claimed = event.get("originalTimestamp") or event.get("timestamp")
    return occurred(claimed, event.get("sentAt"), received_at)


def _kind_of(event: JsonObject) -> InteractionKind:
    named = event.get("type") or event.get("action")  # the spec's own older examples say `action`
    kind = KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        raise CaptureRefused("type", f"must be one of {', '.join(KINDS)}", remedy=hints.kind(event, named, KINDS))
    return kind


def _message_id(event: JsonObject, flags: list[Flag], received_at: datetime) -> str:
    """The sender's id, or one that derives from what was sent.

    An event with neither id nor time says nothing that tells a retry from a second
    occurrence, so the minute we got it counts too.
    """
    named = claims.identifier(event.get("messageId"), "messageId", EVENT_BYTES)
    if named is not None:
        return named if len(named) <= MESSAGE_ID_CHARACTERS else hash_id("msg", named)
    stable = {key: value for key, value in event.items() if key not in _CHANGES_ON_RETRY}
    minute = received_at.strftime("%Y-%m-%dT%H:%M") if Flag.TIME_MISSING in flags else ""
    return hash_id("msg", orjson.dumps(stable, option=orjson.OPT_SORT_KEYS).decode(), minute)


def _name(event: JsonObject, kind: InteractionKind) -> str | None:
    field = "event" if kind is _TRACK else "name"
    value = event.get(field)
    if value is not None and not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise CaptureRefused(field, f"must be a string, not {kind_of(value)}")
        value = str(value)
    name = value.strip() if value else ""
    if kind is _TRACK and not name:
        raise CaptureRefused("event", "is required: the name of what happened", remedy=hints.instead(event, "event"))
    if len(name) > EVENT_NAME_CHARACTERS:
        raise CaptureRefused(field, f"is longer than {EVENT_NAME_CHARACTERS} characters")
    return name or None


def _traits(kind: InteractionKind, traits: JsonObject, context: JsonObject) -> JsonObject:
    """What is claimed about the person."""
    claimed = context.get("traits")
    in_context = claimed if isinstance(claimed, dict) else {}
    if kind is _GROUP:
        return in_context
    return {**in_context, **traits} if in_context else traits


def _own(kind: InteractionKind, name: str | None, properties: JsonObject) -> Given:
    """What the properties give of the person themselves."""
    gives = kind is _TRACK and claims.gives_own_address(name or "")
    return given_in(properties) if gives else NOTHING_GIVEN


def _claims(event: JsonObject, *given: Given) -> list[Claim]:
    user_id, anonymous_id = (
        claims.identifier(event.get("userId"), "userId"),
        claims.identifier(event.get("anonymousId"), "anonymousId"),
    )
    return claims.claims_of(user_id, claims.email_in(*given), claims.phone_in(*given), anonymous_id)


def _account_of_group(event: JsonObject, traits: JsonObject) -> JsonObject:
    return claims.account_of_group(_required(event, "groupId", "which group the person belongs to"), traits)


def _account(event: JsonObject, traits: JsonObject, context: JsonObject) -> JsonObject | None:
    company, group_id = traits.get("company"), context.get("groupId") or event.get("groupId")
    if company is None and group_id is None:  # as good as always
        return None
    return claims.account_of_company(company, traits) or claims.account_of_id(group_id)


def _required(event: JsonObject, field: str, meaning: str) -> str:
    value = claims.identifier(event.get(field), field)
    if value is None:
        raise CaptureRefused(field, f"is required: {meaning}", remedy=hints.instead(event, field))
    return value


def _camel(event: JsonObject) -> JsonObject:
    return {
        **{_SNAKE[key]: value for key, value in event.items() if key in _SNAKE},
        **{k: v for k, v in event.items() if k not in _SNAKE},
    }
