"""One file, a tar: members one after the other, the manifest last, each with its checksum.

It is written under another name and gets its own when it is whole and on disk: a file under that name is complete.
However large the parts are, some megabytes of memory do.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tarfile
import tempfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

from backup.manifest import ArchiveRefused, Manifest, Member, read_manifest

Sink = Callable[[bytes], Awaitable[None]]
Source = Callable[[Sink], Awaitable[None]]
"""Gives the content of a member, a piece at a time, to the sink that it is handed."""

MANIFEST: Final = "manifest.json"
CHECKSUM: Final = "manifest.sha256"
_BLOCK: Final = 512  # a tar is made of these
_PIECE: Final = 1 << 20
_LEVEL: Final = 1  # a third of the size for a tenth of the time of the next levels
_GZIP: Final = 16 + zlib.MAX_WBITS


class ArchiveExists(Exception):
    """There is a file of that name, which is not overwritten."""


class ArchiveWriter:
    """Writes `path`. Use as a context manager, and call `finish`: without that nothing is left."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise ArchiveExists(f"{path} exists")
        self._path = path
        self._members: list[Member] = []
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)  # 0600
        self._partial = Path(name)
        self._file: IO[bytes] = os.fdopen(descriptor, "wb")

    @property
    def folder(self) -> Path:
        """Where there is room for what is on its way into the archive."""
        return self._path.parent

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)

    async def add(self, name: str, source: Source, *, is_packed: bool) -> Member:
        """Write what `source` gives; `is_packed`: compress it on the way."""
        header_at = self._file.tell()
        self._file.write(bytes(_BLOCK))  # its size is known afterwards
        body = _Body(self._file, is_packed)

        async def sink(piece: bytes) -> None:
            await asyncio.to_thread(body.take, piece)

        await source(sink)
        await asyncio.to_thread(body.end)
        end = self._file.tell() + -body.stored % _BLOCK
        self._file.write(bytes(-body.stored % _BLOCK))
        self._file.seek(header_at)
        self._file.write(_header(name, body.stored))
        self._file.seek(end)
        self._members.append(Member(name, body.stored, body.size, body.sha256.hexdigest(), is_packed))
        return self._members[-1]

    async def finish(self, manifest: Manifest) -> Manifest:
        """Write `manifest` with all members, and give the file its name. Raises ArchiveExists."""
        whole = replace(manifest, members=tuple(self._members))
        text = whole.written()
        for name, content in ((MANIFEST, text), (CHECKSUM, hashlib.sha256(text).hexdigest().encode())):
            self._file.write(_header(name, len(content)) + content + bytes(-len(content) % _BLOCK))
        self._file.write(bytes(2 * _BLOCK))
        await asyncio.to_thread(self._settle)
        return whole

    def _settle(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        try:
            os.link(self._partial, self._path)  # refuses where a rename would overwrite
        except FileExistsError:
            raise ArchiveExists(f"{self._path} exists") from None
        self._partial.unlink()
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class _Body:
    """Of one member: packs, counts, and computes the checksum of what it writes."""

    def __init__(self, file: IO[bytes], is_packed: bool) -> None:
        self._file = file
        self._packer: Any = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP) if is_packed else None
        self.sha256 = hashlib.sha256()
        self.size = self.stored = 0

    def take(self, piece: bytes) -> None:
        self.size += len(piece)
        self._write(self._packer.compress(piece) if self._packer else piece)

    def end(self) -> None:
        if self._packer:
            self._write(self._packer.flush())

    def _write(self, piece: bytes) -> None:
        self._file.write(piece)
        self.sha256.update(piece)
        self.stored += len(piece)


class ArchiveReader:
    """Reads the archive at `path`. Raises ArchiveRefused when it is none, is torn, or its manifest was changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places = _places(path)
        text, checksum = self._small(MANIFEST), self._small(CHECKSUM)
        if hashlib.sha256(text).hexdigest().encode() != checksum:
            raise ArchiveRefused(f"{path}: its manifest was changed, or is damaged")
        self.manifest = read_manifest(text)
        self._members = {member.name: member for member in self.manifest.members}

    def verify(self) -> None:
        """Read all of it and compare. Raises ArchiveRefused naming the first member that is not as it was written."""
        for member in self.manifest.members:
            sha256, stored = hashlib.sha256(), 0
            for piece in self._pieces(member.name):
                sha256.update(piece)
                stored += len(piece)
            if stored != member.stored or sha256.hexdigest() != member.sha256:
                raise ArchiveRefused(f"{self._path}: {member.name} was changed, or is damaged")

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """The content of a member, unpacked, a piece at a time."""
        unpacker: Any = zlib.decompressobj(_GZIP) if self._members[name].is_packed else None
        pieces = self._pieces(name)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            while unpacker and piece:
                yield await asyncio.to_thread(unpacker.decompress, piece, _PIECE)
                piece = unpacker.unconsumed_tail
            if piece:
                yield piece
        if unpacker:
            yield unpacker.flush()

    def _small(self, name: str) -> bytes:
        return b"".join(self._pieces(name))

    def _pieces(self, name: str) -> Iterator[bytes]:
        place = self._places.get(name)
        if place is None:
            raise ArchiveRefused(f"{self._path} is not complete: it has no {name}")
        at, missing = place
        with self._path.open("rb") as file:
            file.seek(at)
            while missing:
                piece = file.read(min(_PIECE, missing))
                if not piece:
                    raise ArchiveRefused(f"{self._path} ends within {name}")
                missing -= len(piece)
                yield piece


def _places(path: Path) -> dict[str, tuple[int, int]]:
    """Where each member begins, and how long it is."""
    try:
        with tarfile.open(path, "r:") as tar:
            return {member.name: (member.offset_data, member.size) for member in tar}
    except tarfile.TarError as error:
        raise ArchiveRefused(f"{path} is no archive of ours, or is torn: {error}") from None
    except OSError as error:
        raise ArchiveRefused(f"{path} cannot be read: {error.strerror}") from None


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry.tobuf(tarfile.GNU_FORMAT)
