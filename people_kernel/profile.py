"""What a rule can know of a person's profile, in the same words for every service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.events.scoring import Attribute
from contracts.maildomains import company_domain
from people_kernel.titles import FUNCTIONS, RANKS, business_function, seniority
from rulebook.vocabulary import BOOL, DOUBLE, INT, MAP, STRING, FactType, one_of

Attributes = Mapping[str, Attribute]
"""Attribute name -> the claim that is believed."""

_AUTHORITIES = ("decides", "influences", "none")
PROFILE_VARIABLES: Mapping[str, FactType] = {
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


def profile_facts(attributes: Attributes) -> dict[str, Any]:
    """The believed values, and what follows from them."""
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


def text_of(attributes: Attributes, name: str) -> str | None:
    """An attribute's value if it is text."""
    attribute = attributes.get(name)
    return attribute.value if attribute is not None and isinstance(attribute.value, str) else None


def display_name(attributes: Attributes) -> str | None:
    """The name to show: the whole name if one was given, else its parts in the order of their script."""
    first, last = text_of(attributes, "first_name"), text_of(attributes, "last_name")
    whole = text_of(attributes, "name")
    if whole is not None or first is None or last is None:
        return whole or first or last
    return f"{last}{first}" if _family_name_first(last) else f"{first} {last}"


def domain_of(email: object) -> str | None:
    """The domain of an address, lower case; None when it is not one."""
    if not isinstance(email, str):
        return None
    local, at, domain = email.strip().rpartition("@")
    domain = domain.casefold().rstrip(".")
    if not at or not local or "." not in domain or " " in domain:
        return None
    return domain


def _family_name_first(name: str) -> bool:
    return name[:1] >= "\u2e80"  # ideographs, kana, Hangul: the family name comes first, without a space
