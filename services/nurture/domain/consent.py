"""May somebody be reached by a channel? Statements hang on fragments, so that the answer follows every merge and split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.events.identity import ConsentChanged
from contracts.values import Consent, ConsentChannel
from services.nurture.domain.treatments import REACHED_BY, Channel, TreatmentBody

_WORDS = {ConsentChannel.ANY: "any channel", ConsentChannel.EMAIL: "e-mail", ConsentChannel.PHONE: "phone", ConsentChannel.POST: "post"}


@dataclass(frozen=True, slots=True)
class Statement:
    """What was last said on a fragment about a channel."""

    fragment_id: str
    channel: ConsentChannel
    consent: Consent
    occurred_at: datetime
    interaction_id: str
    source_id: str
    wording: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.fragment_id, self.channel.value


Standing = Mapping[ConsentChannel, Statement]
"""What counts for a person, by channel."""


def statement_of(event: ConsentChanged) -> Statement:
    """The statement that an event tells of."""
    return Statement(event.fragment_id, event.channel, event.consent, event.occurred_at, event.interaction_id, event.source_id, event.wording)


def latest(known: Iterable[Statement], told: Iterable[Statement]) -> dict[tuple[str, str], Statement]:
    """By fragment and channel the statement that happened last, in whatever order they were heard; only those that are news."""
    counting = {statement.key: statement for statement in known}
    news = {}
    for statement in told:
        before = counting.get(statement.key)
        if before is None or (statement.occurred_at, statement.interaction_id) > (before.occurred_at, before.interaction_id):
            counting[statement.key] = news[statement.key] = statement
    return news


def standing(statements: Iterable[Statement]) -> dict[ConsentChannel, Statement]:
    """What counts for one person over all fragments: the latest by channel; of two at the same moment the withdrawal."""
    counting: dict[ConsentChannel, Statement] = {}
    for statement in sorted(statements, key=_weight):
        counting[statement.channel] = statement
    return counting


def refusal(body: TreatmentBody, consent: Standing) -> str | None:
    """Why a treatment may not reach this person; None when it may.

    A withdrawal refuses whatever goes to where somebody is, wanted or not; a web page is where they came themselves.
    """
    own = REACHED_BY.get(body.channel)
    spoken = [consent[channel] for channel in (own, ConsentChannel.ANY) if channel is not None and channel in consent]
    counting = max(spoken, key=_weight, default=None)  # whoever grants a channel after a withdrawal of all means it, and the other way round
    if counting is not None and counting.consent is Consent.WITHDRAWN and (body.requires_consent or body.channel is not Channel.WEB):
        return f"has withdrawn consent to {_WORDS[counting.channel]} ({counting.occurred_at:%Y-%m-%d})"
    if body.requires_consent and counting is None:
        return f"has not consented to {_WORDS[own or ConsentChannel.ANY]}"
    return None


def _weight(statement: Statement) -> tuple[datetime, bool, str]:
    return statement.occurred_at, statement.consent is Consent.WITHDRAWN, statement.interaction_id
