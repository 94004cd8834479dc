"""Which company somebody means: its name, and the domain that is its own.

A placeholder is no company; a profile in a network, a page of a site builder, a mail provider are no company's domain.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from contracts.maildomains import company_domain, is_profile_link
from contracts.values import AccountClaim, Identifier, IdentifierKind, Interaction, InteractionKind
from semantics.escapes import unescaped
from semantics.identifiers import domain_spelling, normalise
from semantics.names import attribute_name
from semantics.placeholders import is_placeholder

_LONGEST = 1_000  # characters of a link


def account_of(interaction: Interaction, company: Any = None, domain: Any = None) -> AccountClaim | None:
    """The company that the interaction claims, with nothing but what is one; None when nothing is left.

    `company` and `domain` are what its traits say of it: they count where it names no account itself.
    """
    claim = interaction.account
    if claim is None:
        is_said = (company or domain) and interaction.kind is not InteractionKind.GROUP
        return AccountClaim(name=company, domain=domain) if is_said else None
    group_id = claim.group_id if claim.group_id is not None and _is_id(claim.group_id) else None
    name = None if claim.name is None or is_placeholder("company", claim.name) else unescaped(claim.name)
    domain = domain_of_account(claim)
    if (group_id, name, domain) == (claim.group_id, claim.name, claim.domain):
        return claim
    if group_id is None and name is None and domain is None:
        return None
    return AccountClaim(group_id=group_id, name=name, domain=domain, traits=claim.traits)


def domain_of_account(claim: AccountClaim) -> str | None:
    """The domain of a claimed account. Of a network's own domain it must be said that it is the company's: a link to it
    is somebody's profile.
    """
    if claim.domain is None:
        return None
    host = _host_of(claim.domain)
    if host is not None and is_profile_link(host, has_path=not _says_domain(claim)):
        return None
    return None if host is None else company_domain(host)


def domain_of_company(text: Any) -> str | None:
    """What a company registered, of a domain or a link that was given as its domain; None when that is none."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    host = _host_of(text)
    if host is None or is_profile_link(host, has_path=_has_path(text)):
        return None
    return company_domain(host)


def _says_domain(claim: AccountClaim) -> bool:
    said = (value for key, value in claim.traits.items() if attribute_name(key) in ("domain", "company_domain"))
    return any(isinstance(value, str) and domain_of_company(value) is not None for value in said)


def _is_id(text: str) -> bool:
    return isinstance(normalise(IdentifierKind.ANONYMOUS_ID, text, None), Identifier)


@lru_cache(maxsize=8192)
def _host_of(text: str) -> str | None:
    """`acme.example` of `https://www.acme.example/about`, as it is spelled here."""
    bare = text.strip()
    try:
        host = urlsplit(bare if "//" in bare else f"//{bare}").hostname
    except ValueError:
        return None
    return domain_spelling(host.removeprefix("www.")) if host else None


def _has_path(text: str) -> bool:
    return bool(text.partition("//")[2].partition("/")[2] if "//" in text else text.partition("/")[2])
