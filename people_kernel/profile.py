"""What a rule can know of a profile, in the same words for every service; and how a profile is kept as text.

Of a title it is read how senior somebody is and in which part of the company: by phrases, not by single words. It is
cut into parts ("Founder & CEO", "Manager (reports to the director)"). In each part the longest phrases that are known
are found from left to right: "vice president" is no president, "account executive" no executive, "partner manager" no
partner. What follows "of" says of what, and what follows "to" or "at" to whom and where: neither lends its rank
("Assistant to the CEO", "Office of the President"). What somebody was, or wants to be, they are not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from contracts.events.scoring import Attribute
from contracts.maildomains import company_domain
from contracts.values import Strength
from people_kernel.title_words import (
    FIELD_WORDS,
    NO_FIELD,
    NO_RANK,
    NOT_NOW,
    OF_WHAT,
    RANK_ENDINGS,
    RANK_PHRASES,
    RANK_WORDS,
    TO_WHOM,
    UNSPACED_RANKS,
)
from rulebook.vocabulary import BOOL, DOUBLE, INT, MAP, STRING, FactType, one_of

ASSISTANT: Final = "assistant"
STAFF: Final = "staff"
GENERAL: Final = "general"
RANKS: Final = (*dict.fromkeys(rank for rank, _ in RANK_WORDS), STAFF)
FUNCTIONS: Final = (*(field for field, _ in FIELD_WORDS), GENERAL)
_HIGHEST_FIRST: Final = ("executive", "vp", "director", "manager", "senior")

_FIRST_UNSPACED = "\u2e80"  # CJK radicals and all that follows: kana, ideographs, Hangul
_LONGEST_PHRASE = 4  # words
_NOTHING = ""

_DOTTED = re.compile(r"(?<=\b\w)\.(?=\w\b|\s|$|,)")  # C.E.O.
_OWNER = re.compile(r"[^\W\d_]+(?:'s|s')(?=\s)")  # the CEO's assistant
_CHIEF_OFFICER = re.compile(r"\bchief\b[^,;/|()]{1,40}?\bofficer\b")
_PART = re.compile(r"[,;:/|&+()\[\]\n•·]|(?<=\s)[-–—](?=\s)|\b(?:and|und|et|y|sowie|now|currently|as well as|bzw)\b")
_WORD = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=8192)
def seniority(title: str) -> str:
    """executive, vp, director, manager, senior, assistant, or staff when the title names no rank."""
    folded = _folded(title)
    unspaced = next((rank for rank, words in UNSPACED_RANKS if any(word in folded for word in words)), None)
    held = [rank for part in _parts(_CHIEF_OFFICER.sub("ceo", folded)) if (rank := _rank_in(part)) is not None]
    if held[:1] == [ASSISTANT]:
        return ASSISTANT
    return unspaced or min(held, key=_order, default=STAFF)


@lru_cache(maxsize=8192)
def business_function(title: str) -> str:
    """marketing, sales, it, engineering, finance, hr, operations, product, legal, or general when the title names no
    field.
    """
    folded = _folded(title)
    named = {meaning for part in _parts(folded) for meaning in _meanings(_where_they_work(part), _FIELDS)}
    for field, words in FIELD_WORDS:
        unspaced = (word for word in words.split() if word[0] >= _FIRST_UNSPACED)
        if field in named or any(word in folded for word in unspaced):
            return field
    return GENERAL


def _folded(title: str) -> str:
    spelled = unicodedata.normalize("NFKC", title).casefold().replace("’", "'").replace("@", " at ")
    return _OWNER.sub(" ", _DOTTED.sub("", spelled))


def _parts(folded: str) -> list[list[str]]:
    return [words for part in _PART.split(folded) if (words := _WORD.findall(part))]


def _rank_in(words: list[str]) -> str | None:
    """The rank that one part of a title names; an assistant is one whatever they assist."""
    ranks = [meaning for meaning in _meanings(words, _RANKS, is_cut=True) if meaning != _NOTHING]
    if not ranks:
        return None
    return ASSISTANT if ASSISTANT in ranks else min(ranks, key=_order)


def _meanings(words: list[str], known: Mapping[str, str], *, is_cut: bool = False) -> Iterator[str]:
    """What the phrases of a part mean, from left to right, the longest first; up to where others are spoken of."""
    at = 0
    while at < len(words):
        length, meaning = _longest(words, at, known)
        if meaning is None and is_cut and words[at] in _CUTS:
            return
        if meaning is not None:
            yield meaning
        at += length


def _longest(words: list[str], at: int, known: Mapping[str, str]) -> tuple[int, str | None]:
    for length in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
        meaning = known.get(" ".join(words[at : at + length]))
        if meaning is not None:
            return length, meaning
    ending = next((end for end in _ENDINGS if words[at].endswith(end)), None) if known is _RANKS else None
    return 1, None if ending is None else _ENDINGS[ending]


def _where_they_work(words: list[str]) -> list[str]:
    """The words of a part up to whom or what company it speaks of."""
    end = next((at for at, word in enumerate(words) if word in _WHOM), len(words))
    return words[:end]


def _order(rank: str) -> int:
    return _HIGHEST_FIRST.index(rank) if rank in _HIGHEST_FIRST else len(_HIGHEST_FIRST)


def _by_phrase(rows: tuple[tuple[str, str], ...], separator: str | None = None) -> dict[str, str]:
    return {phrase.strip(): meaning for meaning, listed in rows for phrase in listed.split(separator)}


_WHOM: Final = frozenset(TO_WHOM.split())
_CUTS: Final = _WHOM | frozenset(OF_WHAT.split()) | frozenset(NOT_NOW.split())
_RANKS: Final[Mapping[str, str]] = {
    **_by_phrase(RANK_WORDS),
    **_by_phrase(RANK_PHRASES, "|"),
    **dict.fromkeys(NO_RANK.split("|"), _NOTHING),
}
_ENDINGS: Final[Mapping[str, str]] = _by_phrase(RANK_ENDINGS)
_FIELDS: Final[Mapping[str, str]] = {
    **{phrase.replace("_", " "): field for phrase, field in _by_phrase(FIELD_WORDS).items()},
    **dict.fromkeys(NO_FIELD.split("|"), _NOTHING),
}


Attributes = Mapping[str, Attribute]
"""Attribute name -> the claim that is believed."""
RANK: Final = {Strength.INFERRED: 0, Strength.CLAIMED: 1, Strength.VERIFIED: 2, Strength.MANUAL: 3}
"""How far a claim is believed: a stronger one wins over a weaker one whenever it was made."""

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
        "person.has_phone": values.get("phone") is not None,
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
        "bant.timing_months": _earliest(values.get("timing")),
        "attributes": values,
    }


def _earliest(timing: Any) -> Any:
    """Of "3-6 months" the nearer end: when they begin at the earliest. "Within 6 months" and "more than 12 months" tell
    no such end, and stay what they are.
    """
    is_from_to = isinstance(timing, dict) and bool(timing.get("low")) and timing.get("high") is not None
    return timing["low"] if is_from_to else timing


def text_of(attributes: Attributes, name: str) -> str | None:
    """An attribute's value if it is text."""
    attribute = attributes.get(name)
    return attribute.value if attribute is not None and isinstance(attribute.value, str) else None


def display_name(attributes: Attributes) -> str | None:
    """The name to show: the whole name, unless a part is believed more; else the parts in the order of their script."""
    first, last = text_of(attributes, "first_name"), text_of(attributes, "last_name")
    whole, parts = text_of(attributes, "name"), [name for name in ("first_name", "last_name") if name in attributes]
    if whole is not None and any(RANK[attributes[one].strength] > RANK[attributes["name"].strength] for one in parts):
        whole = None
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


_STRENGTHS: Final = {one.value: one for one in Strength}  # a third of what `Strength(...)` costs


def attributes_to_text(attributes: Attributes) -> str:
    """`{name: [value, strength, source, interaction, moment]}` as canonical JSON; a sixth where it has a weight."""
    written = {
        name: [one.value, one.strength.value, one.source_id, one.interaction_id, one.occurred_at.isoformat()]
        + ([one.weight] if one.weight else [])
        for name, one in attributes.items()
    }
    return orjson.dumps(written, option=orjson.OPT_SORT_KEYS).decode()


def attributes_from_text(text: str) -> dict[str, Attribute]:
    """The profile that `attributes_to_text` wrote."""
    # validated, though what is read was checked when it was written:
    # `model_construct` is Python, and takes five times as long
    return {
        name: Attribute(
            value=value,
            strength=_STRENGTHS[strength],
            source_id=source_id,
            interaction_id=interaction_id,
            occurred_at=datetime.fromisoformat(occurred_at),
            weight=weight[0] if weight else 0,
        )
        for name, (value, strength, source_id, interaction_id, occurred_at, *weight) in orjson.loads(text).items()
    }
