"""Who may be reached by mail, phone or post: what captures say about it, read with care.

An unticked box says nothing; an opt-out that is set withdraws; a box for privacy or terms alone, which must be
ticked to submit, is no consent. A program that states `marketing_consent: false` has no box to leave open: it
withdraws. A withdrawal is heard in consent fields, in all other fields of a form, in traits and in events with their
properties, as other systems name it; a grant in consent fields and traits alone, and only where each word is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from contracts.values import Consent, ConsentChannel, Flag, Interaction, InteractionKind
from semantics.consent_values import FieldValue, agrees, answered_by, withdrawn_by, written_off
from semantics.consent_words import (
    FieldQuestion,
    asked_by,
    channels_in,
    is_about_consent,
    stands_apart,
    withdrawn_by_event,
)
from semantics.names import field_meaning

LONGEST_WORDING: Final = 1000  # characters that are kept; the interaction keeps the whole

_HUBSPOT: Final = "legalconsentoptions"
_MOST_FIELDS: Final = 200  # of one capture; nobody asks as many
_FREE: Final = frozenset(("message", "subject", "description"))  # where anything may be written
_DEEPEST: Final = 4  # levels of a trait: `subscriptions.email.marketing.consent`
_NOTHING: Final = FieldQuestion()
_NAMES_OF_CHANNEL: Final = ("channel", "medium", "type")


@dataclass(frozen=True, slots=True)
class ConsentClaim:
    """Somebody may be reached by a channel, or may not any more. `wording` is what was agreed to, where it is told."""

    channel: ConsentChannel
    consent: Consent
    wording: str | None = None


def statements_of(interaction: Interaction) -> tuple[ConsentClaim, ...]:
    """At most one statement per channel; of two that contradict each other the withdrawal counts.

    A robot's post says nothing.
    """
    if Flag.HONEYPOT in interaction.flags or not _may_speak(interaction):
        return ()
    found: dict[ConsentChannel, ConsentClaim] = {}
    for statement in _all_of(interaction):
        known = found.get(statement.channel)
        if known is None or (known.consent is Consent.GRANTED and statement.consent is Consent.WITHDRAWN):
            found[statement.channel] = statement
    return tuple(found[channel] for channel in ConsentChannel if channel in found)


def tidy_wording(text: str) -> str | None:
    """Bounded, without what a store cannot keep; None when nothing is left."""
    printable = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text[:LONGEST_WORDING])
    return printable.strip() or None


def _may_speak(interaction: Interaction) -> bool:
    """Whether it is worth a closer look: most of what is captured is pages."""
    return (
        bool(interaction.traits)
        or interaction.kind in (InteractionKind.TRACK, InteractionKind.FORM)
        or "consent" in interaction.context
    )


def _all_of(interaction: Interaction) -> Iterator[ConsentClaim]:
    if interaction.kind is InteractionKind.GROUP:  # a group's traits are the company's
        return
    for name, value in _fields(interaction.context.get("consent")):
        if name.casefold() == _HUBSPOT:
            yield from _of_hubspot(value)
        else:
            yield from _of_field(name, value, is_box=True)
    for path, value in _leaves(interaction.traits):
        yield from _of_field(path, value, is_box=False)
    if interaction.kind is InteractionKind.FORM:
        for path, value in _leaves(_form(interaction)):
            yield from _withdrawals([_of_field(path, value, is_box=True)])
            if (field_meaning(path) or "message") in _FREE and not stands_apart(path):
                yield from _each(written_off(value), Consent.WITHDRAWN, _sentence(value))
    if interaction.kind is InteractionKind.TRACK and interaction.name:
        yield from _each(withdrawn_by_event(interaction.name), Consent.WITHDRAWN, None)
        is_box = not is_about_consent(interaction.name)  # else it says what somebody prefers
        properties = _leaves(interaction.properties, "" if is_box else "preferences")
        yield from _withdrawals(_of_field(path, value, is_box=is_box) for path, value in properties)


def _form(interaction: Interaction) -> Any:
    """All fields that were posted, whatever the form's mapping took them for."""
    return interaction.properties.get("fields")


def _withdrawals(read: Iterable[Iterable[ConsentClaim]]) -> Iterator[ConsentClaim]:
    return (one for several in read for one in several if one.consent is Consent.WITHDRAWN)


def _of_field(path: str, value: Any, *, is_box: bool) -> Iterator[ConsentClaim]:
    asked = asked_by(path, is_box=is_box)
    yield from _withdrawn(asked, value, is_box=is_box)
    above, _, name = path.rpartition(".")
    if not asked.withdraws and above and not stands_apart(above):  # what it stands in may be called as it likes
        leaf = asked_by(name, is_box=is_box)
        yield from _withdrawn(FieldQuestion(withdraws=leaf.withdraws, speaks=leaf.speaks), value, is_box=is_box)
    yield from _granted(asked, value)


def _withdrawn(asked: FieldQuestion, value: Any, *, is_box: bool) -> Iterator[ConsentClaim]:
    if asked == _NOTHING:  # as of most names
        return
    answered = answered_by(value)
    is_said = answered in (FieldValue.TICKED, FieldValue.WITHDRAWN, FieldValue.OTHER)
    if asked.withdraws and is_said:
        told = channels_in(value)  # opt_out: "phone"
        channels = asked.withdraws if told is None or len(asked.withdraws) > 1 else told
        yield from _each(channels, Consent.WITHDRAWN, _sentence(value))
    elif answered is FieldValue.WITHDRAWN:
        named = () if asked.speaks == (ConsentChannel.ANY,) else asked.speaks
        itself = withdrawn_by(value, is_named=bool(named))
        refused = asked.grants or (() if is_box else asked.refuses)
        yield from _each((named or itself) if itself and asked.speaks else refused, Consent.WITHDRAWN, None)
    elif answered is FieldValue.NO and not is_box:
        yield from _each(asked.refuses, Consent.WITHDRAWN, None)


def _granted(asked: FieldQuestion, value: Any) -> Iterator[ConsentClaim]:
    answered = answered_by(value) if asked.grants else FieldValue.NOTHING
    if answered in (FieldValue.TICKED, FieldValue.GRANTED):
        yield from _each(asked.grants, Consent.GRANTED, None)
    elif answered is FieldValue.OTHER:
        sentence = _sentence(value)
        if channels := channels_in(value):
            told = (one for one in channels if one in asked.grants or ConsentChannel.ANY in asked.grants)
            yield from _each(told, Consent.GRANTED, None)
        elif sentence is not None and agrees(sentence):
            yield from _each(asked.grants, Consent.GRANTED, sentence)


def _of_hubspot(value: Any) -> Iterator[ConsentClaim]:
    """`communications` are subscriptions to mails, each with its wording; `consentToProcess` alone lets nobody
    write.
    """
    consent = value.get("consent") if isinstance(value, Mapping) else None
    communications = consent.get("communications") if isinstance(consent, Mapping) else None
    for one in communications[:_MOST_FIELDS] if isinstance(communications, list) else ():
        if isinstance(one, Mapping) and answered_by(one.get("value")) in (FieldValue.TICKED, FieldValue.GRANTED):
            yield ConsentClaim(ConsentChannel.EMAIL, Consent.GRANTED, _sentence(one.get("text")))


def _each(channels: Iterable[ConsentChannel], consent: Consent, wording: str | None) -> Iterator[ConsentClaim]:
    return (ConsentClaim(channel, consent, wording) for channel in channels)


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    entries = list(value.items())[:_MOST_FIELDS] if isinstance(value, Mapping) else []
    return ((str(name), entry) for name, entry in entries)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """What stands in a document, each with its path; of a list the texts together, and each document for itself."""
    return islice(_walk(path, value, _DEEPEST), _MOST_FIELDS)


def _walk(path: str, value: Any, levels: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        if levels == 0:
            return
        told = next((name for name in _NAMES_OF_CHANNEL if path and channels_in(value.get(name))), None)
        inside = path if told is None else f"{path}.{value[told]}"
        for name, entry in _fields(value):
            if name != told:
                yield from _walk(f"{inside}.{name}" if inside else name, entry, levels - 1)
    elif isinstance(value, list | tuple):
        documents = [one for one in value[:_MOST_FIELDS] if isinstance(one, Mapping)]
        for one in documents:
            yield from _walk(path, one, levels)
        if not documents:
            yield path, value
    else:
        yield path, value


def _sentence(value: Any) -> str | None:
    """The text of a value that is more than a word."""
    return tidy_wording(value) if isinstance(value, str) and " " in value.strip() else None
