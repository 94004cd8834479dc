"""The answers of services that keep them apart from their questions, or wrap them once more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

import orjson

from contracts.ids import hash_id
from contracts.limits import FORM_FIELDS
from gateway.domain.forms.answers import FieldAnswer, answers_in, typed
from gateway.domain.forms.presets import FORM_NAME, MESSAGE_ID, PAGE_URL, TECHNICAL, TEST, guess

Document = Mapping[str, Any]

_NUMBERED: Final = re.compile(r"q\d+_")  # Jotform: q3_name
_PART: Final = re.compile(r"\s*(first|last|middle|prefix|suffix|address|city|state|zip|country) = (.*)", re.IGNORECASE)
_NAME_PARTS: Final = {"3": "first_name", "6": "last_name"}  # of a name field in Gravity Forms
_ADDRESS_PARTS: Final = frozenset("15")  # street and postal code: no name has parts of these numbers
_OF_ADDRESS: Final = {"1": "street", "3": "city", "4": "state", "5": "postal_code", "6": "country"}
_TEST_LEAD: Final = "<test lead: "  # with what Meta's tool for trying fills in
_ENTRY_INPUT: Final = re.compile(r"(\d+)\.(\d+)")


def at(document: Any, path: str) -> Any:
    """What lies at a dotted path; None where nothing does."""
    for part in path.split(".") if path else ():
        document = document.get(part) if isinstance(document, dict) else None
    return document


def of_typeform(document: Document) -> list[FieldAnswer]:
    """`answers[]` name their question by its id; what it asks stands in `definition.fields[]`."""
    asked = {}
    for one in _dicts(at(document, "form_response.definition.fields")):
        for inner in (one, *_dicts(at(one, "properties.fields"))):
            asked[str(inner.get("id"))] = str(inner.get("title") or "")
    found = []
    for answer in _dicts(at(document, "form_response.answers")):
        kind, about = answer.get("type"), _dict(answer.get("field"))
        value = answer.get(kind) if isinstance(kind, str) else None
        number, ref = str(about.get("id") or ""), str(about.get("ref") or "")
        names = [name for name in (asked.get(number), ref, number) if name] or ["answer"]
        target = typed(kind) or typed(about.get("type"))
        found.append(FieldAnswer(names[0], _chosen(value), tuple(names[1:]), target))
    return found


def of_tally(document: Document) -> list[FieldAnswer]:
    """`data.fields[]` hold the ids of what was chosen; their words stand in `options[]`."""
    found = []
    for one in _dicts(at(document, "data.fields")):
        options = {option.get("id"): option.get("text") for option in _dicts(one.get("options"))}
        value, label, key = one.get("value"), str(one.get("label") or ""), str(one.get("key") or "")
        if options:
            chosen = value if isinstance(value, list) else [value]
            value = [options.get(choice, choice) if isinstance(choice, str) else choice for choice in chosen]
        names = [name for name in (label, key) if name]
        if names:
            found.append(FieldAnswer(names[0], value, tuple(names[1:]), typed(one.get("type"))))
    return found


def of_test_leads(document: Document) -> list[FieldAnswer]:
    """Nothing, but that it is a test, where Meta's own tool made the lead."""
    texts = (text for one in _dicts(document.get("field_data")) for text in _texts(one.get("values")))
    return [FieldAnswer("test_lead", True, (), TEST)] if any(text.startswith(_TEST_LEAD) for text in texts) else []


def of_leadgen(document: Document) -> list[FieldAnswer]:
    """The note that there is a lead: its id, and nothing that it says."""
    for entry in _dicts(document.get("entry")):
        for change in _dicts(entry.get("changes")):
            value = change.get("value")
            if isinstance(value, dict) and value.get("leadgen_id"):
                return [FieldAnswer("leadgen_id", value["leadgen_id"], (), MESSAGE_ID), *answers_in(value)]
    return []


def of_calendly(document: Document) -> list[FieldAnswer]:
    """The invitee, and what happened to their meeting: it may be made and called off, and is two messages."""
    payload = document["payload"]
    names = ("email", "name", "first_name", "last_name", "text_reminder_number", "timezone")
    found = [FieldAnswer(name, payload[name]) for name in names if payload.get(name)]
    if isinstance(uri := payload.get("uri"), str):
        found.append(FieldAnswer("uri", hash_id("msg", uri, str(document.get("event"))), (), MESSAGE_ID))
    return found


def of_gravity_forms(document: Document) -> list[FieldAnswer]:
    """An entry's keys are numbers; a name's parts are x.3 and x.6, an address has x.1 and x.5 too."""
    parts: dict[str, set[str]] = {}
    for key in document:
        if (found := _ENTRY_INPUT.fullmatch(key)) is not None:
            parts.setdefault(found[1], set()).add(found[2])
    named = [number for number, own in parts.items() if own >= {"3", "6"} and own.isdisjoint(_ADDRESS_PARTS)]
    lived = [number for number, own in parts.items() if own >= _ADDRESS_PARTS]
    meant = {f"{number}.{part}": name for number in named[:1] for part, name in _NAME_PARTS.items()}
    meant |= {f"{number}.{part}": name for number in lived[:1] for part, name in _OF_ADDRESS.items()}
    return [_entry_value(key, value, meant.get(key)) for key, value in document.items() if key != "id"]


def _entry_value(key: str, value: Any, meaning: str | None) -> FieldAnswer:
    """An input of the form, or what the site keeps beside them."""
    is_told = key.replace(".", "").isdigit() or key in ("source_url", "date_created") or guess(key) is not None
    return FieldAnswer(key, value, () if meaning is None else (meaning,), None if is_told else TECHNICAL)


def of_marketo(document: Document) -> list[FieldAnswer]:
    """`input[]`: the lead's fields, the visit, and the cookie."""
    found: list[FieldAnswer] = []
    for one in _dicts(document.get("input"))[:1]:
        found += answers_in(one.get("leadFormFields") or {})
        visit = _dict(one.get("visitorData"))
        page, query = visit.get("pageURL"), visit.get("queryString")
        if isinstance(page, str) and isinstance(query, str) and "?" not in page:
            page = f"{page}?{query.lstrip('?')}"
        found += [FieldAnswer("pageURL", page, (), PAGE_URL)] if page else []
        found += [FieldAnswer("_mkt_trk", one["cookie"])] if isinstance(one.get("cookie"), str) else []
        rest = {key: value for key, value in visit.items() if key != "pageURL"}
        found += [FieldAnswer("visitorData", rest, (), TECHNICAL)] if rest else []
    return found


def of_jotform(document: Document) -> list[FieldAnswer]:
    """`rawRequest` is a document of its own; its keys are `q3_name`."""
    raw = _opened(document.get("rawRequest"))
    named = {_NUMBERED.sub("", key, count=1): value for key, value in raw.items() if _NUMBERED.match(key)}
    rest = {key: value for key, value in raw.items() if not _NUMBERED.match(key)}
    return [*answers_in(named), FieldAnswer("request", rest, (), TECHNICAL)]


def of_wufoo(document: Document) -> list[FieldAnswer]:
    """`Field12` beside a `FieldStructure`, a document in a field, that says what is asked."""
    asked: dict[str, tuple[str, str | None]] = {}
    for one in _dicts(_opened(document.get("FieldStructure")).get("Fields")):
        title, kind = str(one.get("Title") or ""), typed(one.get("Type"))
        asked[str(one.get("ID"))] = (title, kind)
        asked |= {str(sub.get("ID")): (f"{title}[{sub.get('Label')}]", kind) for sub in _dicts(one.get("SubFields"))}
    found = []
    for key, value in document.items():
        title, kind = asked.get(key, (key, None))
        if key in asked or (key.startswith("Field") and key != "FieldStructure"):
            found.append(FieldAnswer(title or key, value, (key,), kind))
        elif key not in ("FieldStructure", "FormStructure", "EntryId", "DateCreated", "HandshakeKey"):
            found.append(FieldAnswer(key, value, (), TECHNICAL))
    name = _opened(document.get("FormStructure")).get("Name")
    return [*found, FieldAnswer("FormStructure.Name", name, (), FORM_NAME)] if name else found


def of_formstack(document: Document) -> list[FieldAnswer]:
    """Names and addresses are objects, or lines of `first = Ada`."""
    own = {key: value for key, value in document.items() if key not in ("FormID", "UniqueID", "HandshakeKey")}
    return answers_in({key: _lines(value) for key, value in own.items()})


def _lines(value: Any) -> Any:
    if not isinstance(value, str) or " = " not in value:
        return value
    parts = [_PART.fullmatch(line) for line in value.splitlines() if line.strip()]
    return {part[1].lower(): part[2] for part in parts if part} if all(parts) else value


def _opened(value: Any) -> dict[str, Any]:
    """A document that was written into a field."""
    if isinstance(value, dict):
        return value
    try:
        opened = orjson.loads(value) if isinstance(value, str) else None
    except orjson.JSONDecodeError:
        return {}
    return opened if isinstance(opened, dict) else {}


def _chosen(value: Any) -> Any:
    """The words of what was chosen."""
    if not isinstance(value, dict):
        return value
    words = [one for key in ("label", "labels", "other") if (one := value.get(key)) is not None]
    if len(words) == 1:
        return words[0]
    return [one for word in words for one in (word if isinstance(word, list) else [word])]


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    items: Iterable[Any] = value if isinstance(value, list) else ()
    return [item for item in islice(items, FORM_FIELDS) if isinstance(item, dict)]
