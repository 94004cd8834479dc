"""Who an event says it is about: identifiers strongest first, and the company."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from contracts.limits import IDENTIFIER_CHARACTERS
from contracts.values import IdentifierKind, JsonObject
from gateway.domain.body import kind_of
from gateway.domain.refusal import CaptureRefused
from semantics.contacts import given_in, is_readable
from tests.unit.gateway.plain.capture import Claim

_EMAIL = re.compile(r"[^\s@\"<>,;:\\]{1,64}@[^\s@\"<>,;:\\/]{1,190}\.[^\s@\"<>,;:\\/.\d][^\s@\"<>,;:\\/.]{1,62}")
# A track event's properties may speak of anybody (a colleague who was invited, the agent of a
# chat). They count as the person's own only
# where the event is the person giving their address: a form, a sign-up, a request.
_OWN_ADDRESS = re.compile(
    r"\b(form|signed ?up|sign"
    r" ?up|registered|registration|subscribed|subscription|requested|request|download(ed)?|enquiry|inquiry|lead|"
    r"trial started|account created|contact(ed)? us|newsletter|opted in|webinar)\b"
)
_OF_OTHERS = re.compile(
    r"\b(invite[ds]?|invitation|referr(al|ed)|share[ds]?|forward(ed)?|colleague|friend|gift(ed)?|agent|added"
    r" user|removed user)\b"
)
_WORD_BREAK = re.compile(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z]+")


def identifier(value: Any, field: str, limit: int = IDENTIFIER_CHARACTERS) -> str | None:
    """An identifier as text; a number counts as its digits; blank counts as absent."""
    if value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        text = _digits(value)
    else:
        raise CaptureRefused(field, f"must be a string or a number, not {kind_of(value)}")
    if len(text) > limit:
        raise CaptureRefused(field, f"is longer than {limit} characters")
    return text or None


def is_email(value: str) -> bool:
    """Whether it looks like one e-mail address; whether it exists is for others to find out."""
    return len(value) <= 254 and _EMAIL.fullmatch(value) is not None


def email_in(*places: JsonObject | None) -> str | None:
    """The first address in `places`."""
    for place in places:
        for text in given_in(place or {}).emails:
            if is_readable(IdentifierKind.EMAIL, text):
                return text
    return None


def phone_in(*places: JsonObject | None) -> str | None:
    """The first number in `places` that could be dialled: five digits or more."""
    for place in places:
        for text in given_in(place or {}).phones:
            if len(text) <= IDENTIFIER_CHARACTERS and sum(map(str.isdigit, text)) >= 5:
                return text
    return None


def gives_own_address(event_name: str) -> bool:
    """Whether a track event of this name is someone giving their own address."""
    words = _WORD_BREAK.sub(" ", event_name).lower()
    return _OWN_ADDRESS.search(words) is not None and _OF_OTHERS.search(words) is None


def claims_of(user_id: str | None, email: str | None, phone: str | None, anonymous_id: str | None) -> list[Claim]:
    """The identifiers, strongest first. An address used as user id is an address too."""
    claims = []
    if user_id is not None:
        claims.append(Claim(IdentifierKind.USER_ID, user_id))
        if email is None and is_email(user_id):
            email = user_id
    if email is not None:
        claims.append(Claim(IdentifierKind.EMAIL, email))
    if phone is not None:
        claims.append(Claim(IdentifierKind.PHONE, phone))
    if anonymous_id is not None:
        claims.append(Claim(IdentifierKind.ANONYMOUS_ID, anonymous_id))
    return claims


def account_of_group(group_id: str, traits: JsonObject) -> JsonObject:
    """The company a group call names."""
    return _account(group_id, _text(traits.get("name")), domain_in(traits), traits)


def account_of_company(company: Any, traits: JsonObject) -> JsonObject | None:
    """The company in `traits.company`: a name, or an object with id, name, domain or website and anything else; a web
    site beside it is the company's.
    """
    if isinstance(company, str):
        name = company.strip()
        return _account(None, name, domain_in(traits), {}) if name else None
    if not isinstance(company, dict) or not company:
        return None
    domain = domain_in(company) or domain_in(traits)
    return _account(identifier_or_none(company.get("id")), _text(company.get("name")), domain, company)


def account_of_id(group_id: Any) -> JsonObject | None:
    """The company of `context.groupId`, of which only the id is known."""
    known = identifier_or_none(group_id)
    return _account(known, None, None, {}) if known else None


def domain_in(traits: JsonObject) -> str | None:
    """The domain of `domain`, or the host of `website` or `url`, without `www.`."""
    for key in ("domain", "website", "url", "URL"):
        value = traits.get(key)
        if isinstance(value, str) and (host := host_of(value.strip())):
            return host
    return None


def host_of(address: str) -> str | None:
    """`engines.example` of `https://www.engines.example/about`; None when there is no host in it."""
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname
    except ValueError:
        return None
    if not host or "." not in host or len(host) > 253 or any(mark.isspace() for mark in host):
        return None
    return host.removeprefix("www.")


def identifier_or_none(value: Any) -> str | None:
    """Like `identifier`, for places where a wrong one is no reason to refuse the event."""
    try:
        return identifier(value, "")
    except CaptureRefused:
        return None


def _account(group_id: str | None, name: str | None, domain: str | None, traits: JsonObject) -> JsonObject:
    return {"group_id": group_id, "name": name, "domain": domain, "traits": traits}


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _digits(number: float) -> str:
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)
