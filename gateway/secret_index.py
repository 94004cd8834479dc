"""Keys of people, tools and sources by the hash of their secret: whose each is, when it ends, and what became of those
that are good no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from chassis.errors import Unauthenticated
from gateway.domain.key_life import KeyFate, KeyLife, LostSecret, SecretEnd, end_of
from gateway.store import ApiKeyRow, SourceRow


class KeyExpired(Unauthenticated):
    """The key had an end, and it is past."""

    slug = "key-expired"


class KeyReplaced(Unauthenticated):
    """The key was rotated, and the time in which both were good is over."""

    slug = "key-replaced"


class KeyRevoked(Unauthenticated):
    """Somebody revoked the key."""

    slug = "key-revoked"


class SourceDisabled(Unauthenticated):
    """The source of this write key is switched off."""

    slug = "source-disabled"


_REFUSALS: Mapping[KeyFate, tuple[type[Unauthenticated], str, str]] = {
    KeyFate.EXPIRED: (KeyExpired, "This key expired", "Have it rotated with POST {path}:rotate, and send the new one"),
    KeyFate.REPLACED: (
        KeyReplaced,
        "This key was replaced by another, and both were good",
        "Send the key that the rotation told, or rotate once more with POST {path}:rotate",
    ),
    KeyFate.REVOKED: (KeyRevoked, "This key was revoked", "Ask an administrator for another: POST /v1/keys makes one"),
    KeyFate.DISABLED: (
        SourceDisabled,
        "The source of this write key is switched off",
        "Switch it on with PATCH {path}",
    ),
}


class Held(NamedTuple):
    """One secret of a key or source: its hash, and until when."""

    hashed: str
    owner_id: str
    life: KeyLife
    is_previous: bool


@dataclass(frozen=True, slots=True)
class SecretIndex:
    """By hash. `ends` has those good secrets alone that have an end: most have none."""

    owners: Mapping[str, str] = field(default_factory=dict)
    ends: Mapping[str, SecretEnd] = field(default_factory=dict)
    lost: Mapping[str, LostSecret] = field(default_factory=dict)

    def lost_at(self, hashed: str, now: datetime) -> LostSecret | None:
        """What became of a secret that is good no more by `now`; None: it is good, or nobody's."""
        end = self.ends.get(hashed)
        if end is not None and end.at <= now:
            return LostSecret(self.owners[hashed], end.why, end.at)
        return self.lost.get(hashed)

    def owner_of(self, hashed: str) -> str | None:
        """The id of the key or source whose secret this is, or was."""
        lost = self.lost.get(hashed)
        return self.owners.get(hashed) or (None if lost is None else lost.owner_id)


def indexed(held: Sequence[Held]) -> SecretIndex:
    """The index of `held`. Where the secret before of one is the present secret of another, the present one counts."""
    owners: dict[str, str] = {}
    ends: dict[str, SecretEnd] = {}
    lost: dict[str, LostSecret] = {}
    for one in sorted(held, key=lambda found: not found.is_previous):
        if one.life.off is not None:
            lost[one.hashed] = LostSecret(one.owner_id, one.life.off, None)
            continue
        owners[one.hashed] = one.owner_id
        lost.pop(one.hashed, None)
        end = end_of(one.life, is_previous=one.is_previous)
        ends.pop(one.hashed, None)
        if end is not None:
            ends[one.hashed] = end
    return SecretIndex(owners, ends, lost)


def secrets_of_source(row: SourceRow) -> Iterator[Held]:
    """A source's write key, and the one before it."""
    life = life_of_source(row)
    yield Held(row.write_key_hash, row.source_id, life, is_previous=False)
    if row.previous_hash is not None:
        yield Held(row.previous_hash, row.source_id, life, is_previous=True)


def secrets_of_key(row: ApiKeyRow) -> Iterator[Held]:
    """An API key's secret, and the one before it."""
    life = life_of_key(row)
    yield Held(row.key_hash, row.key_id, life, is_previous=False)
    if row.previous_hash is not None:
        yield Held(row.previous_hash, row.key_id, life, is_previous=True)


def life_of_source(row: SourceRow) -> KeyLife:
    """What is known of its write key's life."""
    return KeyLife(None if row.is_enabled else KeyFate.DISABLED, row.expires_at, row.previous_until)


def life_of_key(row: ApiKeyRow) -> KeyLife:
    """What is known of its life."""
    return KeyLife(KeyFate.REVOKED if row.is_revoked else None, row.expires_at, row.previous_until)


def refusal_of(lost: LostSecret, field: str | None = None) -> Unauthenticated:
    """What whoever sends such a secret is told; only they can hear it."""
    kind, told, remedy = _REFUSALS[lost.why]
    since = "" if lost.at is None else f" {'until' if lost.why is KeyFate.REPLACED else 'on'} {_written(lost.at)}"
    path = f"/v1/{'keys' if lost.owner_id.startswith('key_') else 'sources'}/{lost.owner_id}"
    return kind(f"{told}{since}", field=field, remedy=remedy.format(path=path))


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
