"""Answers by what they mean: traits, the page and the campaign, consent, what is kept aside, and what is dropped.

A meaning comes from the form's own mapping (by label, key, or dotted path), else from the preset's field names, else
from the one vocabulary (`semantics.names`), else from what the service says of the field's type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.limits import FIELD_CHARACTERS, FORM_MEANINGS, URL_CHARACTERS
from contracts.values import JsonObject
from gateway.domain import claims
from gateway.domain.forms import presets, traps
from gateway.domain.forms.answers import FieldAnswer
from semantics.contacts import given_in
from semantics.names import field_meaning

# names that a builder made itself: 7, 1.3, field_7, input-text-12, question_a1b2
_OPAQUE: Final = re.compile(
    r"(?:(?:field|input|question|text|textfield|answer|entry|item|meta|control|element|wpforms?|nf|ninja|form|frm|ff|q|f)"
    r"s?[\W_]*)*[0-9a-f]*\d[0-9a-f._-]*\]?",
    re.IGNORECASE,
)
_DIALLED: Final = re.compile(  # with its prefix; (415) 555-2671 as North Americans write it
    r"(?:\+|00|\(?0)[\d\s().\-/]{6,20}|\([2-9]\d{2}\)\s?\d{3}[-. ]\d{4}|[2-9]\d{2}([-.])\d{3}\1\d{4}"
)
_NO: Final = frozenset({"0", "false", "no", "off", ""})
_YES: Final = frozenset({"1", "true", "yes", "on"})
_TOLD_TOGETHER: Final = frozenset({"need"})  # of several answers all count


@dataclass(slots=True)
class SortedFields:
    """Fields by what they mean. `service_id` is the message id by which a service names its delivery."""

    traits: JsonObject = field(default_factory=dict)
    special: dict[str, str] = field(default_factory=dict)
    campaign: JsonObject = field(default_factory=dict)
    clicks: JsonObject = field(default_factory=dict)
    consent: JsonObject = field(default_factory=dict)
    technical: JsonObject = field(default_factory=dict)
    kept: JsonObject = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    is_trap_sprung: bool = False
    is_test: bool = False
    service_id: str | None = None

    @property
    def email(self) -> str | None:
        """The address, if it is one."""
        return claims.email_in(given_in({"email": self.traits.get("email")}))


def sort(
    answers: Iterable[FieldAnswer], mapping: Mapping[str, str], preset: Mapping[str, str], honeypot: str | None
) -> SortedFields:
    """`mapping` and `preset` go by lower-case names."""
    found = SortedFields()
    opaque: list[str] = []
    for number, answer in enumerate(answers):
        names = [name.lower() for name in (answer.name, *answer.aliases)]
        target = next((mapping[name] for name in names if name in mapping), None)
        if _is_trap(answer, honeypot, is_mapped=target is not None):
            target = presets.HONEYPOT
        if target is None and answer.target == presets.MESSAGE_ID and answer.value:
            found.service_id = found.service_id or str(answer.value)
            continue
        if target is None and answer.is_the_persons and answer.target is None:
            target = next((preset[name] for name in names if name in preset), None)
        if target is None:
            target = answer.meaning if number < FORM_MEANINGS else answer.target or presets.kept_apart(answer.name)
        _place(found, answer, target)
        if target is None and answer.is_the_persons and _OPAQUE.fullmatch(answer.name):
            opaque += [text.strip() for text in answer.values if isinstance(text, str)]
    _guess_by_value(found, opaque)
    return found


def _is_trap(answer: FieldAnswer, honeypot: str | None, *, is_mapped: bool) -> bool:
    """The form's own trap, or one that kits lay out, unless the form says what the field means."""
    names = (answer.name, *answer.aliases)
    return honeypot in names or (not is_mapped and any(map(traps.is_trap, names)))


def _guess_by_value(found: SortedFields, opaque: list[str]) -> None:
    """A field whose name says nothing is an address by what stands in it, if there is only one of the kind."""
    addresses = {text for text in opaque if claims.is_email(text)}
    if found.email is None and len(addresses) == 1:
        found.traits["email"] = addresses.pop()
    numbers = {text for text in opaque if _DIALLED.fullmatch(text)}
    if "phone" not in found.traits and len(numbers) == 1:
        found.traits["phone"] = numbers.pop()


def _place(found: SortedFields, answer: FieldAnswer, target: str | None) -> None:
    name, whole, values = answer.name, _bounded(answer.value), [_bounded(value) for value in answer.values]
    match target:
        case presets.SECRET:
            found.secrets.append(name)
        case presets.HONEYPOT:
            found.is_trap_sprung = found.is_trap_sprung or traps.is_sprung(values)
        case presets.TEST:
            found.is_test = found.is_test or str(answer.value).lower() in _YES
        case presets.TECHNICAL:
            found.technical[name] = whole
        case presets.CONSENT:
            found.consent[name] = _answered(values, whole)
            _keep(found, name, whole)
        case None:
            _keep(found, name, whole)
        case _:
            _place_meaning(found, values, target)
            if target == presets.OCCURRED_AT:
                found.technical[name] = whole
            elif not target.startswith("@"):
                _keep(found, name, whole)


def _keep(found: SortedFields, name: str, whole: Any) -> None:
    """Of two fields of one name both are kept; the same answer twice is one."""
    if name not in found.kept:
        found.kept[name] = whole
    elif found.kept[name] != whole:
        before = found.kept[name]
        found.kept[name] = [*(before if isinstance(before, list) else [before]), whole]


def _place_meaning(found: SortedFields, values: list[Any], target: str) -> None:
    filled = [value for value in values if value not in ("", None)]
    if not filled:
        return
    if target.startswith(presets.CAMPAIGN):
        found.campaign.setdefault(target.removeprefix(presets.CAMPAIGN), filled[0])
    elif target.startswith(presets.CLICK):
        found.clicks.setdefault(target.removeprefix(presets.CLICK), filled[0])
    elif target.startswith("@"):
        if isinstance(filled[0], str | int) and len(said := str(filled[0])) <= URL_CHARACTERS:
            found.special.setdefault(target, said)
    elif target == "email":
        _place_email(found, filled)
    elif len(filled) > 1 and target in _TOLD_TOGETHER:
        found.traits.setdefault(target, ", ".join(map(str, filled)))
    else:
        is_one = len(filled) == 1 or field_meaning(target) is not None
        found.traits.setdefault(target, filled[0] if is_one else filled)


def _place_email(found: SortedFields, filled: list[Any]) -> None:
    """The first that is an address; until one is found, the first of all."""
    if found.email is None:
        valid = claims.email_in(*(given_in({"email": value}) for value in filled))
        if valid is not None or "email" not in found.traits:
            found.traits["email"] = valid or filled[0]


def _answered(values: list[Any], whole: Any) -> Any:
    """A box and the hidden field of the same name that speaks for it when it is empty are one answer."""
    said = [str(value).strip().lower() for value in values]
    if len(said) > 1 and all(one in _YES or one in _NO for one in said):
        return next((value for value, one in zip(values, said, strict=True) if one in _YES), values[0])
    return whole


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return value[:FIELD_CHARACTERS]
    return [_bounded(item) for item in value] if isinstance(value, list) else value
