"""Who may be reached by mail, phone or post: what captures say about it, read with care.

An unticked box says nothing; an opt-out that is set withdraws; a box for privacy or terms alone, which must be
ticked to submit, is no consent; what is not understood says nothing. A program that states `marketing_consent:
false` has no box to leave open: it withdraws.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contracts.values import Consent, ConsentChannel, Flag, Interaction, InteractionKind
from semantics.consent_words import FieldValue, agrees, answered_by, asked_by, channels_in, is_unsubscribing

LONGEST_WORDING: Final = 1000  # characters that are kept; the interaction keeps the whole

_HUBSPOT: Final = "legalconsentoptions"
_MOST_FIELDS: Final = 200  # of one capture; nobody asks as many


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
    return bool(interaction.traits) or interaction.kind is InteractionKind.TRACK or "consent" in interaction.context


def _all_of(interaction: Interaction) -> Iterator[ConsentClaim]:
    boxes = interaction.context.get("consent")
    for name, value in _fields(boxes):
        if name.casefold() == _HUBSPOT:
            yield from _of_hubspot(value)
        else:
            yield from _of_field(name, value, is_box=True)
    if interaction.kind is not InteractionKind.GROUP:  # a group's traits are the company's
        for name, value in _fields(interaction.traits):
            yield from _of_trait(name, value)
    if interaction.kind is InteractionKind.TRACK and interaction.name and is_unsubscribing(interaction.name):
        yield ConsentClaim(ConsentChannel.EMAIL, Consent.WITHDRAWN)


def _of_trait(name: str, value: Any) -> Iterator[ConsentClaim]:
    if not isinstance(value, Mapping):
        yield from _of_field(name, value, is_box=False)
    elif asked_by(name, is_box=False).grants:
        for channel, stated in _fields(value):  # consent: {"email": true, "phone": false}
            yield from _of_field(f"{name}_{channel}", stated, is_box=False)


def _of_field(name: str, value: Any, *, is_box: bool) -> Iterator[ConsentClaim]:
    asked, answered = asked_by(name, is_box=is_box), answered_by(value)
    if asked.withdraws and answered in (FieldValue.TICKED, FieldValue.WITHDRAWN, FieldValue.OTHER):
        yield from _each(asked.withdraws, Consent.WITHDRAWN, _sentence(value))
    if not asked.grants:
        return
    if answered in (FieldValue.TICKED, FieldValue.GRANTED):
        yield from _each(asked.grants, Consent.GRANTED, None)
    elif answered is FieldValue.WITHDRAWN or (answered is FieldValue.NO and not is_box):
        yield from _each(asked.grants, Consent.WITHDRAWN, None)
    elif answered is FieldValue.OTHER:
        sentence = _sentence(value)
        if channels := channels_in(value):
            yield from _each(
                (one for one in channels if one in asked.grants or ConsentChannel.ANY in asked.grants),
                Consent.GRANTED,
                None,
            )
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


def _sentence(value: Any) -> str | None:
    """The text of a value that is more than a word."""
    return tidy_wording(value) if isinstance(value, str) and " " in value.strip() else None
