"""One form post, read into an interaction: claims from mapped fields, every field kept,
and nothing revealed to whoever posted it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hmac import compare_digest
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from contracts.ids import hash_id
from contracts.limits import EVENT_NAME_CHARACTERS, IDENTIFIER_CHARACTERS, MESSAGE_ID_CHARACTERS, URL_CHARACTERS
from contracts.values import Flag, IdentifierKind, InteractionKind, JsonObject
from gateway.domain import claims
from gateway.domain.capture import Capture, CaptureDraft, CaptureSender, CaptureSource, seal
from gateway.domain.forms import presets
from gateway.domain.forms.answers import FieldAnswer, answers_in
from gateway.domain.forms.form_body import Submission
from gateway.domain.forms.form_services import ServicePlan, plan_of
from gateway.domain.forms.presets import PRESETS, Preset
from gateway.domain.forms.sorted_fields import SortedFields, sort
from gateway.domain.keys import hash_of
from gateway.domain.moment import occurred
from gateway.domain.refusal import CaptureRefused, RefusalKind
from semantics.campaign import in_address
from semantics.contacts import given_in

_SHORT_ID = 12  # characters; a shorter id is a number that each site counts from 1, and names nothing for all
_SECRET_NAMES = frozenset({"googlekey", "handshakekey"})
_SENDS_SECRET = frozenset({Preset.GOOGLE_ADS, Preset.WUFOO, Preset.FORMSTACK})
_FIRST_YEAR = 2000  # before it nobody filled in a form; a service that says so says nothing


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
    secret_hash: str | None = None  # of what a service has to send along, as `gateway.domain.keys` hashes it
    secret: str | None = field(default=None, repr=False)  # the same, for services that sign
    verify_hash: str | None = None  # of the token by which Meta asks whether it may post here
    is_strict: bool = False  # it has a secret that signs: only what proves to know it is taken


@dataclass(frozen=True, slots=True)
class Visit:
    """What the request around the post tells."""

    sender: CaptureSender
    page_url: str | None = None  # Referer
    cookies: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class FormReading:
    """A post that was read. `content` is the hash of what was filled in: equal for a double click; `return_url` is an
    allowed one; `unrecognized` says why nobody was found in it.
    """

    draft: CaptureDraft
    source: CaptureSource
    content: str
    named_message_id: str | None
    return_url: str | None
    unrecognized: str | None = None

    def capture(self, message_id: str) -> Capture:
        """The capture, once it is settled which message it is."""
        self.draft.message_id = message_id
        return seal(self.draft, self.source)


def read_form(form: Form, submission: Submission, visit: Visit, received_at: datetime) -> FormReading:
    """What a post to `form` says. A post without any identifier is kept all the same: it may hold the only word a lead
    ever sent. Raises CaptureRefused where the form's secret is missing.
    """
    answers, plan = _answers_of(form, submission)
    found = _sorted(form, submission, answers, plan)
    name = (found.special.get(presets.FORM_NAME) or form.name)[:EVENT_NAME_CHARACTERS]
    draft = CaptureDraft(InteractionKind.FORM, "", received_at, received_at, name=name)
    draft.traits, draft.given = found.traits, given_in(found.traits)
    draft.properties = {"form_id": form.form_id, "fields": found.kept}
    draft.context = _context(found, submission, visit)
    draft.extra = {"technical": found.technical} if found.technical else {}
    draft.occurred_at, draft.flags = _occurred(found, received_at)
    draft.flags += _flags(found, submission)
    cookie = _cookie(visit.cookies.get("ajs_anonymous_id"))
    anonymous_id = claims.identifier_or_none(found.special.get(presets.ANONYMOUS_ID)) or cookie
    user_id = claims.identifier_or_none(found.special.get(presets.USER_ID))
    phone = claims.phone_in(draft.given, given_in({"phone": found.traits.get("mobile")}))
    draft.claims = claims.claims_of(user_id, found.email, phone, anonymous_id)
    draft.account = _company(found.traits)
    said = orjson.dumps([found.kept, found.consent], option=orjson.OPT_SORT_KEYS).decode()
    content = hash_id("cnt", form.form_id, anonymous_id or "", said)
    return FormReading(
        draft,
        replace(form.source, is_test=True) if found.is_test else form.source,
        content,
        _message_id(form, found, content),
        allowed_return(form, found.special.get(presets.RETURN_URL)),
        _unrecognized(draft, is_document=submission.document is not None),
    )


def _answers_of(form: Form, submission: Submission) -> tuple[list[FieldAnswer], ServicePlan | None]:
    """The answers, and the plan of the service they were read by."""
    if (document := submission.document) is not None:
        plan = plan_of(document, form.preset)
        return (answers_in(document) if plan is None else plan.read(document)), plan
    fields = {name: _one_or_all(values) for name, values in submission.fields.items()}
    if (plan := plan_of(fields, form.preset, is_flat=True)) is not None:
        return plan.read(fields), plan
    return [FieldAnswer(name, value) for name, value in fields.items()], None


def _sorted(
    form: Form, submission: Submission, answers: Sequence[FieldAnswer], plan: ServicePlan | None
) -> SortedFields:
    names = submission.document if submission.document is not None else submission.fields
    names_of_pairs = (answer.name for answer in answers)
    recognised = presets.recognised({name.lower() for name in (*names, *names_of_pairs)})
    preset = form.preset or (recognised if plan is None else plan.preset)
    _check_secret(form, preset, answers)
    mapping = {name.lower(): target for name, target in form.mapping.items()}
    return sort(answers, mapping, PRESETS[preset], form.honeypot)


def _check_secret(form: Form, preset: Preset, answers: Sequence[FieldAnswer]) -> None:
    if form.secret_hash is None:
        return
    if preset not in _SENDS_SECRET:
        if form.is_strict:
            remedy = "take webhook_secret from the form, or choose the preset of the service that posts to it"
            reason = "proves by no key and no signature that it comes from the form's service"
            raise CaptureRefused("body", reason, RefusalKind.FORBIDDEN, remedy=remedy)
        return
    given = [str(answer.value) for answer in answers if answer.name.replace("_", "").lower() in _SECRET_NAMES]
    if not any(compare_digest(hash_of(one), form.secret_hash) for one in given):
        name = "google_key" if preset is Preset.GOOGLE_ADS else "HandshakeKey"
        remedy = "enter at the service the webhook_secret of this form, or give the form the service's"
        raise CaptureRefused(name, "is missing, or not the one of this form", RefusalKind.FORBIDDEN, remedy=remedy)


def _one_or_all(values: Sequence[Any]) -> Any:
    """The same field twice with the same value is one value."""
    distinct = [value for number, value in enumerate(values) if value not in values[:number]]
    return distinct[0] if len(distinct) == 1 else distinct


def _message_id(form: Form, found: SortedFields, content: str) -> str | None:
    """The id by which the sender names the post. A service's own is one for all only where it is long enough."""
    named = found.special.get(presets.MESSAGE_ID)
    if named is None and found.service_id is not None:
        short = len(found.service_id) < _SHORT_ID
        named = hash_id("msg", form.form_id, found.service_id, content) if short else found.service_id
    return named if named is None or len(named) <= MESSAGE_ID_CHARACTERS else hash_id("msg", named)


def _occurred(found: SortedFields, received_at: datetime) -> tuple[datetime, list[Flag]]:
    """When it was filled in, where a service says so."""
    claimed = found.special.get(presets.OCCURRED_AT)
    if claimed is None:
        return received_at, []
    at, flags = occurred(claimed, None, received_at)
    return (at, flags) if at.year >= _FIRST_YEAR else (received_at, [Flag.TIME_UNREADABLE])


def _unrecognized(draft: CaptureDraft, *, is_document: bool) -> str | None:
    """Why nobody was found. A device alone is somebody where a browser sent a form, and nobody where a service posts
    the answers of a lead.
    """
    if any(claim["kind"] != IdentifierKind.ANONYMOUS_ID for claim in draft.claims) or (
        draft.claims and not is_document
    ):
        return None
    if draft.traits.get("email"):
        return "nobody was found: what stands for the e-mail address is none"
    return "nobody was found: no field holds an e-mail address, a phone number or a user id"


def _flags(found: SortedFields, submission: Submission) -> list[Flag]:
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


def _context(found: SortedFields, submission: Submission, visit: Visit) -> JsonObject:
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
    """The page, and the campaign and click ids in its address."""
    if not url:
        return {}, {}, {}
    url = url[:URL_CHARACTERS]
    tag = in_address(url)
    campaign = {"id" if part == "key" else part: value for part, value in tag.parts.items()}
    try:
        parts = urlsplit(url)
    except ValueError:
        return {"url": url}, campaign, dict(tag.clicks)
    page = {"url": url, "path": parts.path, "search": f"?{parts.query}" if parts.query else ""}
    return page, campaign, dict(tag.clicks)


def _company(traits: JsonObject) -> JsonObject | None:
    account = claims.account_of_company(traits.get("company"), traits)
    if account is None and (domain := claims.domain_in(traits)):
        return {"group_id": None, "name": None, "domain": domain, "traits": {}}
    return account


def _cookie(value: str | None) -> str | None:
    """analytics.js writes its cookie plain or as quoted, percent-encoded JSON."""
    text = unquote(value).strip().strip('"') if value else ""
    return text if 0 < len(text) <= IDENTIFIER_CHARACTERS and text.isprintable() else None
