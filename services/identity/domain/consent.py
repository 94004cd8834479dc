"""Who may be reached by mail, phone or post: what captures say about it, read with care, and what humans record.

An unticked box says nothing; an opt-out that is set withdraws; a box for privacy or terms alone, which must be
ticked to submit, is no consent; what is not understood says nothing. A program that states `marketing_consent:
false` has no box to leave open: it withdraws.

What was stated last counts, per fragment and channel. That is a maximum: late and repeated
statements change nothing they should not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from contracts.envelope import Event, Meta, beginning
from contracts.events.identity import ConsentChanged
from contracts.ids import derive_id
from contracts.values import Consent, ConsentChannel, Flag, IdentifierKind, Interaction, InteractionKind, Strength
from people_kernel.consent import about, in_force, lateness
from services.identity.domain.consent_words import (
    FieldValue,
    agrees,
    answered_by,
    asked_by,
    channels_in,
    is_unsubscribing,
)
from services.identity.domain.fragments import Fragment, oldest_first

ConsentKey = tuple[str, ConsentChannel]
"""(fragment_id, channel)."""

LONGEST_WORDING: Final = 1000  # characters that are kept; the interaction keeps the whole

_HUBSPOT: Final = "legalconsentoptions"
_MOST_FIELDS: Final = 200  # of one capture; nobody asks as many
_INSTANT: Final = timedelta(microseconds=1)
_ABOUT: Final = {ConsentChannel.EMAIL: IdentifierKind.EMAIL, ConsentChannel.PHONE: IdentifierKind.PHONE}


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


@dataclass(frozen=True, slots=True)
class FragmentConsent:
    """The latest statement that hangs on a fragment about a channel."""

    fragment_id: str
    channel: ConsentChannel
    consent: Consent
    interaction_id: str
    source_id: str
    occurred_at: datetime
    wording: str | None
    strength: Strength

    @property
    def key(self) -> ConsentKey:
        return self.fragment_id, self.channel


@dataclass(frozen=True, slots=True)
class RecordedConsent:
    """What a human says for a person: a statement, who says it, and when."""

    statement: ConsentClaim
    by: str
    at: datetime


def take_consent(known: MutableMapping[ConsentKey, FragmentConsent], stated: FragmentConsent) -> bool:
    """Keeps what was `stated` if it is later than what is known; True when the consent is another now."""
    before = known.get(stated.key)
    if before is not None and lateness(stated) <= lateness(before):
        return False
    known[stated.key] = stated
    return before is None or before.consent is not stated.consent


def consent_of(
    statement: ConsentClaim, fragment_id: str, interaction: Interaction, strength: Strength
) -> FragmentConsent:
    """What was claimed, as it hangs on the fragment of the interaction."""
    return FragmentConsent(
        fragment_id=fragment_id,
        channel=statement.channel,
        consent=statement.consent,
        interaction_id=interaction.interaction_id,
        source_id=interaction.source_id,
        occurred_at=interaction.occurred_at,
        wording=statement.wording,
        strength=strength,
    )


def consent_changed(meta: Meta, fragment: Fragment, stated: FragmentConsent) -> ConsentChanged:
    """The event that tells it."""
    return ConsentChanged(
        meta=meta,
        person_id=fragment.person_id,
        fragment_id=fragment.fragment_id,
        graph_version=fragment.graph_version,
        channel=stated.channel,
        consent=stated.consent,
        interaction_id=stated.interaction_id,
        source_id=stated.source_id,
        occurred_at=stated.occurred_at,
        wording=stated.wording,
    )


def consent_by_channel(statements: Iterable[FragmentConsent]) -> dict[ConsentChannel, FragmentConsent]:
    """What holds for a person, per channel that anything was said about: the latest word on it or on all channels; in
    doubt a withdrawal.
    """
    counting = in_force(statements)
    return {channel: about(channel, counting) or counting[channel] for channel in ConsentChannel if channel in counting}


def record_consent(
    fragments: Sequence[Fragment], known: Sequence[FragmentConsent], recorded: RecordedConsent
) -> tuple[FragmentConsent, list[Event]]:
    """A human's word about one person (given as all of its fragments and their statements), and what is to be said.

    It counts from now on, even where a sender's clock was ahead. It hangs on the address or number
    it is about, else on the oldest fragment.
    """
    channel, consent = recorded.statement.channel, recorded.statement.consent
    fragment = _anchor(fragments, channel)
    at = max([recorded.at, *(stated.occurred_at + _INSTANT for stated in known)])
    stated = FragmentConsent(
        fragment_id=fragment.fragment_id,
        channel=channel,
        consent=consent,
        interaction_id=derive_id(
            "cns", at, fragment.fragment_id, channel.value, consent.value, recorded.by, at.isoformat()
        ),
        source_id=f"api:{recorded.by}",
        occurred_at=at,
        wording=recorded.statement.wording,
        strength=Strength.MANUAL,
    )
    is_other_here = take_consent({one.key: one for one in known}, stated)
    before, after = consent_by_channel(known).get(channel), consent_by_channel([*known, stated])[channel]
    if not is_other_here and before is not None and before.consent is after.consent:
        return stated, []
    event_id = derive_id("evt", recorded.at, ConsentChanged.wire_name, stated.interaction_id)
    meta = beginning(event_id, recorded.at)
    return stated, [consent_changed(meta, fragment, stated)]


def _anchor(fragments: Sequence[Fragment], channel: ConsentChannel) -> Fragment:
    by_id = {one.fragment_id: one for one in fragments}
    about = [one for one in fragments if one.kind is not None and one.kind == _ABOUT.get(channel)]
    return by_id[oldest_first(about or fragments)[0]]
