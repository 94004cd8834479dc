"""The parts of an event that are objects: traits, properties and context, each thing told once."""

from __future__ import annotations

from typing import Any, Final

from contracts.values import InteractionKind, JsonObject
from gateway.domain.body import is_empty_map, kind_of
from gateway.domain.capture import CaptureSender
from gateway.domain.refusal import CaptureRefused

_PAGE: Final = InteractionKind.PAGE  # a look-up in an enumeration's class costs as much as three of these


def parts_of(
    event: JsonObject, kind: InteractionKind, sender: CaptureSender | None
) -> tuple[JsonObject, JsonObject, JsonObject]:
    """Traits, properties and context, each thing told once."""
    traits, properties, context = _object(event, "traits"), _object(event, "properties"), _object(event, "context")
    properties = _with_category(properties, event.get("category"))
    if kind is _PAGE:
        context = _told_once(context, properties)
    return traits, properties, context if sender is None else _with_sender(context, sender)


def _object(event: JsonObject, field: str) -> JsonObject:
    value = event.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        if is_empty_map(value):
            return {}
        raise CaptureRefused(field, f"must be a JSON object, not {kind_of(value)}")
    return value


def _with_category(properties: JsonObject, category: Any) -> JsonObject:
    """Some SDKs send a page's category beside its properties, some within; rules find it within."""
    return properties if category is None or "category" in properties else {**properties, "category": category}


def _told_once(context: JsonObject, properties: JsonObject) -> JsonObject:
    """SDKs describe the page of a page call twice, in its properties and in its context; of the
    context stays what is said otherwise there.
    """
    page = context.get("page")
    if not isinstance(page, dict):
        return context
    other = {key: value for key, value in page.items() if not isinstance(value, str) or properties.get(key) != value}
    return {**{key: value for key, value in context.items() if key != "page"}, **({"page": other} if other else {})}


def _with_sender(context: JsonObject, sender: CaptureSender) -> JsonObject:
    ip, user_agent = sender.ip, sender.user_agent
    says_ip, says_agent = ip is not None and "ip" not in context, user_agent is not None and "userAgent" not in context
    if says_ip and says_agent:
        return {**context, "ip": ip, "userAgent": user_agent}
    if says_ip:
        return {**context, "ip": ip}
    return {**context, "userAgent": user_agent} if says_agent else context
