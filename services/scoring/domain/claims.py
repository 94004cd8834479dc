"""What an interaction claims about a person: attributes under one name each, whatever the sender calls them.

Known traits are given our names and types; any other is kept as it came under its own name. Empty values claim nothing.
Facts are interactions as they were recognized, each judged by one version of the rulebook, for ever.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from math import isfinite
from typing import Any

from pydantic_core import to_json

from contracts.events.identity import InteractionRecognized
from contracts.limits import NAME_CHARACTERS, OTHER_ATTRIBUTES, TRAITS, VALUE_BYTES
from contracts.values import AccountClaim, IdentifierKind, Interaction, InteractionKind, SourceKind, Strength
from services.scoring.domain.figures import authority, head_count, money, months

Claims = Mapping[str, Any]
"""Attribute name -> JSON value."""
TraitFacts = Mapping[str, "TraitFact"]
"""Interaction -> what it claims."""
FactKey = tuple[datetime, str]
"""(occurred_at, interaction_id): the order in which a person's facts are folded."""

_NAMES: dict[str, str] = {
    alias: attribute
    for attribute, aliases in {
        "first_name": "firstname fname givenname forename vorname prenom nombre",
        "last_name": "lastname lname surname familyname nachname apellido apellidos cognome",
        "name": "name fullname yourname displayname",
        "title": "title jobtitle position role jobrole beruf funktion fonction cargo",
        "email": "email emailaddress mail workemail businessemail youremail",
        "phone": "phone phonenumber telephone tel mobile mobilephone telefon",
        "company": (
            "company companyname organization organisation employer firma unternehmen entreprise empresa azienda"
        ),
        "company_domain": "companydomain",
        "employees": "employees employeecount numberofemployees companysize employeesrange headcount mitarbeiter",
        "industry": "industry sector branche secteur",
        "country": "country countrycode land pays pais",
        "city": "city town ort ville ciudad",
        "website": "website url homepage companywebsite",
        "language": "language locale preferredlanguage",
        "budget": "budget budgetamount budgetrange",
        "authority": "authority decisionmaker decisionrole buyingrole",
        "need": "need needs requirement requirements usecase painpoint challenge",
        "timing": "timing timeline timeframe purchasetimeframe projectstart when",
    }.items()
    for alias in aliases.split()
}
KNOWN_ATTRIBUTES = frozenset(_NAMES.values()) | {"budget_currency", "account_id", "user_id"}
"""Names that the product knows: a profile always has room for them."""

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
_SEPARATORS = re.compile(r"[\s_\-.]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: not UTF-8
_LARGEST = 2**63
_WORTH_A_LOOK = 4 * VALUE_BYTES  # characters; what is longer has no room when it is tidied either
_ESCAPED = 6  # bytes that one character takes in JSON at most


@dataclass(frozen=True, slots=True)
class TraitFact:
    """A fact that claims something about the person; the only kind that a profile and fit are folded from."""

    interaction_id: str
    occurred_at: datetime
    fragment_id: str
    source_id: str
    strength: Strength
    version: int  # of the rulebook that judged it
    claims: Claims

    @property
    def key(self) -> FactKey:
        return self.occurred_at, self.interaction_id


@dataclass(frozen=True, slots=True)
class RecognizedIds:
    """What identity says of an interaction beside whose it is: the company it counts for, and its user id."""

    account_id: str | None = None
    user_id: str | None = None


def recognized_ids(event: InteractionRecognized) -> RecognizedIds:
    """The part of the event that the interaction itself does not hold."""
    user_id = next((named.value for named in event.identifiers if named.kind is IdentifierKind.USER_ID), None)
    return RecognizedIds(event.account_id, user_id)


def believed_strength(strength: Strength, interaction: Interaction) -> Strength:
    """How far the traits are believed: a server with a secret key vouches for what it says about a person."""
    if interaction.source_kind is SourceKind.SERVER and strength is Strength.CLAIMED:
        return Strength.VERIFIED
    return strength


def trait_facts(events: Iterable[InteractionRecognized], version: int) -> dict[str, TraitFact]:
    """What the events claim, by interaction; those that claim nothing are left out."""
    facts = {}
    for event in events:
        claims = claims_of(event.interaction)
        if claims or _names_somebody(event.interaction):  # a mere visit claims nothing, and stays cheap
            claims = _with_ids(claims, recognized_ids(event))
        if claims:
            facts[event.interaction.interaction_id] = _of(
                event.interaction, event.fragment_id, event.strength, version, claims
            )
    return facts


def stored_trait_fact(
    interaction: Interaction, fragment_id: str, strength: str, version: int, ids: RecognizedIds
) -> TraitFact:
    """The same, read back from the store."""
    claims = claims_of(interaction)
    if claims or _names_somebody(interaction):
        claims = _with_ids(claims, ids)
    return _of(interaction, fragment_id, Strength(strength), version, claims)


def _names_somebody(interaction: Interaction) -> bool:
    return interaction.account is not None or interaction.kind is InteractionKind.IDENTIFY


def _with_ids(claims: Claims, ids: RecognizedIds) -> Claims:
    """With account and user id as identity knows them."""
    known = {"account_id": ids.account_id, "user_id": ids.user_id}
    return {**claims, **{name: value for name, value in known.items() if value is not None}}


def _of(interaction: Interaction, fragment_id: str, strength: Strength, version: int, claims: Claims) -> TraitFact:
    return TraitFact(
        interaction_id=interaction.interaction_id,
        occurred_at=interaction.occurred_at,
        fragment_id=fragment_id,
        source_id=interaction.source_id,
        strength=believed_strength(strength, interaction),
        version=version,
        claims=claims,
    )


def claims_of(interaction: Interaction) -> Claims:
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
        if _attribute_name(key) in _BANT:
            claims.update(_of_trait(key, value))
    return _bounded(claims)


def _bounded(claims: Mapping[str, Any]) -> Claims:
    """Of names that nobody knows those that a profile would keep of this fact alone: the first in the alphabet."""
    if len(claims) <= OTHER_ATTRIBUTES:
        return claims
    others = sorted(claims.keys() - KNOWN_ATTRIBUTES)
    gone = frozenset(others[OTHER_ATTRIBUTES:])
    return {name: value for name, value in claims.items() if name not in gone}


def _of_account(account: AccountClaim) -> Iterator[tuple[str, Any]]:
    for key, value in islice(account.traits.items(), TRAITS):
        attribute = _ACCOUNT_TRAITS.get(_attribute_name(key))
        if attribute is not None:
            yield from _typed(attribute, value)
    if account.name is not None:
        yield from _typed("company", account.name)
    if account.domain is not None:
        yield from _typed("company_domain", account.domain)


def _of_trait(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    attribute = _attribute_name(key)
    if attribute in _NOT_ABOUT_THE_PERSON or attribute in _KNOWN_BY_IDENTITY:
        return
    if attribute == "company" and isinstance(value, Mapping):
        yield from _of_account(AccountClaim(traits=dict(value)))
    elif attribute == "address" and isinstance(value, Mapping):
        for part in ("country", "city"):
            yield from _typed(part, value.get(part))
    else:
        yield from _typed(attribute, value)


def _attribute_name(key: str) -> str:
    return _named(key) if len(key) <= NAME_CHARACTERS else _named(key[:NAME_CHARACTERS])


@lru_cache(maxsize=4096)  # senders send the same few names
def _named(key: str) -> str:
    if not _is_text(key):
        return ""
    words = _SEPARATORS.sub("_", _CAMEL.sub("_", unicodedata.normalize("NFKC", key).strip())).strip("_").casefold()
    return _NAMES.get(words.replace("_", ""), words)[:NAME_CHARACTERS]


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
        return text if text and _is_text(text) and has_room(text) else None
    if value is None or value == [] or value == {} or len(str(value)) > _WORTH_A_LOOK:
        return None
    kept = _keepable(value)
    return kept if has_room(kept) else None


def has_room(value: Any) -> bool:
    """Whether a profile keeps such a value; a longer one stays in the fact alone."""
    if isinstance(value, str) and len(value) * _ESCAPED + 2 <= VALUE_BYTES:
        return True
    return len(to_json(value)) <= VALUE_BYTES


def _keepable(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int():
            return value if -_LARGEST <= value < _LARGEST else str(value)
        case float():
            return value if isfinite(value) else None
        case str():
            return value if _is_text(value) else None
        case Mapping():
            return {str(key): _keepable(entry) for key, entry in value.items() if _is_text(str(key))}
        case list() | tuple():
            return [_keepable(entry) for entry in value]
    return value


def _is_text(text: str) -> bool:
    return text.isascii() or not _SURROGATE.search(text)
