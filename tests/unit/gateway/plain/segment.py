"""One event of the Segment spec, read into an interaction.

Source: https://segment.com/docs/connections/spec/. Field names are the spec's camelCase; snake_case
spellings that real senders use are read as well.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from contracts.limits import EVENT_BYTES, EVENT_NAME_CHARACTERS, MESSAGE_ID_CHARACTERS
from contracts.values import Flag, InteractionKind, JsonObject, SourceKind
from gateway.domain import hints
from gateway.domain.body import check_depth, kind_of
from gateway.domain.capture import CaptureSender, CaptureSource
from gateway.domain.refusal import CaptureRefused
from tests.unit.gateway.plain import claims
from tests.unit.gateway.plain.capture import Capture, Draft, seal
from tests.unit.gateway.plain.ids import hash_id
from tests.unit.gateway.plain.moment import occurred

KINDS = {kind.value: kind for kind in InteractionKind if kind is not InteractionKind.FORM}

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
_CHANGES_ON_RETRY = frozenset(("sentAt", "writeKey", "receivedAt"))


def read_event(
    event: Any, kind: InteractionKind | None, source: CaptureSource, received_at: datetime, sender: CaptureSender
) -> Capture:
    """The capture an event is, or `CaptureRefused` naming the field.

    `kind` comes from the path; None: the event's `type` says it.
    """
    if not isinstance(event, dict):
        raise CaptureRefused("event", f"must be a JSON object, not {kind_of(event)}")
    if event.keys() & _SNAKE.keys():
        event = _camel(event)
    check_depth(event)
    kind = kind or _kind_of(event)
    traits, properties, context = _object(event, "traits"), _object(event, "properties"), _object(event, "context")
    draft = _dated(event, kind, received_at)
    draft.name = _name(event, kind)
    draft.properties = _with_category(properties, event.get("category"))
    context = _told_once(context, draft.properties) if kind is InteractionKind.PAGE else context
    draft.context = _with_sender(context, sender) if source.kind is SourceKind.WEB else context
    _say_who(draft, event, traits)
    draft.extra = {key: value for key, value in event.items() if key not in _READ}
    if draft.extra.get("integrations") == []:
        draft.extra["integrations"] = {}
    if draft.flags:
        draft.extra.update(
            {key: event[key] for key in ("timestamp", "originalTimestamp", "sentAt") if event.get(key) is not None}
        )
    return seal(draft, source)


def _kind_of(event: JsonObject) -> InteractionKind:
    named = event.get("type") or event.get("action")  # the spec's own older examples say `action`
    kind = KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        raise CaptureRefused("type", f"must be one of {', '.join(KINDS)}", remedy=hints.kind(event, named, KINDS))
    return kind


def _dated(event: JsonObject, kind: InteractionKind, received_at: datetime) -> Draft:
    claimed = event.get("originalTimestamp") or event.get("timestamp")
    occurred_at, flags = occurred(claimed, event.get("sentAt"), received_at)
    return Draft(
        kind=kind,
        message_id=_message_id(event, flags, received_at),
        received_at=received_at,
        occurred_at=occurred_at,
        flags=flags,
    )


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
    field = "event" if kind is InteractionKind.TRACK else "name"
    value = event.get(field)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise CaptureRefused(field, f"must be a string, not {kind_of(value)}")
    name = value.strip() if value else ""
    if kind is InteractionKind.TRACK and not name:
        raise CaptureRefused("event", "is required: the name of what happened", remedy=hints.instead(event, "event"))
    if len(name) > EVENT_NAME_CHARACTERS:
        raise CaptureRefused(field, f"is longer than {EVENT_NAME_CHARACTERS} characters")
    return name or None


def _say_who(draft: Draft, event: JsonObject, traits: JsonObject) -> None:
    """Identifiers, claims about the person, and the company."""
    context = draft.context
    claimed = context.get("traits")
    in_context = claimed if isinstance(claimed, dict) else {}
    is_group = draft.kind is InteractionKind.GROUP
    draft.traits = in_context if is_group else {**in_context, **traits} if in_context else traits
    own = (
        draft.properties if draft.kind is InteractionKind.TRACK and claims.gives_own_address(draft.name or "") else None
    )
    user_id, anonymous_id = (
        claims.identifier(event.get("userId"), "userId"),
        claims.identifier(event.get("anonymousId"), "anonymousId"),
    )
    draft.claims = claims.claims_of(
        user_id, claims.email_in(draft.traits, own), claims.phone_in(draft.traits, own), anonymous_id
    )
    if draft.kind is InteractionKind.ALIAS:
        draft.previous_id = _required(event, "previousId", "the name this person went by before")
    draft.account = _account(draft, event, traits)
    if not draft.claims:
        reason = "an event needs a userId, an anonymousId or an e-mail address in its traits"
        raise CaptureRefused("userId", reason, remedy=hints.who(event))


def _account(draft: Draft, event: JsonObject, traits: JsonObject) -> JsonObject | None:
    if draft.kind is InteractionKind.GROUP:
        return claims.account_of_group(_required(event, "groupId", "which group the person belongs to"), traits)
    company = claims.account_of_company(draft.traits.get("company"), draft.traits)
    return company or claims.account_of_id(draft.context.get("groupId") or event.get("groupId"))


def _required(event: JsonObject, field: str, meaning: str) -> str:
    value = claims.identifier(event.get(field), field)
    if value is None:
        raise CaptureRefused(field, f"is required: {meaning}", remedy=hints.instead(event, field))
    return value


def _object(event: JsonObject, field: str) -> JsonObject:
    value = event.get(field)
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise CaptureRefused(field, f"must be a JSON object, not {kind_of(value)}")
    return value


def _with_category(properties: JsonObject, category: Any) -> JsonObject:
    """Some SDKs send a page's category beside its properties, some within; rules find it within."""
    return properties if category is None or "category" in properties else {**properties, "category": category}


def _told_once(context: JsonObject, properties: JsonObject) -> JsonObject:
    """SDKs describe the page of a page call twice, in its properties and in its context; of the context stays what is
    said otherwise there.
    """
    page = context.get("page")
    if not isinstance(page, dict):
        return context
    other = {key: value for key, value in page.items() if not isinstance(value, str) or properties.get(key) != value}
    return {**{key: value for key, value in context.items() if key != "page"}, **({"page": other} if other else {})}


def _with_sender(context: JsonObject, sender: CaptureSender) -> JsonObject:
    known = {
        key: value
        for key, value in (("ip", sender.ip), ("userAgent", sender.user_agent))
        if value is not None and key not in context
    }
    return {**context, **known} if known else context


def _camel(event: JsonObject) -> JsonObject:
    return {
        **{_SNAKE[key]: value for key, value in event.items() if key in _SNAKE},
        **{k: v for k, v in event.items() if k not in _SNAKE},
    }
