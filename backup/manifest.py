"""What an archive says of itself: which version took it, at which moment, and what lies in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

FORMAT: Final = 1
"""Of the archive; a larger one is of a newer version and is refused."""

Kind = Literal["sqlite", "postgresql"]


class ArchiveRefused(Exception):
    """The archive cannot be used: it is torn, was changed, or is of a newer version. Nothing was touched."""


@dataclass(frozen=True)
class Member:
    """A file in the archive: `stored` bytes that are `size` bytes unpacked, and their SHA-256 as they are stored."""

    name: str
    stored: int
    size: int
    sha256: str
    is_packed: bool


@dataclass(frozen=True)
class StreamPart:
    """A stream up to `cut`: its snapshot holds what came a moment later as well, and a restore takes that away.

    `config` and `state` are as the server gave them.
    """

    member: str
    cut: int
    config: Mapping[str, Any]
    state: Mapping[str, Any]


@dataclass(frozen=True)
class TablePart:
    """A table of a PostgreSQL store, as COPY in binary writes it."""

    member: str
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class StorePart:
    """A store: one file of SQLite, or tables and the state of sequences (`(last value, whether it was given)`) of
    PostgreSQL. `revisions` by chain of migrations.
    """

    kind: Kind
    server: str
    revisions: Mapping[str, str]
    member: str = ""
    tables: tuple[TablePart, ...] = ()
    sequences: Mapping[str, tuple[int, bool]] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """All of it. `frozen_ms`: for how long nobody could write."""

    version: str
    revision: str
    taken_at: str  # the cut, RFC 3339
    frozen_ms: float
    streams: Mapping[str, StreamPart]
    stores: Mapping[str, StorePart]
    has_keys: bool = False
    members: tuple[Member, ...] = ()
    format: int = FORMAT

    def written(self) -> bytes:
        """As it stands in the archive."""
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()


def read_manifest(text: bytes) -> Manifest:
    """The manifest in `text`. Raises ArchiveRefused for one of a newer format, or none."""
    try:
        said: dict[str, Any] = json.loads(text)
        if said["format"] > FORMAT:
            raise ArchiveRefused(
                f"it is of format {said['format']}, and this version reads up to {FORMAT}: run a newer one"
            )
        stores = {name: _store(part) for name, part in said.pop("stores").items()}
        streams = {name: StreamPart(**part) for name, part in said.pop("streams").items()}
        members = tuple(Member(**member) for member in said.pop("members"))
        return Manifest(**said, stores=stores, streams=streams, members=members)
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveRefused(f"its manifest cannot be read: {error!r}") from None


def _store(said: dict[str, Any]) -> StorePart:
    tables = tuple(TablePart(one["member"], one["name"], tuple(one["columns"])) for one in said.pop("tables"))
    sequences = {name: (int(last), bool(given)) for name, (last, given) in said.pop("sequences").items()}
    return StorePart(**said, tables=tables, sequences=sequences)
