"""One file, a tar: members one after the other, the manifest last, each with its checksum.

It is written under another name and gets its own when it is whole and on disk: a file under that name is complete.
However large the parts are, some megabytes of memory do.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import tarfile
import tempfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

from backup.manifest import KEYS, ArchiveRefused, Manifest, Member, read_manifest

Sink = Callable[[bytes], Awaitable[None]]
Source = Callable[[Sink], Awaitable[None]]
"""Gives the content of a member, a piece at a time, to the sink that it is handed."""

MANIFEST: Final = "manifest.json"
CHECKSUM: Final = "manifest.sha256"
_BLOCK: Final = 512  # a tar is made of these
_PIECE: Final = 1 << 20
_LEVEL: Final = 1  # a third of the size for a tenth of the time of the next levels
_GZIP: Final = 16 + zlib.MAX_WBITS
_SMALL: Final = {MANIFEST: 4 << 20, CHECKSUM: 64, KEYS: 64 << 10}
"""What is read at once, and how many bytes of it at most: a file says of itself how large it is."""
_MOST_MEMBERS: Final = 10_000
_LARGEST: Final = 1 << 50


class ArchiveExists(Exception):
    """There is a file of that name, which is not overwritten."""


class ArchiveNotWritten(Exception):
    """There is no such folder, or nothing may be written into it."""


class ArchiveWriter:
    """Writes `path`. Use as a context manager, and call `finish`: without that nothing is left."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise ArchiveExists(f"{path} exists")
        self._path = path
        self._members: list[Member] = []
        try:
            descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)  # 0600
        except OSError as error:
            raise ArchiveNotWritten(f"{path} cannot be written: {error.strerror}") from None
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
        text, checksum = self.small(MANIFEST), self.small(CHECKSUM)
        if hashlib.sha256(text).hexdigest().encode() != checksum:
            raise ArchiveRefused(f"{path}: its manifest was changed, or is damaged")
        self.manifest = read_manifest(text)
        self._members = {member.name: member for member in self.manifest.members}

    def verify(self) -> None:
        """Read and unpack all of it, and compare. Raises ArchiveRefused naming the first member that is not as it was
        written.
        """
        for member in self.manifest.members:
            sha256, unpacker = hashlib.sha256(), self._unpacker(member)
            is_as_long = self._place(member.name)[1] == member.stored
            for piece in self._pieces(member.name) if is_as_long else ():
                sha256.update(piece)
                for _ in unpacker.content(piece):
                    pass
            if not is_as_long or sha256.hexdigest() != member.sha256:
                raise ArchiveRefused(f"{self._path}: {member.name} was changed, or is damaged")
            unpacker.end()

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """The content of a member, unpacked, a piece at a time. Raises ArchiveRefused when it is another size than was
        said.
        """
        unpacker, pieces = self._unpacker(self._members[name]), self._pieces(name)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            contents = unpacker.content(piece)
            while (content := await asyncio.to_thread(next, contents, None)) is not None:
                yield content
        unpacker.end()

    def small(self, name: str) -> bytes:
        """All of a member that is never large: the manifest, its checksum, keys. Raises ArchiveRefused."""
        _, size = self._place(name)
        if size > _SMALL[name]:
            raise ArchiveRefused(f"{self._path}: {name} has {size} bytes, and no more than {_SMALL[name]} are read")
        return b"".join(self._pieces(name))

    def _unpacker(self, member: Member) -> _Unpacker:
        return _Unpacker(f"{self._path}: {member.name}", member.size, is_packed=member.is_packed)

    def _place(self, name: str) -> tuple[int, int]:
        place = self._places.get(name)
        if place is None:
            raise ArchiveRefused(f"{self._path} is not complete: it has no {name}")
        return place

    def _pieces(self, name: str) -> Iterator[bytes]:
        at, missing = self._place(name)
        with self._path.open("rb") as file:
            file.seek(at)
            while missing:
                piece = file.read(min(_PIECE, missing))
                if not piece:
                    raise ArchiveRefused(f"{self._path} ends within {name}")
                missing -= len(piece)
                yield piece


class _Unpacker:
    """Of one member, called `what`: gives no more than the `size` bytes that were said, however much is packed."""

    def __init__(self, what: str, size: int, *, is_packed: bool) -> None:
        self._what = what
        self._missing = size
        self._packer: Any = zlib.decompressobj(_GZIP) if is_packed else None

    def content(self, piece: bytes) -> Iterator[bytes]:
        """What `piece` holds, some of it at a time."""
        if self._packer is None:
            yield self._counted(piece)
            return
        while piece:
            try:
                content = self._packer.decompress(piece, _PIECE)
            except zlib.error as error:
                raise ArchiveRefused(f"{self._what} cannot be unpacked: {error}") from None
            if self._packer.unused_data:
                raise ArchiveRefused(f"{self._what} goes on behind its end")
            piece = self._packer.unconsumed_tail
            if content:
                yield self._counted(content)

    def end(self) -> None:
        """Nothing may be missing."""
        if self._missing or (self._packer is not None and not self._packer.eof):
            raise ArchiveRefused(f"{self._what} is shorter than was said, or is damaged")

    def _counted(self, content: bytes) -> bytes:
        self._missing -= len(content)
        if self._missing < 0:
            raise ArchiveRefused(f"{self._what} is larger than was said")
        return content


def _places(path: Path) -> dict[str, tuple[int, int]]:
    """Where each member begins, and how long it is. Only plain files are known, as we write them: other entries of a
    tar are links, devices, or headers as long as they like.
    """
    try:
        with path.open("rb") as file:
            found = list(itertools.islice(_entries(file), _MOST_MEMBERS + 1))
    except tarfile.TarError as error:
        raise ArchiveRefused(f"{path} is no archive of ours, or is torn: {error}") from None
    except (OSError, ValueError) as error:
        raise ArchiveRefused(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    places = {name: (at, size) for name, at, size in found}
    if len(places) < len(found) or len(found) > _MOST_MEMBERS:
        raise ArchiveRefused(f"{path} is no archive of ours: a member stands in it twice, or there are too many")
    return places


def _entries(file: IO[bytes]) -> Iterator[tuple[str, int, int]]:
    while (entry := _entry(file.read(_BLOCK))) is not None:
        at = file.tell()
        yield entry.name, at, entry.size
        file.seek(at + entry.size + -entry.size % _BLOCK)


def _entry(block: bytes) -> tarfile.TarInfo | None:
    """The entry that begins with `block`; None behind the last one."""
    if not block or block == bytes(_BLOCK):
        return None
    entry = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or not 0 <= entry.size <= _LARGEST:
        raise tarfile.HeaderError("it has an entry that is no plain file")
    return entry


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry.tobuf(tarfile.GNU_FORMAT)
