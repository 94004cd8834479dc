"""What a capture says of a company: by what it names it (a group id, a domain, a name, or the domain of an address)
and what it tells of it; and which of all that was told is believed.

A claim fills what is not known and never replaces what a server said: among claims the first one stays, among a
server's words the latest counts. Each is a maximum, so that any order of arrival comes to the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache, reduce
from typing import Any, Final, NamedTuple

import orjson

from contracts.attributes import KNOWN_ATTRIBUTES
from contracts.events.scoring import Attribute
from contracts.limits import ACCOUNT_TRAITS, NAME_CHARACTERS, VALUE_BYTES
from contracts.maildomains import company_domain
from contracts.values import AccountClaim, IdentifierKind, InteractionKind, JsonObject, NamedBy, Strength
from people_kernel.beliefs import Precedence, join
from people_kernel.profile import RANK, Attributes
from semantics.capture import CaptureReading
from semantics.companies import domain_of_company
from semantics.identifiers import domain_spelling, email_domain
from semantics.names import attribute_name

AccountKey = tuple[str, str]
"""("group_id" | "domain" | "name", normalised value); the strongest kind comes first."""

_LONGEST_KEY: Final = 255


class AccountNaming(NamedTuple):
    """By what a capture names a company, strongest first (never empty), and how directly."""

    keys: tuple[AccountKey, ...]
    named_by: NamedBy


@lru_cache(maxsize=65_536)
def registrable_domain(domain: str) -> str | None:
    """What a company registered (acme.co.uk of mail.acme.co.uk); None for a public suffix and for free mail."""
    spelling = domain_spelling(domain)
    return company_domain(spelling) if spelling else None


def naming_of(reading: CaptureReading) -> AccountNaming | None:
    """Which company a capture names, in whatever form it says so. A bare name beside a business address names that
    address's company; an address alone stands for its company.
    """
    interaction = reading.capture.interaction
    keys = [] if reading.account is None and not reading.facts else _claimed_keys(reading)
    by_address = _address_keys(reading)[:1]
    if not keys:
        return AccountNaming(by_address, NamedBy.EMAIL) if by_address else None
    kind = keys[0][0]
    if kind == "name":
        return AccountNaming(by_address or tuple(keys), NamedBy.NAME)
    if kind == "domain":
        return AccountNaming(tuple(keys), NamedBy.DOMAIN)
    is_call = interaction.kind is InteractionKind.GROUP
    return AccountNaming(tuple(keys), NamedBy.GROUP_CALL if is_call else NamedBy.GROUP_ID)


def account_keys(reading: CaptureReading) -> list[AccountKey]:
    """All that must be looked up to know which companies a capture is about."""
    naming = naming_of(reading)
    return [*(() if naming is None else naming.keys), *_address_keys(reading)]


def _claimed_keys(reading: CaptureReading) -> list[AccountKey]:
    claim, keys = reading.account or AccountClaim(), list[AccountKey]()
    if group_id := _plain(claim.group_id):
        keys.append(("group_id", group_id))
    told = (claim.domain, reading.facts.get("company_domain"), reading.facts.get("website"))
    if domain := next(filter(None, map(domain_of_company, told)), None):
        keys.append(("domain", domain))
    if not keys and (name := _clean_name(claim.name or reading.facts.get("company"))):
        keys.append(("name", unicodedata.normalize("NFKC", name.casefold())[:_LONGEST_KEY]))
    return keys


def _address_keys(reading: CaptureReading) -> tuple[AccountKey, ...]:
    emails = [one.value for one in reading.identifiers if one.kind is IdentifierKind.EMAIL]
    return tuple(("domain", domain) for one in emails if (domain := registrable_domain(email_domain(one))))


def _plain(text: str | None) -> str | None:
    """Trimmed, printable and bounded, or nothing."""
    cleaned = (text or "").strip()
    return cleaned if 0 < len(cleaned) <= _LONGEST_KEY and cleaned.isprintable() else None


def _clean_name(name: object) -> str | None:
    return _plain(" ".join(unicodedata.normalize("NFKC", name).split())) if isinstance(name, str) else None


SHARED: Final = ("company", "company_domain", "website", "industry", "employees", "country")
"""What everybody who belongs to a company shares with it."""
_OF_THE_READING: Final = frozenset(SHARED) - {"country"}  # a person's country is theirs
_NO_FACTS: Final = frozenset({"id", "name", "domain", "url"})  # by these it is found, or they are facts of other names


def facts_told(reading: CaptureReading) -> Attributes:
    """What a capture says of the company that it names, as a profile would keep it."""
    # who takes their company back says nothing of the company itself
    values = {name: value for name, value in reading.facts.items() if name in _OF_THE_READING and value is not None}
    claim = reading.capture.interaction.account
    if claim is not None:
        values |= {name: value for name, value in _other_traits(claim).items() if name not in values}
    interaction = reading.capture.interaction
    return {
        name: Attribute(
            value=value,
            strength=reading.strength,
            source_id=interaction.source_id,
            interaction_id=interaction.interaction_id,
            occurred_at=interaction.occurred_at,
        )
        for name, value in values.items()
    }


def all_facts(parts: Iterable[Attributes]) -> Attributes:
    """What is believed of a company that was known as several, nulls included."""
    nothing: Attributes = {}
    return reduce(lambda one, other: _bounded(join(one, other, _precedence)), parts, nothing)


def name_in(facts: Attributes) -> str | None:
    """What the company is called."""
    value = facts["company"].value if "company" in facts else None
    return value if isinstance(value, str) else None


def traits_in(facts: Attributes) -> JsonObject:
    """Beside its name."""
    return {name: one.value for name, one in sorted(facts.items()) if one.value is not None and name != "company"}


def shared(facts: Attributes) -> dict[str, Attribute]:
    """What counts for everybody who belongs there."""
    return {name: facts[name] for name in SHARED if name in facts}


def tells_apart(before: Attributes, after: Attributes) -> bool:
    """Whether a value or its strength is another; when an equal one was said again tells nobody anything."""
    return _told(before) != _told(after)


def _told(facts: Attributes) -> dict[str, tuple[bytes, Strength]]:
    return {name: (orjson.dumps(one.value), one.strength) for name, one in facts.items()}


def _other_traits(claim: AccountClaim) -> Mapping[str, Any]:
    """Traits under our name where we have one, else as they came; what is blank says nothing."""
    found: dict[str, Any] = {}
    for key, value in claim.traits.items():
        attribute = attribute_name(key)
        name = attribute if attribute in KNOWN_ATTRIBUTES else key
        is_shared = name in _OF_THE_READING and value is not None  # then the reading has it, typed
        if name not in _NO_FACTS and not is_shared and value not in ("", [], {}) and _has_room(name, value):
            found[name] = value
    return found


def _has_room(name: str, value: Any) -> bool:
    """What cannot be kept on an account stays in the interaction."""
    try:
        return 0 < len(name) <= NAME_CHARACTERS and len(orjson.dumps(value)) <= VALUE_BYTES
    except TypeError:  # half a character, or a number that no store takes
        return False


def _precedence(fact: Attribute) -> Precedence:
    """Greater is believed more."""
    rank, moment = RANK[fact.strength], fact.occurred_at.timestamp()
    return rank, 0, moment if rank >= RANK[Strength.VERIFIED] else -moment, fact.interaction_id


def _bounded(facts: Attributes) -> Attributes:
    """As much as there is room for: what its people share first, then what is believed most. A claim takes no room
    from a server's word.
    """
    if len(facts) <= ACCOUNT_TRAITS:
        return facts
    names = sorted(facts)
    names.sort(key=lambda name: (name in SHARED, _precedence(facts[name])), reverse=True)
    return {name: facts[name] for name in sorted(names[:ACCOUNT_TRAITS])}
