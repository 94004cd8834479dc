"""Snowplow's tracker protocol, version 2: each event becomes one of the Segment spec.

Sources: https://docs.snowplow.io/docs/sources/trackers/snowplow-tracker-protocol/ and
https://docs.snowplow.io/docs/pipeline-components-and-applications/stream-collector/. Parameters have names of two to
four letters; self-describing data are JSON, or JSON in base64 under another name (`ue_pr`/`ue_px`, `co`/`cx`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from contracts.limits import BATCH_EVENTS, EVENT_LEVELS, EVENT_NAME_CHARACTERS, URL_CHARACTERS
from contracts.values import JsonObject
from gateway.domain.body import check_depth, kind_of, parse
from gateway.domain.refusal import CaptureRefused, RefusalKind

_MOST_ENTITIES: Final = 50  # contexts of one event; trackers attach two to six
_MOST_PARAMETERS: Final = 200  # the protocol has some 130
_SCHEMA: Final = re.compile(r"iglu:[^/]{1,200}/([^/]{1,200})/jsonschema/[\d\-]{1,40}")
_WORD_BREAK: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")
_SIZE: Final = re.compile(r"(\d{1,5})x(\d{1,5})")
_KINDS: Final = ("pv", "pp", "se", "ue", "tr", "ti")
_STRUCTURED: Final = {"se_ca": "category", "se_ac": "action", "se_la": "label", "se_pr": "property", "se_va": "value"}
_SCROLLED: Final = {"pp_mix": "min_x", "pp_max": "max_x", "pp_miy": "min_y", "pp_may": "max_y"}
_NUMBERS: Final = frozenset(("se_va", *_SCROLLED))
_FORM_SCHEMA: Final = "submit_form"
_SESSION_SCHEMA: Final = "client_session"
_SHORT: Final = 1_000  # characters of a value that stands in a parameter of its own


def events_of(body: Mapping[str, Any]) -> list[Any]:
    """The events of a POST: `{"schema": "iglu:..payload_data..", "data": [..]}`. Raises CaptureRefused."""
    data = body.get("data")
    if not isinstance(data, list):
        raise CaptureRefused("data", "must be an array of events", remedy="send Snowplow's payload_data")
    if len(data) > BATCH_EVENTS:
        raise CaptureRefused("data", f"holds more than {BATCH_EVENTS} events", RefusalKind.TOO_LARGE)
    return data


def event_of_query(query: bytes) -> JsonObject:
    """The one event of a GET, whose parameters stand in the query."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=_MOST_PARAMETERS)
    except ValueError as error:
        raise CaptureRefused("query", f"has more than {_MOST_PARAMETERS} parameters", RefusalKind.TOO_LARGE) from error
    return {name: value.replace("\x00", "\ufffd") for name, value in reversed(pairs)}


def app_id_of(event: Any) -> str | None:
    """`aid`: which application sends."""
    named = event.get("aid") if isinstance(event, dict) else None
    return named[:_SHORT] if isinstance(named, str) and named else None


def segment_event(event: Any) -> JsonObject:
    """One Snowplow event in Segment's words. Raises CaptureRefused naming Snowplow's parameter."""
    if not isinstance(event, dict):
        raise CaptureRefused("data", f"must be JSON objects, not {kind_of(event)}")
    kind = event.get("e")
    if kind not in _KINDS:
        raise CaptureRefused("e", f"must be one of {', '.join(_KINDS)}")
    entities = _entities(event)
    told = _who(event, entities) | _when(event)
    told["context"] = _context(event, entities)
    page = _page(event)
    if kind == "pv":
        return told | {"type": "page", "name": _text(event, "page", EVENT_NAME_CHARACTERS), "properties": page}
    if page:
        told["context"]["page"] = page
    name, properties = _READERS[kind](event)
    return told | {"type": "track", "event": name, "properties": properties}


def _who(event: JsonObject, entities: list[JsonObject]) -> JsonObject:
    user_id, device = _text(event, "uid"), _text(event, "duid") or _text(event, "nuid") or _text(event, "tnuid")
    if device is None:
        sessions = (one["data"] for one in entities if one["name"] == _SESSION_SCHEMA)
        device = next((one["userId"] for one in sessions if isinstance(one.get("userId"), str)), None)
    if user_id is None and device is None:
        remedy = "set a user id, or let the tracker keep its own (no anonymous tracking)"
        raise CaptureRefused("duid", "is missing, and so are uid and nuid: the event names nobody", remedy=remedy)
    told = {"userId": user_id, "anonymousId": device, "messageId": _text(event, "eid")}
    return {key: value for key, value in told.items() if value is not None}


def _when(event: JsonObject) -> JsonObject:
    """`ttm` is the true time, which no clock corrects; `dtm` is the device's, and `stm` when it was sent."""
    if (true_time := _text(event, "ttm")) is not None:
        return {"timestamp": true_time}
    told = {"timestamp": _text(event, "dtm"), "sentAt": _text(event, "stm")}
    return {key: value for key, value in told.items() if value is not None}


def _context(event: JsonObject, entities: list[JsonObject]) -> JsonObject:
    app = {"name": _text(event, "aid"), "namespace": _text(event, "tna"), "platform": _text(event, "p")}
    told: JsonObject = {
        "library": {"name": _text(event, "tv") or "snowplow"},
        "app": {key: value for key, value in app.items() if value is not None},
        "screen": _size(event, "res") | {f"viewport_{key}": value for key, value in _size(event, "vp").items()},
        "userAgent": _text(event, "ua"),
        "ip": _text(event, "ip"),
        "locale": _text(event, "lang"),
        "timezone": _text(event, "tz"),
        "session": {"id": _text(event, "sid"), "number": _text(event, "vid")} if _text(event, "sid") else None,
        "entities": [{"schema": one["schema"], "data": one["data"]} for one in entities],
    }
    return {key: value for key, value in told.items() if value}


def _page(event: JsonObject) -> JsonObject:
    url, referrer = _text(event, "url", URL_CHARACTERS), _text(event, "refr", URL_CHARACTERS)
    told = {"url": url, "title": _text(event, "page"), "referrer": referrer}
    try:
        parts = urlsplit(url or "")
    except ValueError:
        parts = urlsplit("")
    told |= {"path": parts.path or None, "search": f"?{parts.query}" if parts.query else None}
    return {key: value for key, value in told.items() if value is not None}


def _structured(event: JsonObject) -> tuple[str, JsonObject]:
    action = _text(event, "se_ac", EVENT_NAME_CHARACTERS)
    if action is None:
        raise CaptureRefused("se_ac", "is required: the action of a structured event")
    return action, _renamed(event, _STRUCTURED)


def _page_ping(event: JsonObject) -> tuple[str, JsonObject]:
    return "Page Ping", _renamed(event, _SCROLLED)


def _self_describing(event: JsonObject) -> tuple[str, JsonObject]:
    """`{"schema": "..unstruct_event..", "data": {"schema": "iglu:<vendor>/<name>/..", "data": {..}}}`."""
    field = "ue_px" if event.get("ue_px") else "ue_pr"
    document = _document(event, "ue_pr", "ue_px")
    if document is None:
        raise CaptureRefused("ue_px", "is required of a self-describing event, or ue_pr")
    inner = _described(document.get("data"))
    if inner is None:
        raise CaptureRefused(field, "must hold data with schema and data of its own")
    answers = _form_answers(inner["data"]) if inner["name"] == _FORM_SCHEMA else {}
    return _titled(inner["name"]), {**answers, **inner["data"], "schema": inner["schema"]}


def _transaction(event: JsonObject) -> tuple[str, JsonObject]:
    own = f"{event['e']}_"
    properties = {key: value for key, value in event.items() if key.startswith(own) and isinstance(value, str | int)}
    return "Transaction" if event["e"] == "tr" else "Transaction Item", properties


_READERS: Final = {
    "pp": _page_ping, "se": _structured, "ue": _self_describing, "tr": _transaction, "ti": _transaction
}  # fmt: skip


def _entities(event: JsonObject) -> list[JsonObject]:
    document = _document(event, "co", "cx")
    data = document.get("data") if document is not None else None
    found = [_described(one) for one in data[:_MOST_ENTITIES]] if isinstance(data, list) else []
    return [one for one in found if one is not None]


def _described(value: Any) -> JsonObject | None:
    """Schema, the name in it, and data, of self-describing JSON."""
    schema, data = (value.get("schema"), value.get("data")) if isinstance(value, dict) else (None, None)
    named = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
    return None if named is None or not isinstance(data, dict) else {"schema": schema, "name": named[1], "data": data}


def _document(event: JsonObject, plain: str, encoded: str) -> JsonObject | None:
    """The JSON of a parameter, plain or in base64. Raises CaptureRefused naming the one that was sent."""
    packed, text = event.get(encoded), event.get(plain)
    field, raw = (encoded, packed) if packed else (plain, text)
    if not raw:
        return None
    if not isinstance(raw, str):
        raise CaptureRefused(field, f"must be a string, not {kind_of(raw)}")
    try:
        document = parse(_unpacked(raw) if field == encoded else raw.encode("utf-8", "replace"))
        check_depth(document)
    except binascii.Error as error:
        raise CaptureRefused(field, "is not base64") from error
    except CaptureRefused as refused:
        deep = "nests" in refused.reason
        reason = f"nests deeper than {EVENT_LEVELS} levels" if deep else "is not a JSON object"
        raise CaptureRefused(field, reason) from refused
    return document


def _unpacked(raw: str) -> bytes:
    plain = raw.encode("utf-8", "replace").strip().translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)


def _form_answers(data: JsonObject) -> JsonObject:
    """What was filled in, by name, so that a form that a tracker heard of says who sent it."""
    elements = data.get("elements")
    listed = [one for one in elements if isinstance(one, dict)] if isinstance(elements, list) else []
    named = ((one.get("name"), one.get("value")) for one in listed[:_MOST_PARAMETERS])
    return {name: value for name, value in named if isinstance(name, str) and isinstance(value, str) and value}


def _titled(name: str) -> str:
    """`Demo Requested` of `demo_requested`."""
    return " ".join(word.capitalize() for word in _WORD_BREAK.split(name) if word) or name


def _renamed(event: JsonObject, names: Mapping[str, str]) -> JsonObject:
    said = ((name, key, _text(event, key)) for key, name in names.items())
    return {name: _number(text) if key in _NUMBERS else text for name, key, text in said if text is not None}


def _number(text: str) -> Any:
    try:
        return float(text) if abs(float(text)) < 1e15 else text
    except ValueError:
        return text


def _size(event: JsonObject, key: str) -> JsonObject:
    found = _SIZE.fullmatch(_text(event, key) or "")
    return {} if found is None else {"width": int(found[1]), "height": int(found[2])}


def _text(event: JsonObject, key: str, most: int = _SHORT) -> str | None:
    """A parameter as text; blank, and what is no text, count as absent."""
    text = event.get(key)
    if isinstance(text, int | float) and not isinstance(text, bool):
        text = str(text)
    return text.strip()[:most] or None if isinstance(text, str) else None
