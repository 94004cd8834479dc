"""By which of our names an attribute goes, whatever the sender calls it.

One vocabulary answers for the traits of programs, for the fields of forms and for the labels over them. What is
somebody else's (a friend's address, the number of an assistant) has no name of ours: it is kept, and identifies nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import dropwhile
from typing import Final

from contracts.limits import NAME_CHARACTERS
from semantics.vocabulary import (
    AND_OR,
    ASKED,
    ATTRIBUTES,
    BUILT,
    DOORS,
    EXAMPLE,
    FIELDS,
    NOT_A_NAME,
    NOT_ONES_LINE,
    OWN,
    folded,
)

_SEPARATORS: Final = re.compile(r"[\s_\-.]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # half a character: not UTF-8
_E_MAIL: Final = re.compile(r"(?<![^\W_])e[\W_]{0,2}mail")
_NOT_A_WORD: Final = re.compile(r"[\W_]+")
_PARTS: Final = re.compile(r"[\[\]]+|::|->")  # contact[first_name], phone[0][value]
_NUMBERED: Final = re.compile(r"(?<=[a-z])\d+$")  # email2, field12
_ALTERNATIVES: Final = re.compile(r"[/|,;&+]")
_FULL_NAMES: Final = ({"first_name", "last_name"}, {"first_name", "name"}, {"name", "last_name"})
_PART_OF_NAME: Final = {"first": "first_name", "last": "last_name"}  # wpforms[fields][1][first]
_OF_COMPANY: Final = {"name": "company"} | {
    one: one for one in ("company", "company_domain", "website", "employees", "industry", "country", "city", "address")
}
_OF_PHONE: Final = {
    "phone": "phone",
    "number": "phone",
    "full": "phone",
    "value": "phone",
    "country": "phone_country",
    "phone_country": "phone_country",
}
_ASKED_BY_FORMS: Final = frozenset(FIELDS.values())
_LONGEST_LABEL: Final = 160  # characters; what is longer is a sentence


def attribute_name(key: str) -> str:
    """Our name for a trait; the sender's own, in one spelling, where we have none; empty where it can be none."""
    return _named(key) if len(key) <= NAME_CHARACTERS else _named(key[:NAME_CHARACTERS])


def field_meaning(label: str) -> str | None:
    """What a form's field of this name, or with this label, asks for: an attribute as in `contracts.attributes`, or
    one of what only forms ask (`message`, `subject`, `state`, `postal_code`, `street`, `address`, `department`,
    `salutation`, `description`, `phone_country`).

    None for what it does not know, and for the address, number or name of somebody else.
    """
    return _asked_for(label) if len(label) <= _LONGEST_LABEL else None


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8."""
    return text.isascii() or not _SURROGATE.search(text)


@lru_cache(maxsize=4096)  # senders send the same few names
def _named(key: str) -> str:
    if not is_text(key):
        return ""
    meaning = _asked_for(key)
    if meaning is not None and meaning not in _ASKED_BY_FORMS:
        return meaning
    words = _SEPARATORS.sub("_", _CAMEL.sub("_", unicodedata.normalize("NFKC", key).strip())).strip("_").casefold()
    return words[:NAME_CHARACTERS]


@lru_cache(maxsize=4096)  # and forms have the same few fields
def _asked_for(label: str) -> str | None:
    text = unicodedata.normalize("NFKC", label)
    *around, last = [part for part in _PARTS.split(EXAMPLE.sub("", text)) if _words(part)] or [""]
    while around and _is_wrapping(_words(last)):
        last = around.pop()
    holders = [_words(part) for part in around]
    if not all(_may_hold(words) for words in holders):
        return None
    held_by = {_of_words(words) for words in holders}
    if "company" in held_by:
        return _OF_COMPANY.get(_meaning(last) or "")
    if "phone" in held_by:  # phone[country] is where the number is from
        return _OF_PHONE.get(_of_words(_words(last)) or folded(last))
    return _meaning(last) or (_PART_OF_NAME.get(folded(last)) if around else None)


def _meaning(text: str) -> str | None:
    if (whole := _of_words(_words(text))) is not None:
        return whole
    parts = [part for side in _ALTERNATIVES.split(text) for part in _sides(_words(side))]
    meanings = {_of_words(part) for part in parts if not _is_wrapping(part)}
    if meanings in _FULL_NAMES:
        return "name"
    return meanings.pop() if len(meanings) == 1 and len(parts) > 1 else None


def _sides(words: Sequence[str]) -> list[list[str]]:
    """The words before and after each `and` or `or`."""
    sides: list[list[str]] = [[]]
    for word in words:
        if word in AND_OR:
            sides.append([])
        else:
            sides[-1].append(word)
    return [side for side in sides if side]


def _of_words(words: Sequence[str]) -> str | None:
    """What these words name, if each of them is known to name it or to say nothing."""
    if (exact := _known("".join(words))) is not None:
        return exact
    told = [word for word in words if word not in ASKED]
    named = [word for word in told if word not in BUILT]
    for kept in (told, named):
        if (meaning := _known("".join(kept))) is not None:
            return meaning if meaning not in ("name", "title") or NOT_A_NAME.isdisjoint(words) else None
    return _own_line(named, words)


def _own_line(named: Sequence[str], words: Sequence[str]) -> str | None:
    """Somebody's own address or number, whichever of theirs (`Work email`, `numéro de téléphone professionnel`)."""
    line = dropwhile(DOORS.__contains__, named)
    meaning = _known("".join(word for word in line if word not in OWN))
    if meaning == "phone":
        return meaning if NOT_ONES_LINE.isdisjoint(words) else None
    return meaning if meaning == "email" else None


def _known(word: str) -> str | None:
    return ATTRIBUTES.get(word) or FIELDS.get(word)


def _words(text: str) -> list[str]:
    spread = _E_MAIL.sub("email", folded(_CAMEL.sub(" ", text)))
    return [word for one in _NOT_A_WORD.split(spread) if (word := _NUMBERED.sub("", one)) and not word.isdecimal()]


def _is_wrapping(words: Sequence[str]) -> bool:
    return all(word in BUILT or word in ASKED for word in words)


def _may_hold(words: Sequence[str]) -> bool:
    """Whether a field within something of this name may be the person's own."""
    said = BUILT | ASKED | OWN | DOORS
    return said.issuperset(words) or _of_words(words) is not None
