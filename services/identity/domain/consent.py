"""Who may be reached by mail, phone or post: what captures were read to say about it, and what humans record.

What was stated last counts, per fragment and channel. That is a maximum: late and repeated
statements change nothing they should not.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.envelope import Event, Meta, beginning
from contracts.events.identity import ConsentChanged
from contracts.ids import derive_id
from contracts.values import Consent, ConsentChannel, IdentifierKind, Interaction, Strength
from people_kernel.consent import about, in_force, lateness
from semantics.consent import ConsentClaim
from services.identity.domain.fragments import Fragment, oldest_first

ConsentKey = tuple[str, ConsentChannel]
"""(fragment_id, channel)."""

_INSTANT: Final = timedelta(microseconds=1)
_ABOUT: Final = {ConsentChannel.EMAIL: IdentifierKind.EMAIL, ConsentChannel.PHONE: IdentifierKind.PHONE}


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
