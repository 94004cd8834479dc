"""An archive is whole or refused, and never stands in the way of another."""

from __future__ import annotations

import random
import tarfile
from pathlib import Path

import pytest

from backup.archive import ArchiveExists, ArchiveReader, ArchiveWriter, Sink, Source
from backup.manifest import ArchiveRefused, Manifest, StorePart, StreamPart, TablePart

EMPTY = Manifest("1", "", "2026-01-01T00:00:00+00:00", 1.5, {}, {})
TEXT = random.Random(7).randbytes(3_000_000)


def gives(content: bytes) -> Source:
    async def source(sink: Sink) -> None:
        for at in range(0, len(content), 70_001):
            await sink(content[at : at + 70_001])

    return source


async def written(path: Path, manifest: Manifest = EMPTY) -> Manifest:
    with ArchiveWriter(path) as archive:
        await archive.add("streams/CAPTURE", gives(TEXT), is_packed=False)
        await archive.add("stores/identity", gives(TEXT[:1000] * 3000), is_packed=True)
        await archive.add("stores/empty", gives(b""), is_packed=True)
        return await archive.finish(manifest)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def torn_off(path: Path) -> None:
    with ArchiveWriter(path) as archive:
        await archive.add("streams/CAPTURE", gives(TEXT), is_packed=False)
        raise ZeroDivisionError


async def content(reader: ArchiveReader, name: str) -> bytes:
    return b"".join([piece async for piece in reader.read(name)])


async def test_what_was_written_is_read(tmp_path: Path) -> None:
    parts = StorePart(
        "postgresql",
        "15",
        {"chain": "0002"},
        tables=(TablePart("stores/identity", "t", ("a", "b")),),
        sequences={"s": (4, True)},
    )
    said = Manifest(
        "1",
        "",
        "2026-01-01T00:00:00+00:00",
        1.5,
        {"CAPTURE": StreamPart("streams/CAPTURE", 7, {}, {})},
        {"identity": parts},
    )
    whole = await written(tmp_path / "a.tar", said)
    reader = ArchiveReader(tmp_path / "a.tar")
    reader.verify()
    assert reader.manifest == whole
    assert await content(reader, "streams/CAPTURE") == TEXT
    assert await content(reader, "stores/identity") == TEXT[:1000] * 3000
    assert await content(reader, "stores/empty") == b""


async def test_it_is_for_its_owner_alone_and_any_tar_lists_it(tmp_path: Path) -> None:
    await written(tmp_path / "a.tar")
    assert (tmp_path / "a.tar").stat().st_mode & 0o777 == 0o600
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert tar.getnames() == [
            "streams/CAPTURE",
            "stores/identity",
            "stores/empty",
            "manifest.json",
            "manifest.sha256",
        ]


async def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_text("mine")
    with pytest.raises(ArchiveExists):
        await written(tmp_path / "a.tar")
    assert names(tmp_path) == ["a.tar"]
    assert (tmp_path / "a.tar").read_text() == "mine"


async def test_one_that_was_not_finished_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        await torn_off(tmp_path / "a.tar")
    assert names(tmp_path) == []


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
async def test_a_torn_archive_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.tar"
    await written(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ArchiveRefused):
        ArchiveReader(path).verify()


@pytest.mark.parametrize("seed", range(12))
async def test_a_changed_byte_is_found(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "a.tar"
    whole = await written(path)
    raw = bytearray(path.read_bytes())
    chance = random.Random(seed)
    places = {}
    with tarfile.open(path) as tar:
        places = {one.name: (one.offset_data, one.size) for one in tar if one.size}
    at, size = places[chance.choice(sorted(places))]
    raw[at + chance.randrange(size)] ^= 1 << chance.randrange(8)
    path.write_bytes(raw)
    with pytest.raises(ArchiveRefused):
        ArchiveReader(path).verify()
    assert whole.members


async def test_one_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    await written(tmp_path / "a.tar", Manifest("9", "", "2030-01-01T00:00:00+00:00", 1, {}, {}, format=2))
    with pytest.raises(ArchiveRefused, match="newer"):
        ArchiveReader(tmp_path / "a.tar")


async def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_text("a shopping list\n" * 1000)
    with pytest.raises(ArchiveRefused, match="no archive"):
        ArchiveReader(tmp_path / "a.tar")
