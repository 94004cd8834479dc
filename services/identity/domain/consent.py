"""Who may be reached by mail, phone or post: what captures were read to say about it, and what humans and signed links
record.

A withdrawal stands until the person takes it back by a trusted way (`people_kernel.consent`). A trusted grant is about
the person: it is carried over to each of their fragments that holds a withdrawal it is about. Whoever lifts a
withdrawal by hand says why, and the reason is kept as proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from contracts.envelope import Event, Meta, beginning
from contracts.events.identity import ConsentChanged
from contracts.ids import derive_id
from contracts.limits import URL_CHARACTERS
from contracts.values import Consent, ConsentChannel, IdentifierKind, Interaction, InteractionKind, JsonObject, Strength
from people_kernel.consent import StatementKey, StatementKind, answers, concerns, counting, key_of, situation, take
from people_kernel.workspace import Pages
from semantics.consent import ConsentClaim
from services.identity.domain.fragments import Fragment, oldest_first

_INSTANT: Final = timedelta(microseconds=1)
_ABOUT: Final = {ConsentChannel.EMAIL: IdentifierKind.EMAIL, ConsentChannel.PHONE: IdentifierKind.PHONE}


@dataclass(frozen=True, slots=True)
class FragmentConsent:
    """What was stated on a fragment about a channel.

    `origin_id` is the fragment it was said on: another one when it was carried over. `reason` is why a human lifted a
    withdrawal, `evidence` the form, page or event. `is_told`: the event of it was said; what decides nothing is not.
    """

    fragment_id: str
    channel: ConsentChannel
    consent: Consent
    interaction_id: str
    source_id: str
    occurred_at: datetime
    wording: str | None
    strength: Strength
    origin_id: str
    reason: str | None = None
    evidence: JsonObject = field(default_factory=dict)
    is_told: bool = field(default=False, compare=False)

    @property
    def key(self) -> StatementKey:
        return key_of(self)


class ConsentPages(Pages[StatementKey, FragmentConsent]):
    """What is kept on fragments, found by fragment too."""

    __slots__ = ("_by_fragment",)

    def __init__(self, loaded: Iterable[FragmentConsent] = (), former: Iterable[FragmentConsent] = ()) -> None:
        """`former` are kept in the table of before: what is news of them counts as changed, and so is written anew."""
        super().__init__({one.key: one for one in loaded})
        self._by_fragment: dict[str, list[StatementKey]] = {}
        for key in self:
            self._by_fragment.setdefault(key.fragment_id, []).append(key)
        for one in former:
            take(self, one)

    def __setitem__(self, key: StatementKey, stated: FragmentConsent) -> None:
        if key not in self:
            self._by_fragment.setdefault(key.fragment_id, []).append(key)
        super().__setitem__(key, stated)

    def on(self, fragment_id: str) -> list[FragmentConsent]:
        """All that is kept on one fragment."""
        return [self[key] for key in self._by_fragment.get(fragment_id, ())]

    def holds_withdrawal(self, fragment_id: str, channel: ConsentChannel) -> bool:
        """Whether anything on the fragment was withdrawn that a grant of `channel` is about."""
        return any(
            one.consent is Consent.WITHDRAWN and (concerns(channel, one.channel) or concerns(one.channel, channel))
            for one in self.on(fragment_id)
        )


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
        origin_id=fragment_id,
        evidence=_evidence(interaction),
    )


def hear(known: ConsentPages, stated: FragmentConsent, fragment_ids: Iterable[str]) -> list[FragmentConsent]:
    """Takes in what was `stated` about the person who is these fragments; answers what others must be told, in order.

    That is whatever counts on a fragment and was not told yet, once an answer there becomes another.
    """
    is_lifting = stated.key.kind is StatementKind.TRUSTED
    others = (one for one in fragment_ids if one != stated.fragment_id) if is_lifting else ()
    lifted = sorted(one for one in others if known.holds_withdrawal(one, stated.channel))
    to_tell: list[FragmentConsent] = []
    for fragment_id in (stated.fragment_id, *lifted):
        said = replace(stated, fragment_id=fragment_id)
        before = situation(known.on(fragment_id))
        if take(known, said) and situation(known.on(fragment_id)) != before:
            to_tell += _tell(known, fragment_id)
    return to_tell


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
        strength=stated.strength,
        origin_id=stated.origin_id,
    )


def event_parts(told: FragmentConsent, stated: FragmentConsent) -> tuple[str, ...]:
    """What tells the event of `told` apart from its siblings, all brought about by `stated`."""
    return (stated.channel.value,) if told.key == stated.key else (stated.channel.value, *told.key)


@dataclass(frozen=True, slots=True)
class RecordedConsent:
    """A statement, who says it, when, and why. `reference` is that of the signed link; None for a human."""

    statement: ConsentClaim
    by: str
    at: datetime
    reason: str | None = None
    reference: str | None = None

    @property
    def strength(self) -> Strength:
        return Strength.MANUAL if self.reference is None else Strength.VERIFIED


def record_consent(
    fragments: Sequence[Fragment], known: ConsentPages, recorded: RecordedConsent
) -> tuple[FragmentConsent, list[Event]]:
    """A word about one person (given as all of its fragments and what is `known` on them), and what is to be said.

    It counts from now on, even where a sender's clock was ahead. It hangs on the address or number
    it is about, else on the oldest fragment.
    """
    fragment = _anchor(fragments, recorded.statement.channel)
    at = max([recorded.at, *(stated.occurred_at + _INSTANT for stated in known.values())])
    stated = FragmentConsent(
        fragment_id=fragment.fragment_id,
        channel=recorded.statement.channel,
        consent=recorded.statement.consent,
        interaction_id=recorded.reference or _interaction_id(recorded, at, fragment.fragment_id),
        source_id=f"api:{recorded.by}",
        occurred_at=at,
        wording=recorded.statement.wording,
        strength=recorded.strength,
        origin_id=fragment.fragment_id,
        reason=recorded.reason,
    )
    by_id = {one.fragment_id: one for one in fragments}
    said: list[Event] = []
    for told in hear(known, stated, by_id):
        parts = (stated.interaction_id, *event_parts(told, stated)[1:])
        event_id = derive_id("evt", recorded.at, ConsentChanged.wire_name, *parts)
        said.append(consent_changed(beginning(event_id, recorded.at), by_id[told.fragment_id], told))
    return stated, said


def would_lift(known: Iterable[FragmentConsent], statement: ConsentClaim) -> ConsentChannel | None:
    """The channel whose withdrawal the statement would lift, if there is one."""
    if statement.consent is not Consent.GRANTED:
        return None
    about = statement.channel
    return next(
        (
            channel
            for channel, one in answers(known).items()
            if one.consent is Consent.WITHDRAWN and (concerns(about, channel) or concerns(channel, about))
        ),
        None,
    )


def _tell(known: ConsentPages, fragment_id: str) -> list[FragmentConsent]:
    untold = sorted((one for one in counting(known.on(fragment_id)) if not one.is_told), key=key_of)
    for one in untold:
        known[one.key] = replace(one, is_told=True)
    return untold


def _evidence(interaction: Interaction) -> JsonObject:
    """By what the statement was made, as far as it is known."""
    page, is_form = interaction.context.get("page"), interaction.kind is InteractionKind.FORM
    found = {
        "kind": interaction.kind.value,
        "name": interaction.name,
        "form_id": interaction.properties.get("form_id") if is_form else None,
        "page": page.get("url") if isinstance(page, Mapping) else None,
    }
    return {name: value[:URL_CHARACTERS] for name, value in found.items() if isinstance(value, str) and value}


def _interaction_id(recorded: RecordedConsent, at: datetime, fragment_id: str) -> str:
    channel, consent = recorded.statement.channel.value, recorded.statement.consent.value
    return derive_id("cns", at, fragment_id, channel, consent, recorded.by, at.isoformat())


def _anchor(fragments: Sequence[Fragment], channel: ConsentChannel) -> Fragment:
    by_id = {one.fragment_id: one for one in fragments}
    about = [one for one in fragments if one.kind is not None and one.kind == _ABOUT.get(channel)]
    return by_id[oldest_first(about or fragments)[0]]
