"""What holds of all that was said about being reached: a withdrawal stands until a trusted grant lifts it.

Of each fragment and channel three statements are kept, each the latest of its kind: a withdrawal, a trusted grant
(a server's, a human's, a signed link's) and a claimed one. Three maxima: so it does not matter in which order
statements are heard, nor how often. What is said about `any` is about each channel. Of a person's fragments the
strictest counts. A trusted grant is carried over to the person's fragments that hold a withdrawal; it counts there
while the fragment it was said on (`origin_id`) is the same person's, so that a split gives each their own back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from contracts.values import Consent, ConsentChannel, Strength


class StatementKind(StrEnum):
    """Statements of one kind give way to the latest of them."""

    WITHDRAWAL = "withdrawal"
    TRUSTED = "trusted"  # a grant that a server vouches for, a human recorded, or a signed link confirmed
    CLAIMED = "claimed"  # a grant by whoever filled in a form


class ConsentStatement(Protocol):
    """What was said on a fragment about a channel."""

    @property
    def fragment_id(self) -> str: ...
    @property
    def origin_id(self) -> str: ...
    @property
    def channel(self) -> ConsentChannel: ...
    @property
    def consent(self) -> Consent: ...
    @property
    def strength(self) -> Strength: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def interaction_id(self) -> str: ...


S = TypeVar("S", bound=ConsentStatement)


class StatementKey(NamedTuple):
    """Under which a statement is kept, until a later one comes."""

    fragment_id: str
    channel: ConsentChannel
    kind: StatementKind
    origin_id: str


_TRUSTED: Final = frozenset({Strength.VERIFIED, Strength.MANUAL})
_GRANTS: Final = (StatementKind.TRUSTED, StatementKind.CLAIMED)


@dataclass(frozen=True, slots=True)
class ChannelAnswer(Generic[S]):
    """What holds for a channel: the statement that decides, and a later grant that waits because it is not trusted."""

    deciding: S
    pending: S | None = None

    @property
    def consent(self) -> Consent:
        return self.deciding.consent


Answers = Mapping[ConsentChannel, ChannelAnswer[S]]
"""By channel, those that anything was said about."""


def kind_of(consent: Consent, strength: Strength) -> StatementKind:
    """A withdrawal is respected whoever says it; a grant is trusted or claimed."""
    if consent is Consent.WITHDRAWN:
        return StatementKind.WITHDRAWAL
    return StatementKind.TRUSTED if strength in _TRUSTED else StatementKind.CLAIMED


def key_of(statement: ConsentStatement) -> StatementKey:
    """Under which it is kept."""
    kind = kind_of(statement.consent, statement.strength)
    return StatementKey(statement.fragment_id, statement.channel, kind, statement.origin_id)


def lateness(statement: ConsentStatement) -> tuple[datetime, str]:
    """Of two statements of one kind the later one stays; of one moment the one with the greater id, as good as any."""
    return statement.occurred_at, statement.interaction_id


def take(known: MutableMapping[StatementKey, S], stated: S) -> bool:
    """Keeps what was `stated` if it is the latest of its kind; True if so."""
    key = key_of(stated)
    before = known.get(key)
    if before is not None and lateness(stated) <= lateness(before):
        return False
    known[key] = stated
    return True


def answers(statements: Iterable[S]) -> dict[ConsentChannel, ChannelAnswer[S]]:
    """What holds for one person, of the statements on all of their fragments; what was carried over from a fragment
    that is another's now says nothing.
    """
    known = list(statements)
    present = {one.fragment_id for one in known}
    by_fragment: dict[str, list[S]] = {}
    for one in known:
        if one.origin_id in present:
            by_fragment.setdefault(one.fragment_id, []).append(one)
    spoken = {one.channel for kept in by_fragment.values() for one in kept}
    return {channel: _answer(channel, list(by_fragment.values())) for channel in ConsentChannel if channel in spoken}


def about(channel: ConsentChannel, known: Answers[S]) -> ChannelAnswer[S] | None:
    """What holds for a channel: nothing said about it, and it goes by `any`; None when nothing was said at all."""
    return known.get(channel) or known.get(ConsentChannel.ANY)


def concerns(channel: ConsentChannel, stated: ConsentChannel) -> bool:
    """Whether what was `stated` about a channel, or all, is about `channel`."""
    return stated in (channel, ConsentChannel.ANY)


def counting(on_fragment: Iterable[S]) -> list[S]:
    """Of all that is kept on one fragment what can decide anything, with whomever it is one person: no withdrawal that
    a trusted grant on it lifted since, no trusted grant of before a withdrawal, no claimed grant where there is one.

    Whoever hears these alone when an answer becomes another answers as whoever knows all.
    """
    kept = list(on_fragment)
    return [one for one in kept if not any(_outdoes(other, one) for other in kept)]


def deciding_alone(statements: Iterable[S], changed: Iterable[S]) -> list[S]:
    """What decides, for each fragment and channel of the `changed` ones, of what was said there about that channel
    itself: all that releases before 0.3.0 keep.
    """
    of_each: dict[tuple[str, ConsentChannel], list[S]] = {(one.fragment_id, one.channel): [] for one in changed}
    for one in statements:
        if one.origin_id == one.fragment_id and (kept := of_each.get((one.fragment_id, one.channel))) is not None:
            kept.append(one)
    return [_answer(channel, [kept]).deciding for (_, channel), kept in of_each.items() if kept]


def situation(on_fragment: Iterable[S]) -> Mapping[tuple[str, ConsentChannel], Consent | None]:
    """What holds on one fragment for each channel, by the fragment it may be one person with: its answer in any group
    is the mildest of these.
    """
    kept = list(on_fragment)
    own = [one for one in kept if one.origin_id == one.fragment_id]
    found: dict[tuple[str, ConsentChannel], Consent | None] = {}
    for origin_id in {one.origin_id for one in kept}:
        together = [*own, *(one for one in kept if one.origin_id == origin_id != one.fragment_id)]
        for channel in ConsentChannel:
            relevant = [one for one in together if concerns(channel, one.channel)]
            found[origin_id, channel] = _answer(channel, [relevant]).consent if relevant else None
    return found


def _answer(channel: ConsentChannel, by_fragment: Iterable[list[S]]) -> ChannelAnswer[S]:
    relevant = [[one for one in kept if concerns(channel, one.channel)] for kept in by_fragment]
    standing = [one for one in map(_standing, relevant) if one is not None]
    grants = [one for kept in relevant for one in kept if _kind(one) in _GRANTS]
    if not standing:
        trusted = [one for one in grants if _kind(one) is StatementKind.TRUSTED]
        return ChannelAnswer(max(trusted or grants, key=lateness))
    deciding = max(standing, key=lateness)
    waiting = [one for one in grants if one.occurred_at > deciding.occurred_at]
    return ChannelAnswer(deciding, max(waiting, key=lateness, default=None))


def _standing(on_fragment: Iterable[S]) -> S | None:
    """The withdrawal that no trusted grant on the same fragment has lifted since; of one moment it stands."""
    latest: dict[StatementKind, S] = {}
    for one in on_fragment:
        kind = _kind(one)
        if kind not in latest or lateness(one) > lateness(latest[kind]):
            latest[kind] = one
    withdrawal, trusted = latest.get(StatementKind.WITHDRAWAL), latest.get(StatementKind.TRUSTED)
    is_lifted = withdrawal is not None and trusted is not None and trusted.occurred_at > withdrawal.occurred_at
    return None if is_lifted else withdrawal


def _outdoes(other: ConsentStatement, one: ConsentStatement) -> bool:
    """Whether `one` can decide nothing any more, now that `other` is known on the same fragment."""
    if not concerns(one.channel, other.channel) or other.origin_id != other.fragment_id:
        return False
    kind, by = _kind(one), _kind(other)
    if kind is StatementKind.WITHDRAWAL:
        return by is StatementKind.TRUSTED and other.occurred_at > one.occurred_at
    if by is StatementKind.WITHDRAWAL:
        return kind is StatementKind.CLAIMED or other.occurred_at >= one.occurred_at
    return False


def _kind(statement: ConsentStatement) -> StatementKind:
    return kind_of(statement.consent, statement.strength)
