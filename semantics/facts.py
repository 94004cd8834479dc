"""What an interaction says about the person and their company: attributes under one name, with values of our types.

Known traits are given our names and types; any other is kept as it came under its own name. Empty values say nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from itertools import islice
from math import isfinite
from typing import Any

from contracts.attributes import KNOWN_ATTRIBUTES, has_room
from contracts.limits import OTHER_ATTRIBUTES, TRAITS, VALUE_BYTES
from contracts.values import AccountClaim, Interaction, InteractionKind
from semantics.figures import authority, head_count, money, months
from semantics.names import attribute_name, is_text

Facts = Mapping[str, Any]
"""Attribute name -> JSON value."""

_BANT = frozenset({"budget", "authority", "need", "timing"})
_NOT_ABOUT_THE_PERSON = frozenset(
    {"id", "avatar", "createdat", "created_at", "password", "anonymousid", "anonymous_id"}
)
# ours under these names; a sender's would be taken for them
_KNOWN_BY_IDENTITY = frozenset({"userid", "user_id", "accountid", "account_id"})
_ACCOUNT_TRAITS = {
    "name": "company",
    "company": "company",
    "domain": "company_domain",
    "industry": "industry",
    "employees": "employees",
    "website": "website",
}
_LARGEST = 2**63
_WORTH_A_LOOK = 4 * VALUE_BYTES  # characters; what is longer has no room when it is tidied either


def facts_of(interaction: Interaction) -> Facts:
    """What `interaction` claims, as far as a profile has room.

    The account it names fills what the traits leave open.
    """
    claims: dict[str, Any] = {}
    if interaction.account is not None:
        claims.update(_of_account(interaction.account))
    if interaction.kind is not InteractionKind.GROUP:  # a group's traits are the company's
        for key, value in islice(interaction.traits.items(), TRAITS):
            claims.update(_of_trait(key, value))
    for key, value in islice(interaction.properties.items(), TRAITS):
        if attribute_name(key) in _BANT:
            claims.update(_of_trait(key, value))
    return _bounded(claims)


def _bounded(claims: Mapping[str, Any]) -> Facts:
    """Of names that nobody knows those that a profile would keep of this fact alone: the first in the alphabet."""
    if len(claims) <= OTHER_ATTRIBUTES:
        return claims
    others = sorted(claims.keys() - KNOWN_ATTRIBUTES)
    gone = frozenset(others[OTHER_ATTRIBUTES:])
    return {name: value for name, value in claims.items() if name not in gone}


def _of_account(account: AccountClaim) -> Iterator[tuple[str, Any]]:
    for key, value in islice(account.traits.items(), TRAITS):
        attribute = _ACCOUNT_TRAITS.get(attribute_name(key))
        if attribute is not None:
            yield from _typed(attribute, value)
    if account.name is not None:
        yield from _typed("company", account.name)
    if account.domain is not None:
        yield from _typed("company_domain", account.domain)


def _of_trait(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    attribute = attribute_name(key)
    if attribute in _NOT_ABOUT_THE_PERSON or attribute in _KNOWN_BY_IDENTITY:
        return
    if attribute == "company" and isinstance(value, Mapping):
        yield from _of_account(AccountClaim(traits=dict(value)))
    elif attribute == "address" and isinstance(value, Mapping):
        for part in ("country", "city"):
            yield from _typed(part, value.get(part))
    else:
        yield from _typed(attribute, value)


def _typed(attribute: str, value: Any) -> Iterator[tuple[str, Any]]:
    """(attribute, value) as our type; what cannot be read as that type is kept as it came."""
    kept = _tidy(value) if attribute else None
    if kept is None:
        return
    if attribute == "employees":
        count = head_count(kept)
        yield attribute, kept if count is None else count
    elif attribute == "budget":
        amount = money(kept)
        yield attribute, kept if amount is None else float(amount.amount)
        if amount is not None and amount.currency is not None:
            yield "budget_currency", amount.currency
    elif attribute == "timing":
        away = months(kept)
        yield attribute, kept if away is None else away
    elif attribute == "authority":
        yield attribute, authority(kept)
    elif attribute == "email" and isinstance(kept, str):
        yield attribute, kept.casefold()
    else:
        yield attribute, kept


def _tidy(value: Any) -> Any:
    """`value` without what cannot be kept: endless values, numbers of more than 64 bits (as text), characters that are
    none. None: nothing left.
    """
    if isinstance(value, str):
        text = " ".join(unicodedata.normalize("NFKC", value).split()) if len(value) <= _WORTH_A_LOOK else ""
        return text if text and is_text(text) and has_room(text) else None
    if value is None or value == [] or value == {} or len(str(value)) > _WORTH_A_LOOK:
        return None
    kept = _keepable(value)
    return kept if has_room(kept) else None


def _keepable(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int():
            return value if -_LARGEST <= value < _LARGEST else str(value)
        case float():
            return value if isfinite(value) else None
        case str():
            return value if is_text(value) else None
        case Mapping():
            return {str(key): _keepable(entry) for key, entry in value.items() if is_text(str(key))}
        case list() | tuple():
            return [_keepable(entry) for entry in value]
    return value
