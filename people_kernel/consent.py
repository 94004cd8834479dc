"""Which of several statements of consent counts.

A maximum, so that it does not matter in which order they are heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from contracts.values import Consent, ConsentChannel


class ConsentStatement(Protocol):
    """What was said on a fragment about a channel."""

    @property
    def channel(self) -> ConsentChannel: ...
    @property
    def consent(self) -> Consent: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def interaction_id(self) -> str: ...


S = TypeVar("S", bound=ConsentStatement)


def lateness(statement: ConsentStatement) -> tuple[datetime, str]:
    """On one fragment the later statement counts; of one moment the one with the greater id, as good as any."""
    return statement.occurred_at, statement.interaction_id


def weight(statement: ConsentStatement) -> tuple[datetime, bool, str]:
    """Between fragments too, but of one moment nobody knows which came last, and a withdrawal counts."""
    return statement.occurred_at, statement.consent is Consent.WITHDRAWN, statement.interaction_id


def in_force(statements: Iterable[S]) -> dict[ConsentChannel, S]:
    """What counts for one person, of the statements on all of their fragments: by channel the one of most weight."""
    counting: dict[ConsentChannel, S] = {}
    for statement in statements:
        before = counting.get(statement.channel)
        if before is None or weight(statement) > weight(before):
            counting[statement.channel] = statement
    return counting


def about(channel: ConsentChannel, counting: Mapping[ConsentChannel, S]) -> S | None:
    """What counts for a channel: what was said about it, or about all of them, whichever weighs more; None when neither
    was.
    """
    own, of_all = counting.get(channel), counting.get(ConsentChannel.ANY)
    if own is None or of_all is None:
        return own or of_all
    # whoever grants a channel after a withdrawal of all means it, and the other way round
    return max(own, of_all, key=weight)
