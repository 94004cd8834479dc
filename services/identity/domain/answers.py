"""What was answered last: per fragment and channel the latest statement, and over a person's fragments the latest of those.

A maximum, so that the order in which statements arrive does not matter: late and repeated ones change nothing they should not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.envelope import Event, Meta
from contracts.events.identity import ConsentChanged
from contracts.ids import derive_id
from contracts.values import Consent, ConsentChannel, IdentifierKind, Interaction, Strength
from services.identity.domain.consent import Statement
from services.identity.domain.graph import Fragment, oldest_first

AnswerKey = tuple[str, ConsentChannel]
"""(fragment_id, channel)."""

_INSTANT: Final = timedelta(microseconds=1)
_ABOUT: Final = {ConsentChannel.EMAIL: IdentifierKind.EMAIL, ConsentChannel.PHONE: IdentifierKind.PHONE}


@dataclass(frozen=True, slots=True)
class Answer:
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
    def key(self) -> AnswerKey:
        return self.fragment_id, self.channel


@dataclass(frozen=True, slots=True)
class Word:
    """What a human says for a person: a statement, who says it, and when."""

    statement: Statement
    by: str
    at: datetime


class AnswerBook:
    """Some answers, as a working copy that knows what was changed."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self._answers = {answer.key: answer for answer in answers}
        self._changed: dict[AnswerKey, None] = {}

    @property
    def changed(self) -> list[Answer]:
        return [self._answers[key] for key in self._changed]

    def take(self, answer: Answer) -> bool:
        """Keeps `answer` if it is later than what is known; True when the consent is another now."""
        known = self._answers.get(answer.key)
        if known is not None and _lateness(answer) <= _lateness(known):
            return False
        self._answers[answer.key] = answer
        self._changed[answer.key] = None
        return known is None or known.consent is not answer.consent


def answer_of(statement: Statement, fragment_id: str, interaction: Interaction, strength: Strength) -> Answer:
    """The statement as an answer on the fragment that the interaction hangs on."""
    return Answer(
        fragment_id=fragment_id,
        channel=statement.channel,
        consent=statement.consent,
        interaction_id=interaction.interaction_id,
        source_id=interaction.source_id,
        occurred_at=interaction.occurred_at,
        wording=statement.wording,
        strength=strength,
    )


def consent_changed(meta: Meta, fragment: Fragment, answer: Answer) -> ConsentChanged:
    """The event that tells it."""
    return ConsentChanged(
        meta=meta,
        person_id=fragment.person_id,
        fragment_id=fragment.fragment_id,
        graph_version=fragment.graph_version,
        channel=answer.channel,
        consent=answer.consent,
        interaction_id=answer.interaction_id,
        source_id=answer.source_id,
        occurred_at=answer.occurred_at,
        wording=answer.wording,
    )


def settle(answers: Iterable[Answer]) -> dict[ConsentChannel, Answer]:
    """What holds for a person, per channel that anything was said about: the latest word on it or on all channels; in doubt a withdrawal."""
    latest: dict[ConsentChannel, Answer] = {}
    for answer in answers:
        latest[answer.channel] = max(answer, latest.get(answer.channel, answer), key=_weight)
    about_all = latest.get(ConsentChannel.ANY)
    return {
        channel: latest[channel] if about_all is None else max(latest[channel], about_all, key=_weight)
        for channel in ConsentChannel
        if channel in latest
    }


def state_consent(fragments: Sequence[Fragment], known: Sequence[Answer], word: Word) -> tuple[Answer, list[Event]]:
    """A human's word about one person (given as all of its fragments and their answers), and what is to be said.

    It counts from now on, even where a sender's clock was ahead. It hangs on the address or number it is about, else on the oldest fragment.
    """
    channel, consent = word.statement.channel, word.statement.consent
    fragment = _anchor(fragments, channel)
    at = max([word.at, *(answer.occurred_at + _INSTANT for answer in known)])
    answer = Answer(
        fragment_id=fragment.fragment_id,
        channel=channel,
        consent=consent,
        interaction_id=derive_id("cns", at, fragment.fragment_id, channel.value, consent.value, word.by, at.isoformat()),
        source_id=f"api:{word.by}",
        occurred_at=at,
        wording=word.statement.wording,
        strength=Strength.MANUAL,
    )
    is_other_here = AnswerBook(known).take(answer)
    before, after = settle(known).get(channel), settle([*known, answer])[channel]
    if not is_other_here and before is not None and before.consent is after.consent:
        return answer, []
    event_id = derive_id("evt", word.at, ConsentChanged.wire_name, answer.interaction_id)
    meta = Meta(event_id=event_id, at=word.at, correlation_id=event_id)
    return answer, [consent_changed(meta, fragment, answer)]


def _anchor(fragments: Sequence[Fragment], channel: ConsentChannel) -> Fragment:
    by_id = {one.fragment_id: one for one in fragments}
    about = [one for one in fragments if one.kind is not None and one.kind == _ABOUT.get(channel)]
    return by_id[oldest_first(about or fragments)[0]]


def _lateness(answer: Answer) -> tuple[datetime, str]:
    return answer.occurred_at, answer.interaction_id


def _weight(answer: Answer) -> tuple[datetime, bool, str]:
    """On one fragment a greater id decides between statements of one moment; between fragments nobody knows, and a withdrawal counts."""
    return answer.occurred_at, answer.consent is Consent.WITHDRAWN, answer.interaction_id
