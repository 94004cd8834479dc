"""What an archive says of itself: which version took it, at which moment, and what lies in it.

It is read strictly: each value has its type, its signs and its limits, and what it names lies in the archive. That
does not make an archive of a stranger safe: docs/backup.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, field
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

FORMAT: Final = 1
"""Of the archive; a larger one is of a newer version and is refused."""
KEYS: Final = "keys.json"

Kind = Literal["sqlite", "postgresql"]
_STRICT: Final = ConfigDict(strict=True, extra="forbid")
_LARGEST: Final = 2**62


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


_Line = Annotated[str, StringConstraints(pattern=r"^[ -~]*$", max_length=200)]
_Moment = Annotated[str, StringConstraints(pattern=r"^[0-9T:.+Z-]{1,40}$"), AfterValidator(_moment)]
_Number = Annotated[int, Field(ge=0, le=_LARGEST)]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=63)]
_Chain = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$", max_length=100)]
_Revision = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,64}$")]
_Place = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+([./][A-Za-z0-9_]+)*$", max_length=99)]
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ArchiveRefused(Exception):
    """The archive cannot be used: it is torn, was changed, or is of a newer version. Nothing was touched."""


@dataclass(frozen=True, config=_STRICT)
class Member:
    """A file in the archive: `stored` bytes that are `size` bytes unpacked, and their SHA-256 as they are stored."""

    name: _Place
    stored: _Number
    size: _Number
    sha256: _Sha256
    is_packed: bool


@dataclass(frozen=True, config=_STRICT)
class StreamPart:
    """A stream up to `cut`: its snapshot holds what came a moment later as well, and a restore takes that away.

    `config` and `state` are as the server gave them.
    """

    member: _Place
    cut: _Number
    config: Mapping[str, Any]
    state: Mapping[str, Any]


@dataclass(frozen=True, config=_STRICT)
class TablePart:
    """A table of a PostgreSQL store, as COPY in binary writes it."""

    member: _Place
    name: _Name
    columns: tuple[_Name, ...]


@dataclass(frozen=True, config=_STRICT)
class StorePart:
    """A store: one file of SQLite, or tables and the state of sequences (`(last value, whether it was given)`) of
    PostgreSQL. `revisions` by chain of migrations.
    """

    kind: Kind
    server: _Line
    revisions: Mapping[_Chain, _Revision]
    member: _Place | Literal[""] = ""
    tables: tuple[TablePart, ...] = ()
    sequences: Mapping[_Name, tuple[_Number, bool]] = field(default_factory=dict)

    @property
    def members(self) -> list[str]:
        """The names of the files that it is made of."""
        return [name for name in (self.member, *(table.member for table in self.tables)) if name]


@dataclass(frozen=True, config=_STRICT)
class Manifest:
    """All of it. `frozen_ms`: for how long nobody could write."""

    version: _Line
    revision: _Line
    taken_at: _Moment  # the cut, RFC 3339
    frozen_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    streams: Mapping[_Name, StreamPart]
    stores: Mapping[_Name, StorePart]
    has_keys: bool = False
    members: tuple[Member, ...] = ()
    format: int = FORMAT

    def written(self) -> bytes:
        """As it stands in the archive."""
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    def needed(self) -> Iterator[str]:
        """The names of all members that its parts are made of."""
        yield from (part.member for part in self.streams.values())
        for store in self.stores.values():
            yield from store.members
        if self.has_keys:
            yield KEYS


_MANIFEST: Final = TypeAdapter(Manifest)


def read_manifest(text: bytes) -> Manifest:
    """The manifest in `text`. Raises ArchiveRefused for one of a newer format, or none."""
    _refuse_newer(text)
    try:
        manifest = _MANIFEST.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:200]
        raise ArchiveRefused(f"its manifest cannot be read: {place or 'all of it'}: {first['msg']}") from None
    names = [member.name for member in manifest.members]
    if len(set(names)) < len(names):
        raise ArchiveRefused("its manifest cannot be read: it names a member twice")
    if lacking := sorted({*manifest.needed()} - {*names}):
        raise ArchiveRefused(f"its manifest cannot be read: it does not say how long {lacking[0]} is")
    for name, store in manifest.stores.items():
        if bool(store.member) != (store.kind == "sqlite") or bool(store.tables) != (store.kind == "postgresql"):
            raise ArchiveRefused(f"its manifest cannot be read: its store of {name} is not one of {store.kind}")
    return manifest


def _refuse_newer(text: bytes) -> None:
    """What a newer version wrote may have any other field."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return
    number = said.get("format") if isinstance(said, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise ArchiveRefused(f"it is of format {number}, and this version reads up to {FORMAT}: run a newer one")
