"""What an interaction says about the person and their company: attributes under one name, with values of our types.

Known traits are given our names and types; any other is kept as it came under its own name. Empty values say nothing;
`null` takes a known attribute back. What is given for a known one and cannot be read stands under `<name>_unreadable`.
Addresses and numbers are facts only as far as they are identifiers, so that both are read here at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from contracts.attributes import KNOWN_ATTRIBUTES, READ_ATTRIBUTES, is_unreadable, readable, unreadable
from contracts.limits import OTHER_ATTRIBUTES, TRAITS
from contracts.values import AccountClaim, Identifier, Interaction, InteractionKind
from semantics.answers import ANSWERS, answered
from semantics.companies import domain_of_account, domain_of_company
from semantics.contacts import ANYWHERE, CONTACTS, Contacts, settle
from semantics.identifiers import IdentifierRemark
from semantics.kept import cut, tidy
from semantics.names import attribute_name
from semantics.placeholders import is_placeholder, is_salutation

Facts = Mapping[str, Any]
"""Attribute name -> JSON value."""

_NOT_ABOUT_THE_PERSON = frozenset(
    {"id", "avatar", "createdat", "created_at", "password", "anonymousid", "anonymous_id"}
)
# ours under these names; a sender's would be taken for them
_KNOWN_BY_IDENTITY = frozenset({"userid", "user_id", "accountid", "account_id"})
_ACCOUNT_TRAITS = {
    "name": "company",
    "company": "company",
    "domain": "company_domain",
    "company_domain": "company_domain",
    "industry": "industry",
    "employees": "employees",
    "website": "website",
}
_WORDS: Final = frozenset(
    {"first_name", "last_name", "name", "title", "company", "industry", "country", "city", "website", "language"}
)


class TraitReading(NamedTuple):
    """What was read of the traits: the facts, and the addresses and numbers among them, in their order."""

    facts: Facts
    identifiers: Sequence[Identifier | IdentifierRemark] = ()


def facts_of(interaction: Interaction) -> Facts:
    """What `interaction` claims, as far as a profile has room.

    Read without the installation's region, as it is for what was recognized long ago.
    """
    return read_traits(interaction, ANYWHERE).facts


def read_traits(interaction: Interaction, region: str | None) -> TraitReading:
    """What `interaction` claims; `region` is assumed for numbers beside which no country stands.

    The account it names fills what the traits leave open. Its properties are its own: what a form asked is among the
    traits.
    """
    if not (interaction.traits or interaction.account):  # as of many
        return TraitReading({})
    claims: dict[str, Any] = {}
    contacts: Contacts | None = None
    if interaction.account is not None:
        claims.update(_of_account(interaction.account))
    if interaction.kind is not InteractionKind.GROUP:  # a group's traits are the company's
        for key, value in islice(interaction.traits.items(), TRAITS):
            attribute = attribute_name(key)
            if attribute in CONTACTS:
                contacts = (contacts or Contacts()).noted(attribute, value)
            else:
                _take(claims, _of_trait(attribute, value))
    identifiers = settle(claims, contacts, interaction, region) if contacts else ()
    return TraitReading(_bounded(claims), identifiers)


def _take(claims: dict[str, Any], told: Iterator[tuple[str, Any]]) -> None:
    """Of two traits of one name the later counts, but words that cannot be read do not take the place of a value."""
    for name, value in told:
        if value is None and name in claims:
            continue
        claims[name] = value
        if is_unreadable(name) and claims.get(readable(name)) is not None:
            del claims[name]
        elif value is not None and name in READ_ATTRIBUTES:
            claims.pop(unreadable(name), None)


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
    if account.domain is not None and (domain := domain_of_account(account)) is not None:
        yield "company_domain", domain


def _of_trait(attribute: str, value: Any) -> Iterator[tuple[str, Any]]:
    if attribute in _NOT_ABOUT_THE_PERSON or attribute in _KNOWN_BY_IDENTITY or is_unreadable(attribute):
        return
    if attribute == "company" and isinstance(value, Mapping):
        yield from _of_account(AccountClaim(traits=dict(value)))
    elif attribute == "address" and isinstance(value, Mapping):
        for key, part in islice(value.items(), TRAITS):
            if (name := attribute_name(str(key))) in ("country", "city"):
                yield from _typed(name, part)
    else:
        yield from _typed(attribute, value)


def _typed(attribute: str, value: Any) -> Iterator[tuple[str, Any]]:
    """(attribute, value) as our type; what cannot be read as that type is kept as it came."""
    if value is None and attribute in READ_ATTRIBUTES:
        yield attribute, None
        return
    kept = tidy(value) if attribute else None
    if kept is None:
        return
    if attribute in ANSWERS:
        yield from answered(attribute, kept)
    elif attribute == "company_domain":
        domain = domain_of_company(kept)
        yield (unreadable(attribute), cut(kept)) if domain is None else (attribute, domain)
    elif attribute in _WORDS:
        yield _worded(attribute, kept)
    else:
        yield attribute, kept


def _worded(attribute: str, kept: Any) -> tuple[str, Any]:
    """(attribute, words); what is no text, or stands where somebody had nothing to say, is unreadable. A `Mr` where a
    title is asked for is how somebody is called, and no position.
    """
    words = kept[0] if isinstance(kept, list) and len(kept) == 1 else kept
    if isinstance(words, int | float) and not isinstance(words, bool):
        words = str(words)
    if not isinstance(words, str) or is_placeholder(attribute, words):
        return unreadable(attribute), cut(kept)
    return ("salutation" if attribute == "title" and is_salutation(words) else attribute), words
