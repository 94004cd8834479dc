"""One form post, read into an interaction: claims from mapped fields, every field kept,
and nothing revealed to whoever posted it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from contracts.ids import hash_id
from contracts.limits import FIELD_CHARACTERS, IDENTIFIER_CHARACTERS, URL_CHARACTERS
from contracts.values import Flag, InteractionKind, JsonObject
from gateway.domain import claims
from gateway.domain.capture import Capture, CaptureDraft, CaptureSender, CaptureSource, seal
from gateway.domain.forms import presets
from gateway.domain.forms.form_body import Submission
from gateway.domain.forms.presets import PRESETS, Preset

_CAMPAIGN_IN_QUERY = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
    "utm_id": "id",
}
_CLICK_IDS = frozenset(("gclid", "fbclid", "msclkid", "li_fat_id", "ttclid", "gbraid", "wbraid", "twclid"))


@dataclass(frozen=True, slots=True)
class Form:
    """How the posts to one form are read. `mapping` (field -> trait or special target) goes
    before the preset, which goes before guesses.
    """

    form_id: str
    source: CaptureSource
    name: str
    preset: Preset | None = None  # None: recognised by its fields
    mapping: Mapping[str, str] = field(default_factory=dict)
    honeypot: str | None = None
    return_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """What the request around the post tells."""

    sender: CaptureSender
    page_url: str | None = None  # Referer
    cookies: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class FormReading:
    """A post that was understood. `content` is the hash of what was filled in: equal for a
    double click; `return_url` is an allowed one.
    """

    draft: CaptureDraft
    source: CaptureSource
    content: str
    named_message_id: str | None
    return_url: str | None

    def capture(self, message_id: str) -> Capture:
        """The capture, once it is settled which message it is."""
        self.draft.message_id = message_id
        return seal(self.draft, self.source)


@dataclass(slots=True)
class _Sorted:
    """Fields by what they mean."""

    traits: JsonObject = field(default_factory=dict)
    special: dict[str, str] = field(default_factory=dict)
    campaign: JsonObject = field(default_factory=dict)
    clicks: JsonObject = field(default_factory=dict)
    consent: JsonObject = field(default_factory=dict)
    technical: JsonObject = field(default_factory=dict)
    kept: JsonObject = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    is_trap_sprung: bool = False


def read_form(form: Form, submission: Submission, visit: Visit, received_at: datetime) -> FormReading:
    """What a post to `form` says. A post without any identifier is kept all the same: it
    may hold the only word a lead ever sent.
    """
    found = _sort(form, submission)
    name = found.special.get(presets.FORM_NAME) or form.name
    draft = CaptureDraft(InteractionKind.FORM, "", received_at, received_at, name=name)
    draft.traits = found.traits
    draft.properties = {"form_id": form.form_id, "fields": found.kept}
    draft.context = _context(found, submission, visit)
    draft.extra = {"technical": found.technical} if found.technical else {}
    draft.flags = _flags(found, submission)
    anonymous_id = claims.identifier_or_none(found.special.get(presets.ANONYMOUS_ID)) or _cookie(
        visit.cookies.get("ajs_anonymous_id")
    )
    user_id = claims.identifier_or_none(found.special.get(presets.USER_ID))
    phone = claims.phone_in(found.traits, {"phone": found.traits.get("mobile")})
    draft.claims = claims.claims_of(user_id, claims.email_in(found.traits), phone, anonymous_id)
    draft.account = _company(found.traits)
    said = orjson.dumps([found.kept, found.consent], option=orjson.OPT_SORT_KEYS).decode()
    content = hash_id("cnt", form.form_id, anonymous_id or "", said)
    return_url = allowed_return(form, found.special.get(presets.RETURN_URL))
    return FormReading(draft, form.source, content, found.special.get(presets.MESSAGE_ID), return_url)


def _flags(found: _Sorted, submission: Submission) -> list[Flag]:
    odd = ((Flag.HONEYPOT, found.is_trap_sprung), (Flag.FILES_DROPPED, bool(submission.files)))
    return [flag for flag, holds in odd if holds]


def message_id_of(content: str, received_at: datetime) -> str:
    """The message id of a post that names none: its content and the minute, so that a double click is
    one and the same wish next day is another.
    """
    return hash_id("msg", content, received_at.strftime("%Y-%m-%dT%H:%M"))


def allowed_return(form: Form, wanted: str | None) -> str | None:
    """`wanted` when an entry of the form's list allows it: same scheme, host and
    port, and a path at or below the entry's.
    """
    if not wanted or any(ord(mark) <= 32 or mark == "\\" for mark in wanted):
        return None
    return wanted if any(_allows(entry, wanted) for entry in form.return_urls) else None


def _allows(entry: str, wanted: str) -> bool:
    try:
        allowed, asked = urlsplit(entry), urlsplit(wanted)
        same_door = (allowed.scheme, allowed.hostname, allowed.port) == (asked.scheme, asked.hostname, asked.port)
    except ValueError:
        return False
    if (
        asked.scheme not in ("http", "https")
        or asked.username is not None
        or not same_door
        or "/.." in unquote(asked.path)
    ):
        return False
    root = allowed.path.rstrip("/")
    return asked.path == root or asked.path.startswith(f"{root}/") or not root


def _sort(form: Form, submission: Submission) -> _Sorted:
    lowered = {name.lower() for name in submission.fields}
    preset = PRESETS[form.preset or presets.recognised(lowered)]
    mapping = {name.lower(): target for name, target in form.mapping.items()}
    found = _Sorted()
    for name, values in submission.fields.items():
        values = [_bounded(value) for value in values if value is not None]
        if form.honeypot is not None and name == form.honeypot:
            target: str | None = presets.HONEYPOT
        else:
            target = mapping.get(name.lower()) or preset.get(name.lower()) or presets.guess(name)
        _place(found, name, values, target)
    return found


def _place(found: _Sorted, name: str, values: list[Any], target: str | None) -> None:
    whole = values[0] if len(values) == 1 else values
    match target:
        case presets.SECRET:
            found.secrets.append(name)
        case presets.HONEYPOT:
            found.is_trap_sprung = found.is_trap_sprung or any(values)
        case presets.TECHNICAL:
            found.technical[name] = whole
        case presets.CONSENT:
            found.consent[name] = whole
            found.kept[name] = whole
        case None:
            found.kept[name] = whole
        case _:
            _place_meaning(found, values, target)
            if not target.startswith("@"):
                found.kept[name] = whole


def _place_meaning(found: _Sorted, values: list[Any], target: str) -> None:
    filled = [value for value in values if value not in ("", None)]
    if not filled:
        return
    if target.startswith(presets.CAMPAIGN):
        found.campaign[target.removeprefix(presets.CAMPAIGN)] = filled[0]
    elif target.startswith(presets.CLICK):
        found.clicks[target.removeprefix(presets.CLICK)] = filled[0]
    elif target.startswith("@"):
        if isinstance(filled[0], str | int) and len(said := str(filled[0])) <= URL_CHARACTERS:
            found.special.setdefault(target, said)
    elif target == "email":
        valid = next(
            (value.strip() for value in filled if isinstance(value, str) and claims.is_email(value.strip())), None
        )
        if "email" not in found.traits or (valid and not claims.is_email(str(found.traits["email"]))):
            found.traits["email"] = valid or filled[0]
    else:
        found.traits.setdefault(target, filled[0] if len(filled) == 1 else filled)


def _context(found: _Sorted, submission: Submission, visit: Visit) -> JsonObject:
    page, campaign, clicks = _page(found.special.get(presets.PAGE_URL) or visit.page_url)
    for key, special in (("title", presets.PAGE_TITLE), ("referrer", presets.REFERRER)):
        if special in found.special:
            page[key] = found.special[special]
    parts = {
        "page": page,
        "campaign": {**campaign, **found.campaign},
        "click_ids": {**clicks, **found.clicks},
        "consent": found.consent,
        "files": list(submission.files),
        "dropped": found.secrets,
        "ip": visit.sender.ip,
        "userAgent": visit.sender.user_agent,
        "locale": visit.language,
    }
    return {key: value for key, value in parts.items() if value}


def _page(url: str | None) -> tuple[JsonObject, JsonObject, JsonObject]:
    """The page, and the campaign and click ids in its query."""
    if not url:
        return {}, {}, {}
    try:
        parts = urlsplit(url[:URL_CHARACTERS])
        query = dict(parse_qsl(parts.query, max_num_fields=100))
    except ValueError:
        return {"url": url[:URL_CHARACTERS]}, {}, {}
    page = {"url": url[:URL_CHARACTERS], "path": parts.path, "search": f"?{parts.query}" if parts.query else ""}
    campaign = {_CAMPAIGN_IN_QUERY[key]: value for key, value in query.items() if key in _CAMPAIGN_IN_QUERY}
    return page, campaign, {key: value for key, value in query.items() if key in _CLICK_IDS}


def _company(traits: JsonObject) -> JsonObject | None:
    account = claims.account_of_company(traits.get("company"))
    domain = claims.domain_in(traits)
    if account is None:
        return {"group_id": None, "name": None, "domain": domain, "traits": {}} if domain else None
    return {**account, "domain": account["domain"] or domain}


def _cookie(value: str | None) -> str | None:
    """analytics.js writes its cookie plain or as quoted, percent-encoded JSON."""
    text = unquote(value).strip().strip('"') if value else ""
    return text if 0 < len(text) <= IDENTIFIER_CHARACTERS and text.isprintable() else None


def _bounded(value: Any) -> Any:
    return value[:FIELD_CHARACTERS] if isinstance(value, str) else value
