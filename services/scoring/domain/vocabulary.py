"""What scoring rules may speak of: the interaction, for engagement; the profile, for fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from contracts.maildomains import company_domain
from contracts.values import Interaction, InteractionKind
from rulebook.vocabulary import BOOL, DOUBLE, INT, MAP, STRING, Vocabulary, one_of
from services.scoring.domain.profile import Attributes, display_name, text_of
from services.scoring.domain.titles import FUNCTIONS, RANKS, business_function, seniority

PROFILE = "profile"
"""The kind that fit rules listen to: a profile that changed."""

_AUTHORITIES = ("decides", "influences", "none")
_INTERACTION_VARIABLES = {
    "interaction.kind": one_of(*InteractionKind),
    "interaction.name": STRING,
    "interaction.source": one_of("web", "server"),
    "page.path": STRING,
    "page.url": STRING,
    "page.title": STRING,
    "page.referrer": STRING,
    "campaign.name": STRING,
    "campaign.source": STRING,
    "campaign.medium": STRING,
    "campaign.term": STRING,
    "campaign.content": STRING,
    "properties": MAP,
}
_PROFILE_VARIABLES = {
    "person.name": STRING,
    "person.title": STRING,
    "person.seniority": one_of(*RANKS),
    "person.function": one_of(*FUNCTIONS),
    "person.email_domain": STRING,
    "person.has_business_email": BOOL,
    "person.has_phone": BOOL,
    "person.country": STRING,
    "person.city": STRING,
    "person.language": STRING,
    "company.name": STRING,
    "company.domain": STRING,
    "company.employees": INT,
    "company.industry": STRING,
    "bant.budget": DOUBLE,
    "bant.budget_currency": STRING,
    "bant.authority": one_of(*_AUTHORITIES),
    "bant.need": STRING,
    "bant.timing_months": INT,
    "attributes": MAP,
}
OF_PROFILE = frozenset(_PROFILE_VARIABLES)
VOCABULARY = Vocabulary(variables={**_INTERACTION_VARIABLES, **_PROFILE_VARIABLES}, kinds=[*InteractionKind, PROFILE])

_CAMPAIGN = ("name", "source", "medium", "term", "content")


def interaction_facts(interaction: Interaction) -> dict[str, Any]:
    """What engagement rules can know. A page call describes its page itself; other calls carry it in their context."""
    page = {**_mapping(interaction.context.get("page")), **(interaction.properties if interaction.kind is InteractionKind.PAGE else {})}
    campaign = _mapping(interaction.context.get("campaign"))
    url = page.get("url")
    facts: dict[str, Any] = {
        "interaction.kind": interaction.kind.value,
        "interaction.name": interaction.name,
        "interaction.source": interaction.source_kind.value,
        "page.path": page.get("path") or _path_of(url),
        "page.url": url,
        "page.title": page.get("title"),
        "page.referrer": page.get("referrer"),
        "properties": interaction.properties,
    }
    for part in _CAMPAIGN:
        facts[f"campaign.{part}"] = campaign.get(part)
    return facts


def profile_facts(attributes: Attributes) -> dict[str, Any]:
    """What fit rules can know: the believed values, and what follows from them."""
    values = {name: attribute.value for name, attribute in attributes.items()}
    title, domain = text_of(attributes, "title"), domain_of(values.get("email"))
    authority = values.get("authority")
    return {
        "person.name": display_name(attributes),
        "person.title": title,
        "person.seniority": None if title is None else seniority(title),
        "person.function": None if title is None else business_function(title),
        "person.email_domain": domain,
        "person.has_business_email": None if domain is None else company_domain(domain) is not None,
        "person.has_phone": "phone" in values,
        "person.country": values.get("country"),
        "person.city": values.get("city"),
        "person.language": values.get("language"),
        "company.name": values.get("company"),
        "company.domain": values.get("company_domain"),
        "company.employees": values.get("employees"),
        "company.industry": values.get("industry"),
        "bant.budget": values.get("budget"),
        "bant.budget_currency": values.get("budget_currency"),
        "bant.authority": authority if authority in _AUTHORITIES else None,
        "bant.need": values.get("need"),
        "bant.timing_months": values.get("timing"),
        "attributes": values,
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _path_of(url: Any) -> str | None:
    try:
        return urlsplit(url).path or None if isinstance(url, str) else None
    except ValueError:  # a bracket that is no IPv6 address
        return None


def domain_of(email: object) -> str | None:
    """The domain of an address, lower case; None when it is not one."""
    if not isinstance(email, str):
        return None
    local, at, domain = email.strip().rpartition("@")
    domain = domain.casefold().rstrip(".")
    if not at or not local or "." not in domain or " " in domain:
        return None
    return domain
