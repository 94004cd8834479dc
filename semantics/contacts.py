"""The addresses and telephone numbers among what was said of somebody.

Each is an identifier, or it is refused; a fact it is only as far as it identifies, so that whoever can be reached can
be found by it as well.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from contracts.attributes import unreadable
from contracts.limits import TRAITS
from contracts.values import Identifier, IdentifierKind, Interaction
from semantics.countries import region_of
from semantics.identifiers import IdentifierRemark, identifies, normalise, seen
from semantics.kept import cut, line, tidy
from semantics.names import attribute_name, field_meaning
from semantics.phones import may_be_phone

CONTACTS: Final = {"email": IdentifierKind.EMAIL, "phone": IdentifierKind.PHONE}
"""Attribute -> what it identifies by."""

_EMAIL_UNREADABLE, _PHONE_UNREADABLE = map(unreadable, CONTACTS)

ANYWHERE: Final = ""
"""Instead of a region: a number is one wherever it may be one."""

_OF_CONTEXT: Final = frozenset({"country", "countryCode", "country_code"})
_FEW: Final = 40  # traits together that are remembered
_MOST_OF_A_KIND: Final = 5  # addresses, or numbers, of one person at once


@dataclass(slots=True)
class Contacts:
    """The addresses and numbers that traits give, as they came, by attribute."""

    given: dict[str, list[Any]] = field(default_factory=dict)

    def noted(self, attribute: str, value: Any) -> Contacts:
        several = value if isinstance(value, list) else [value]
        kept = self.given.setdefault(attribute, [])
        kept += several[: _MOST_OF_A_KIND - len(kept)]
        return self


def stated_region(interaction: Interaction) -> str | None:
    """The country that stands beside a number: what the person said, else where their browser was."""
    for key, value in islice(interaction.traits.items(), TRAITS):
        if isinstance(value, str | int) and field_meaning(key) == "phone_country":
            said = str(value).strip()
            if (region := region_of(f"+{said}" if said.isdigit() else said)) is not None:
                return region
    for key, value in islice(interaction.traits.items(), TRAITS):
        name = attribute_name(key)
        if name == "country" and isinstance(value, str) and (region := region_of(value)) is not None:
            return region
        if name == "address" and isinstance(value, Mapping) and (region := _in_parts(value)) is not None:
            return region
    context = interaction.context
    location = context.get("location") if context else None
    seen_in = _in_parts(location) if isinstance(location, Mapping) else None
    return seen_in or (_in_parts(context, _OF_CONTEXT) if context else None)


def _in_parts(parts: Mapping[str, Any], names: Container[str] | None = None) -> str | None:
    """The region of a country among `parts`: under any name of ours, or under these names alone."""
    for key, value in islice(parts.items(), TRAITS):
        is_country = attribute_name(str(key)) == "country" if names is None else key in names
        if is_country and isinstance(value, str) and (region := region_of(value)) is not None:
            return region
    return None


def settle(
    claims: dict[str, Any], contacts: Contacts, interaction: Interaction, region: str | None
) -> list[Identifier | IdentifierRemark]:
    """Read the addresses and numbers; the first that identifies somebody is the fact, else the first is unreadable."""
    read: list[Identifier | IdentifierRemark] = []
    for attribute, values in contacts.given.items():
        texts = [text for value in values if (text := text_of(value))]
        country = stated_region(interaction) if attribute == "phone" and texts else None
        each = [(text, normalise(CONTACTS[attribute], text, region, country)) for text in texts]
        read += [one for _, one in each]
        for text, one in each:
            if _is_fact(text, one, region):
                claims[attribute] = _fact(text, one)
                break
        else:
            _settle_for_words(claims, attribute, values)
    return read


def _settle_for_words(claims: dict[str, Any], attribute: str, values: list[Any]) -> None:
    if words := next((raw for value in values if (raw := _raw(value))), None):
        claims[unreadable(attribute)] = words
    elif None in values:
        claims[attribute] = None


def _is_fact(text: str, one: Identifier | IdentifierRemark, region: str | None) -> bool:
    return isinstance(one, Identifier) or (region == ANYWHERE and is_readable(one.kind, text))


def _fact(text: str, one: Identifier | IdentifierRemark) -> str:
    """An address as it is spelled here; a number as it was typed, which is how its owner knows it."""
    if isinstance(one, Identifier) and one.kind is IdentifierKind.EMAIL:
        return one.value
    return line(seen(text))


def _raw(value: Any) -> str | None:
    """What was given instead of an address or a number, to be read by people."""
    if value is None or isinstance(value, bool) or value in ("", [], {}):
        return None
    kept = tidy(value)
    return None if kept is None else cut(kept)


class Given(NamedTuple):
    """The texts that traits give for an address and for a number, under whatever name each goes, in their order."""

    emails: Sequence[str] = ()
    phones: Sequence[str] = ()


NOTHING_GIVEN: Final = Given()


def given_in(traits: Mapping[str, Any]) -> Given:
    """What `traits` give to reach somebody by."""
    keys = _keys_among(tuple(traits)) if len(traits) <= _FEW else _sorted_out(islice(traits, TRAITS))
    return NOTHING_GIVEN if keys is None else Given(_texts_at(keys.emails, traits), _texts_at(keys.phones, traits))


def unreadable_among(given: Given, read: Container[str] = ()) -> list[str]:
    """`email_unreadable`, `phone_unreadable`: of which something is given, and nothing is one. `read`: addresses that
    were found to be some already.
    """
    found = []
    if given.emails and not any(one in read or identifies(IdentifierKind.EMAIL, one) for one in given.emails):
        found.append(_EMAIL_UNREADABLE)
    if given.phones and not any(is_readable(IdentifierKind.PHONE, one) for one in given.phones):
        found.append(_PHONE_UNREADABLE)
    return found


def _texts_at(keys: Sequence[str], traits: Mapping[str, Any]) -> Sequence[str]:
    if len(keys) == 1 and isinstance(value := traits[keys[0]], str):  # as most senders have it
        return (only,) if (only := value.strip()) else ()
    found: list[str] = []
    for key in keys:
        value = traits[key]
        several = value[:_MOST_OF_A_KIND] if isinstance(value, list) else (value,)
        found += [text.strip() for one in several if (text := text_of(one)) is not None]
    return found


@lru_cache(maxsize=4096)  # senders send the same few traits together
def _keys_among(keys: tuple[str, ...]) -> Given | None:
    return _sorted_out(keys)


def _sorted_out(keys: Iterable[str]) -> Given | None:
    """The keys themselves under which something is given; None where nothing is, as in most events."""
    named = [(attribute_name(key), key) for key in keys]
    emails, phones = (tuple(key for name, key in named if name == attribute) for attribute in CONTACTS)
    return Given(emails, phones) if emails or phones else None


def is_readable(kind: IdentifierKind, text: str) -> bool:
    """Whether `text` is an address, or a number in some country: what a door can tell that knows no country."""
    return (kind is IdentifierKind.PHONE and may_be_phone(text)) or identifies(kind, text)


def text_of(value: Any) -> str | None:
    """A trait as text: phone numbers arrive as JSON numbers too."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        return str(value)
    return value if isinstance(value, str) and value.strip() else None
