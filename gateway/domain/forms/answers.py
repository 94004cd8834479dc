"""The answers in a document: pairs of label and value wherever they lie, by one rule for all documents.

An object that has a label and a value is one answer (`{"label": "E-mail", "value": ..}`, `{"question", "answer"}`,
`{"name", "values"}`); any other key with a plain value is one too, named by its path. What lies within somebody or
something else (a manager, a site, an owner) is kept and means nobody. Nothing is read twice, and how deep and how much
is bounded: a document nests EVENT_LEVELS at most, and has FORM_FIELDS answers at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contracts.limits import FIELD_NAME_CHARACTERS, FORM_FIELDS, FORM_MEANINGS, FORM_NODES
from gateway.domain.forms.presets import ANONYMOUS_ID, CONSENT, SECRET, USER_ID, guess, kept_apart
from gateway.domain.refusal import CaptureRefused, RefusalKind
from semantics.names import field_meaning

_LABELS: Final = ("label", "title", "question", "field_name", "fieldName", "column_name", "displayName", "name")
_KEYS: Final = ("column_id", "key", "ref", "id", "field", "slug")
_VALUES: Final = ("value", "values", "answer", "answers", "string_value", "response", "raw_value")
_TYPES: Final = ("type", "fieldType", "field_type", "inputType", "kind")
_PERSONAL: Final = frozenset(("email", "phone", "first_name", "last_name"))
_SOMEBODY_ELSE: Final = """
    site page campaign ad adset app product plan workspace owner agent sender author creator host organizer organiser
    manager supervisor boss friend colleague referrer referral referred billing shipping invoice partner spouse
    emergency assistant recipient guest guests membership memberships created updated assigned assignee rep vendor
    supplier admin webhook hook integration template definition
"""
_NOT_THE_PERSONS: Final = frozenset(_SOMEBODY_ELSE.split())
_OF_OTHERS: Final = re.compile(
    r"\b(friend|colleague|manager|supervisor|boss|referr|billing|invoice|spouse|wife|husband|parent|guardian|emergency"
    r"|assistant|recipient|second|alternat|other|reference|guest|agent|owner|sender|partner|cc|bcc)",
    re.IGNORECASE,
)
_SPEAKS_OF_MAIL: Final = re.compile(r"e-?mail", re.IGNORECASE)
_ASKS_YOU: Final = re.compile(r"\b(you|your|ihre?n?|deine?n?|vous|votre|tu|su|uw|jouw|te|vi|ti)\b", re.IGNORECASE)
_SOMEBODYS: Final = re.compile(r"\w['’]s\s+(?:\w+\s+)?(?:e-?mail|phone|number|address)", re.IGNORECASE)
_COMPANY_WORDS: Final = frozenset(
    (
        "company",
        "companies",
        "organization",
        "organizations",
        "organisation",
        "organisations",
        "employer",
        "firm",
        "firma",
        "unternehmen",
        "entreprise",
        "empresa",
    )
)
_PERSON_WORDS: Final = frozenset(("contact", "person", "lead", "user", "customer", "attendee"))
_ENVELOPES: Final = frozenset(
    ("meta", "metadata", "entry", "submission", "origin", "request", "event", "audit", "actor")
)
_NUMBER_PARTS: Final = (("country", "countrycode", "prefix", "code"), ("area", "areacode"), ("full", "phone", "number"))
_WORD_BREAK: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[\W_\d]+")
_HOLDERS: Final = ("company", "name")  # within these, `name` and `first` are parts of them
_HUBSPOT_COMPANY: Final = "0-2"
_LONGEST_HOLDER: Final = 64
_MOST_KEYS: Final = 24  # of an object that is one answer
_KEYS_A_FIELD: Final = 8  # of such an object, as a rule, and mostly the same ones


@dataclass(frozen=True, slots=True)
class FieldAnswer:
    """One answer. `aliases` are other names by which a mapping may know it: its key, its path; `target` is what the
    document itself says it means, where its name does not.
    """

    name: str
    value: Any
    aliases: tuple[str, ...] = ()
    target: str | None = None
    is_the_persons: bool = True

    @property
    def values(self) -> list[Any]:
        return self.value if isinstance(self.value, list) else [self.value]

    @property
    def meaning(self) -> str | None:
        """What it most likely is: by its names, then by what the document says."""
        if not self.is_the_persons:
            return None
        if self.target is not None and self.target.startswith("@"):
            return self.target
        for name in (self.name, *self.aliases):
            if (meaning := guess(name)) is not None:
                return meaning
        if _OF_OTHERS.search(self.name) or _SOMEBODYS.search(self.name):
            return None
        is_asked = _ASKS_YOU.search(self.name) is not None  # a sentence that asks whoever reads it
        return self.target if is_asked or not _SPEAKS_OF_MAIL.search(self.name) else None


class _Found:
    """What was found so far, and at what cost."""

    def __init__(self) -> None:
        self.answers: list[FieldAnswer] = []
        self._nodes = 0
        self._keys = 0

    def may_ask(self, keys: int) -> bool:
        """Whether so many keys of an object are still asked what they mean."""
        self._keys += keys
        return self._keys <= FORM_MEANINGS * _KEYS_A_FIELD

    def add(self, answer: FieldAnswer) -> None:
        if len(self.answers) >= FORM_FIELDS:
            raise CaptureRefused("body", f"has more than {FORM_FIELDS} fields", RefusalKind.TOO_LARGE)
        self.answers.append(answer)

    def step(self) -> None:
        self._nodes += 1
        if self._nodes > FORM_NODES:
            raise CaptureRefused("body", f"has more than {FORM_NODES} objects and lists", RefusalKind.TOO_LARGE)


@dataclass(slots=True)
class _Walk:
    """Where the reader stands: the keys above, and whether any of them is somebody else's."""

    found: _Found
    path: tuple[str, ...] = ()
    is_the_persons: bool = True
    email: str | None = None  # of whoever is named around here

    @property
    def holder(self) -> str:
        """The nearest key above that is no number in a list."""
        return next((part for part in reversed(self.path) if not part.isdigit()), "")

    def within(self, key: str, *, counts: bool = True) -> _Walk:
        return _Walk(self.found, (*self.path, key), self.is_the_persons and counts, self.email)

    def beside(self, email: str | None) -> _Walk:
        """Within somebody of this address: whoever lies within somebody else is not the person."""
        if email is None or self.email is None:
            return self if email is None else _Walk(self.found, self.path, self.is_the_persons, email)
        return _Walk(self.found, self.path, self.is_the_persons and email == self.email, self.email)


def answers_in(document: Any, root: str = "") -> list[FieldAnswer]:
    """All answers in a document, in its order. `root` is the path that leads to it."""
    walk = _Walk(_Found(), tuple(part for part in root.split(".") if part))
    _read(document, walk, len(walk.path))
    return walk.found.answers


def typed(kind: Any) -> str | None:
    """The target that a field's type names: `INPUT_EMAIL`, `phone_number`, `tel`."""
    words = set(_words(kind)) if isinstance(kind, str) else set()
    if "email" in words:
        return "email"
    return "phone" if words & {"phone", "tel", "telephone"} else None


def _read(node: Any, walk: _Walk, root: int) -> None:
    walk.found.step()
    if isinstance(node, dict):
        pair = _pair(node, walk)
        if pair is None:
            _read_keys(node, walk, root)
        elif isinstance(pair.value, dict):  # {"label": "Name", "value": {"first": .., "last": ..}}
            _read_keys(pair.value, walk.within(pair.name, counts=_counts(pair.name)), root)
        else:
            walk.found.add(pair)
    elif isinstance(node, list) and any(isinstance(item, dict | list) for item in node):
        for index, item in enumerate(node):
            _read(item, walk.within(str(index)), root)
    elif walk.path:
        walk.found.add(_plain(walk, node, root))


def _read_keys(node: Mapping[str, Any], walk: _Walk, root: int) -> None:
    is_named = walk.found.may_ask(len(node)) and (
        field_meaning(walk.holder) in _HOLDERS
        or (len(walk.path) == root and all(map(_is_plain, node.values())))
        or any(field_meaning(key) in _PERSONAL for key in node if _is_plain(node[key]) or _lists_values(node[key]))
    )
    walk = walk.beside(_own_address(node) if is_named else None)
    if (number := _number_in(node, walk)) is not None:
        walk.found.add(number)
        return
    for key, value in node.items():
        if _is_plain(value) or kept_apart(key) in (CONSENT, SECRET):
            # the name of nobody who is named beside it is the name of a form, a page, a list
            counts = is_named or key.lower() not in ("name", "title")
            walk.found.add(_plain(walk.within(key, counts=counts), value, root))
        else:
            _read(value, walk.within(key, counts=_counts(key)), root)


def _lists_values(value: Any) -> bool:
    """`[{"label": "work", "value": ".."}]`, as address books keep addresses and numbers."""
    return isinstance(value, list) and any(isinstance(one, dict) and "value" in one for one in value)


def _own_address(node: Mapping[str, Any]) -> str | None:
    """The address that an object names its somebody by."""
    told = (value for key, value in node.items() if isinstance(value, str) and field_meaning(key) == "email")
    return next((value.strip().casefold() for value in told if "@" in value), None)


def _number_in(node: Mapping[str, Any], walk: _Walk) -> FieldAnswer | None:
    """A number that a form asks in parts: `{"area": "415", "phone": "5552671"}`."""
    if not walk.path or field_meaning(walk.holder) != "phone" or not all(map(_is_plain, node.values())):
        return None
    own = {"".join(_words(key)): str(value).strip() for key, value in node.items() if isinstance(value, str | int)}
    parts = [next((own[name] for name in names if own.get(name)), "") for names in _NUMBER_PARTS]
    if not parts[-1] or not own.keys() <= {name for names in _NUMBER_PARTS for name in names}:
        return None
    if own.get("full"):
        parts = [own["full"]]
    elif parts[0].isdigit():
        parts[0] = f"+{parts[0]}"
    aliases = (".".join(walk.path), ".".join(part for part in walk.path if not part.isdigit()))
    return FieldAnswer(walk.holder, " ".join(filter(None, parts)), aliases, None, walk.is_the_persons)


def _plain(walk: _Walk, value: Any, root: int) -> FieldAnswer:
    """An answer named by its path below the root: `company.name` is the company's name."""
    own = walk.path[root:] or walk.path[-1:]
    leaf = own[-1]
    aliases = [".".join(walk.path), ".".join(part for part in walk.path if not part.isdigit())]
    holder = next((part for part in reversed(walk.path[:-1]) if not part.isdigit()), "")
    if guess(leaf) in (USER_ID, ANONYMOUS_ID) and any(_ENVELOPES & set(_words(part)) for part in walk.path[:-1]):
        return FieldAnswer(".".join(own)[:FIELD_NAME_CHARACTERS], value, tuple(aliases), None, False)  # who sent it on
    if field_meaning(holder) == "email" and leaf.lower() in ("address", "value"):
        aliases.insert(0, "email")
        return FieldAnswer(f"{holder}[email]", value, tuple(aliases), None, walk.is_the_persons)
    if _is_companys(walk.path[:-1]) and field_meaning(leaf) in ("name", "title"):
        return FieldAnswer(f"company[{leaf}]", value, tuple(aliases), None, walk.is_the_persons)
    if field_meaning(holder) in _HOLDERS:
        aliases.append(f"{holder}[{leaf}]")
    elif len(own) > 1:
        aliases.append(leaf)
    return FieldAnswer(".".join(own)[:FIELD_NAME_CHARACTERS], value, tuple(aliases), None, walk.is_the_persons)


def _is_companys(above: tuple[str, ...]) -> bool:
    """Whether the nearest of these keys that says whose it is says that it is a company's."""
    for part in reversed(above):
        words = set(_words(part))
        if words & _PERSON_WORDS:
            return False
        if words & _COMPANY_WORDS:
            return True
    return False


def _pair(node: Mapping[str, Any], walk: _Walk) -> FieldAnswer | None:
    """The answer that an object of a label and a value is; None for an object of answers."""
    valued = next((key for key in _VALUES if key in node), None)
    if (
        valued is None
        or len(node) > _MOST_KEYS
        or (walk.found.may_ask(len(node)) and any(field_meaning(key) in _PERSONAL for key in node))
    ):
        return None
    labels = [node[key] for key in (*_LABELS, *_KEYS) if isinstance(node.get(key), str | int) and node[key] != ""]
    key = walk.holder
    names = [str(label) for label in labels if not isinstance(label, bool)] or ([key] if key else [])
    if not names:
        return None
    aliases = (*names[1:], ".".join(walk.path), *([key] if key else []))
    target = next((typed(node[key]) for key in _TYPES if key in node), None)
    value = node[valued]
    is_companys = _is_companys(walk.path[:-1]) and field_meaning(names[0]) in ("name", "title")
    if is_companys or node.get("objectTypeId") == _HUBSPOT_COMPANY:
        aliases, names[0] = (names[0], *aliases), f"company[{names[0]}]"
    return FieldAnswer(names[0][:FIELD_NAME_CHARACTERS], value, aliases, target, walk.is_the_persons)


def _counts(holder: str) -> bool:
    """Whether what lies within is the person's own: not what a `manager` holds, but `page_url` is no page."""
    if len(holder) > _LONGEST_HOLDER or _NOT_THE_PERSONS.isdisjoint(_words(holder)):
        return True
    return guess(holder) is not None and holder.lower() not in _NOT_THE_PERSONS


def _words(text: str) -> Iterable[str]:
    return (word.lower() for word in _WORD_BREAK.split(text) if word)


def _is_plain(value: Any) -> bool:
    return not _nested(value)


def _nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict | list) for item in value))
