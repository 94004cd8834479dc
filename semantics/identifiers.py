"""Identifiers in one spelling, and what cannot be one.

The same name is found again by its one spelling; what cannot be a name of one person is refused with a reason.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import idna
import phonenumbers

from contracts.values import Identifier, IdentifierKind


def _set_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


LONGEST_VALUE: Final = 512  # the contract's bound on an identifier

# what programs write when they have no name to write; compared case-folded, without blanks
_JUNK_NAMES: Final = _set_of(
    """
    null none nil undefined unknown anonymous anon guest nan n/a na - -- . 0 -1 1 false true void empty missing
    default user userid user_id visitor [objectobject] {} [] () (null) (none) <null> not_set notset (notset)
    notavailable notapplicable anonymoususer anonymous_user invalid error string id yourid {{user.id}} {{userid}}
    %user_id% ${userid}
    """
)
_JUNK_LOCALS: Final = _set_of("null none undefined noemail no-email nomail n/a na anonymous unknown nobody")
_NIL_UUID: Final = re.compile(r"[0\-{}]+")
_PLAIN_DOMAIN: Final = re.compile(
    r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})"
)
_NOT_IN_LOCAL: Final = re.compile(r'[\s<>()\[\],;:\\"@]')
_LONGEST_LOCAL: Final = 64  # RFC 5321, 4.5.3.1.1
_LONGEST_DOMAIN: Final = 253
_FEWEST_DIGITS: Final = 7  # shorter ones are short codes or extensions, not a person's line


@dataclass(frozen=True, slots=True)
class IdentifierRemark:
    """Why a value that was given as an identifier is not used as one.

    The value itself stays in the interaction's traits.
    """

    kind: IdentifierKind
    reason: str


def normalise(kind: IdentifierKind, value: str, region: str) -> Identifier | IdentifierRemark:
    """`value` in its one spelling, or why it names nobody.

    `region` (ISO 3166, e.g. DE) reads phone numbers without a country code.
    """
    spelling = _spelled(kind, value, region)
    return Identifier(kind=kind, value=spelling) if isinstance(spelling, str) else spelling


def respelled(named: Identifier, region: str) -> Identifier | IdentifierRemark:
    """`normalise` of one that was read already: itself, as most are."""
    spelling = _spelled(named.kind, named.value, region)
    if spelling == named.value:
        return named
    return Identifier(kind=named.kind, value=spelling) if isinstance(spelling, str) else spelling


def _spelled(kind: IdentifierKind, value: str, region: str) -> str | IdentifierRemark:
    """The one spelling of `value`, or why it names nobody."""
    if len(value) > LONGEST_VALUE:
        return IdentifierRemark(kind, "too_long")
    if not _is_text(value):
        return IdentifierRemark(kind, "control_characters")
    match kind:
        case IdentifierKind.EMAIL:
            spelling = _email(value)
        case IdentifierKind.PHONE:
            spelling = _phone(value, region)
        case _:
            spelling = _opaque(value)
    if not isinstance(spelling, str):
        return IdentifierRemark(kind, spelling.reason)
    return spelling if len(spelling) <= LONGEST_VALUE else IdentifierRemark(kind, "too_long")


def email_domain(email: str) -> str:
    """The domain of a normalised e-mail address."""
    return email.rpartition("@")[2]


def domain_spelling(text: str) -> str | None:
    """A domain in lower-case ASCII (IDNA 2008), or None when `text` is none."""
    domain = text.lower().rstrip(".")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode().lower()
        except (idna.IDNAError, UnicodeError):
            return None
    return domain if len(domain) <= _LONGEST_DOMAIN and _PLAIN_DOMAIN.fullmatch(domain) else None


@dataclass(frozen=True, slots=True)
class _Unusable:
    reason: str


def _email(value: str) -> str | _Unusable:
    text = unicodedata.normalize("NFKC", value).strip().removeprefix("mailto:")
    local, at, domain = text.rpartition("@")
    # case-folding can undo NFKC, so it is composed again; plus-tags are kept: they are the person's business
    local = unicodedata.normalize("NFKC", local.casefold())
    host = domain_spelling(domain)
    if not at or not local or host is None or len(local) > _LONGEST_LOCAL or _NOT_IN_LOCAL.search(local):
        return _Unusable("not_an_email")
    if local in _JUNK_LOCALS:
        return _Unusable("junk")
    return f"{local}@{host}"


def _phone(value: str, region: str) -> str | _Unusable:
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", value), region)
    except phonenumbers.NumberParseException:
        return _Unusable("not_a_phone")
    # possible, not valid: the tables of valid ranges lag behind the world, and a link through a phone is guarded anyway
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return _Unusable("not_a_phone")
    digits = str(number.national_number)
    if len(digits) < _FEWEST_DIGITS or len(set(digits)) == 1 or digits in "12345678901234567890":
        return _Unusable("junk")
    spelling = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # two people behind one switchboard differ by their extension only
    return f"{spelling};ext={number.extension}" if number.extension else spelling


def _opaque(value: str) -> str | _Unusable:
    text = value.strip()
    folded = "".join(text.casefold().split())
    if not folded or folded in _JUNK_NAMES or _NIL_UUID.fullmatch(folded):
        return _Unusable("junk")
    return text


def _is_text(value: str) -> bool:
    """False for control characters and lone surrogates, which no store takes alike."""
    return value.isprintable() or not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value.strip())
