"""Identifiers in one spelling, and what cannot be one.

The same name is found again by its one spelling; what cannot be a name of one person is refused with a reason.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

import idna

from contracts.maildomains import company_domain
from contracts.values import Identifier, IdentifierKind
from semantics.escapes import unescaped
from semantics.phones import NotAPhone, phone_spelling
from semantics.placeholders import says_nothing


def _set_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EMAIL, _PHONE, _USER_ID = IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.USER_ID
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
_JUNK_LOCALS: Final = _set_of(
    """
    null none undefined noemail no-email no.email nomail no-mail n/a na anonymous unknown nobody noreply no-reply
    no_reply donotreply do-not-reply do_not_reply mailer-daemon keineemail keine-email
    """
)
# what stands in an empty field to show what may be typed: name@company.com, your@email.com
_SAMPLE_LOCALS: Final = _set_of("youremail your.email your-email your_email yourname your.name your-name your_name")
_SAMPLES: Final = _set_of("your you name email mail user username example someone somebody me address e-mail")
_SAMPLE_HOSTS: Final = _set_of("email domain company mail yourcompany yourdomain mycompany mydomain website yoursite")
_TYPED_TWICE: Final = _set_of("aa abc abcd bb cc dd xx yy zz xyz")  # abc@abc.com
_JUNK_ZONES: Final = (".invalid", ".localhost", ".localdomain")  # RFC 2606: no mail ever gets there
_NIL_UUID: Final = re.compile(r"[0\-{}]+")
_PLAIN_DOMAIN: Final = re.compile(
    r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})"
)
_NOT_IN_LOCAL: Final = re.compile(r'[\s<>()\[\],;:\\"@]')
_LONGEST_LOCAL: Final = 64  # RFC 5321, 4.5.3.1.1
_LONGEST_DOMAIN: Final = 253

_IN_ANGLES: Final = re.compile(r"[^<>]*<([^<>]*@[^<>]*)>[^<>@]*")  # Ada <ada@acme.example>
_LINK: Final = re.compile(r"\[([^\[\]]*@[^\[\]]*)\]\(mailto:[^()]*\)", re.I)  # as chats and documents write one
_SCHEME: Final = re.compile(r"^(?:mailto|e-?mail|mail)\s*:\s*", re.I)
_OPENING: Final = '"´‘’‚“”„«»‹›<([ '  # of many kinds; none of them begins an address
_PAIRS: Final = {"'": "'", "`": "`", "{": "}"}  # an address may begin with these
_CLOSING: Final = f"{_OPENING}'`>)]}}.,;:!?。、/|*#\ufffd"
_REMARK: Final = re.compile(r"\s+\([^()@]*\)$")  # ada@acme.example (work)
_BARE: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]*[A-Za-z]")  # nothing around it: as most come
_AROUND_AT: Final = re.compile(r"\s*@\s*")
_APOSTROPHE: Final = re.compile(r"(?<=\w)[‘’ʼ](?=\w+@)")  # what phones and letters make of a straight one
_QUOTED_LOCAL: Final = re.compile(r'"([^"\\\s]+)"(?=@)')  # the same box as without its quotes
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffc\U000e0000-\U000e0fff]"
)
"""What no reader sees and no keyboard types: it comes with what is copied."""


@dataclass(frozen=True, slots=True)
class IdentifierRemark:
    """Why a value that was given as an identifier is not used as one.

    The value itself stays in the interaction's traits.
    """

    kind: IdentifierKind
    reason: str


def normalise(
    kind: IdentifierKind, value: str, region: str | None, country: str | None = None
) -> Identifier | IdentifierRemark:
    """`value` in its one spelling, or why it names nobody.

    Phone numbers without a country code are read by `country`, which stands beside them, else by `region`, which is
    assumed (ISO 3166, e.g. DE).
    """
    spelling = _spelled(kind, value, region, country)
    return Identifier(kind=kind, value=spelling) if isinstance(spelling, str) else spelling


def identifies(kind: IdentifierKind, value: str) -> bool:
    """Whether `normalise` makes an identifier of it, where no region is known: for doors, which need no more."""
    return isinstance(_spelled(kind, value, None, None), str)


def respelled(named: Identifier, region: str | None, country: str | None = None) -> Identifier | IdentifierRemark:
    """`normalise` of one that was read already: itself, as most are."""
    spelling = _spelled(named.kind, named.value, region, country)
    if spelling == named.value:
        return named
    return Identifier(kind=named.kind, value=spelling) if isinstance(spelling, str) else spelling


def seen(text: str) -> str:
    """`text` without what nobody sees in it."""
    return text if text.isascii() else _UNSEEN.sub("", text)


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


def _spelled(kind: IdentifierKind, value: str, region: str | None, country: str | None) -> str | IdentifierRemark:
    """The one spelling of `value`, or why it names nobody."""
    if len(value) > LONGEST_VALUE:
        return IdentifierRemark(kind, "too_long")
    if not _is_text(value):
        return IdentifierRemark(kind, "control_characters")
    match kind:
        case IdentifierKind.EMAIL:
            spelling = _email(value)
        case IdentifierKind.PHONE:
            spelling = _phone(value, region, country)
        case IdentifierKind.USER_ID if "@" in value or "＠" in value:
            spelling = _address_as_id(value)
        case _:
            spelling = _opaque(value)
    if not isinstance(spelling, str):
        return IdentifierRemark(kind, spelling.reason)
    return spelling if len(spelling) <= LONGEST_VALUE else IdentifierRemark(kind, "too_long")


@dataclass(frozen=True, slots=True)
class _Unusable:
    reason: str


@lru_cache(maxsize=8192)  # every page of somebody who signs in by their address names it
def _email(value: str) -> str | _Unusable:
    text = value if _BARE.fullmatch(value) else _bare_address(value)
    local, at, domain = text.rpartition("@")
    # case-folding can undo NFKC, so it is composed again; plus-tags are kept: they are the person's business
    local = unicodedata.normalize("NFKC", local.casefold())
    host = domain_spelling(domain)
    if not at or not local or host is None or len(local) > _LONGEST_LOCAL or _NOT_IN_LOCAL.search(local):
        return _Unusable("not_an_email")
    return _Unusable("junk") if _is_nobodys(local, host) else f"{local}@{host}"


def _bare_address(value: str) -> str:
    """The address within what was written around it: a name, angle brackets, quotes, `mailto:`, an end of sentence."""
    text = unicodedata.normalize("NFKC", seen(unescaped(value))).strip()
    if (linked := _LINK.fullmatch(text)) is not None:
        text = linked[1]
    if (in_angles := _IN_ANGLES.fullmatch(text)) is not None:
        text = in_angles[1]
    text = _QUOTED_LOCAL.sub(r"\1", text).lstrip(_OPENING)
    if (scheme := _SCHEME.match(text)) is not None:
        text = unquote(text[scheme.end() :].partition("?")[0])
    bare = _REMARK.sub("", text).rstrip(_CLOSING)
    if _PAIRS.get(bare[:1], " ") in text[len(bare) :].strip():
        bare = bare[1:]
    return _APOSTROPHE.sub("'", _AROUND_AT.sub("@", bare.replace("%40", "@") if "@" not in bare else bare))


def _is_nobodys(local: str, host: str) -> bool:
    """What is typed or written where there is no address: many people's, or none's."""
    box, label = local.partition("+")[0], host.partition(".")[0]
    if local in _JUNK_LOCALS or host.endswith(_JUNK_ZONES) or box in _SAMPLE_LOCALS:
        return True
    if box in _SAMPLES and label in _SAMPLE_HOSTS:
        return True
    if box == label and (len(box) == 1 or box in _TYPED_TWICE):
        return True
    return says_nothing(box) and (says_nothing(label) or company_domain(host) is None)


@lru_cache(maxsize=8192)
def _phone(value: str, region: str | None, country: str | None) -> str | _Unusable:
    try:
        return phone_spelling(unicodedata.normalize("NFKC", seen(value)), country, region)
    except NotAPhone as error:
        return _Unusable(str(error))


def _address_as_id(value: str) -> str | _Unusable:
    """A user id that is an address is spelled as one: a mail server knows no capitals."""
    address = _email(value)
    return address if isinstance(address, str) else _opaque(value)


def _opaque(value: str) -> str | _Unusable:
    text = seen(value).strip()
    folded = "".join(text.casefold().split())
    if not folded or folded in _JUNK_NAMES or _NIL_UUID.fullmatch(folded):
        return _Unusable("junk")
    return text


def _is_text(value: str) -> bool:
    """False for control characters and lone surrogates, which no store takes alike."""
    return value.isprintable() or not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value.strip())
