"""Who can write an archive can write its checksum: what it says is judged before anything of it is used."""

from __future__ import annotations

import gzip
import json
import sys
import tarfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backup.archive import MANIFEST, ArchiveReader
from backup.installation import NATS_URL
from backup.manifest import KEYS, ArchiveRefused
from chassis.bus.streams import stream_config
from chassis.store.revisions import versions_folder
from cli.main import app
from deployment.catalogue import PROCESSES
from embedded.restoration import SECRETS
from tests.backup.forgery import Change, Forgery, forged

STORE = "stores/metrics.sqlite.gz"
ESCAPES = "\x1b]0;owned\x07\u202e\u009b2J"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (NATS_URL, *(f"{process.prefix}DATABASE_URL" for process in PROCESSES)):
        monkeypatch.delenv(name, raising=False)


def keys(**changed: object) -> Change:
    def change(forgery: Forgery) -> None:
        forgery.put(KEYS, json.dumps({**json.loads(forgery.members[KEYS]), **changed}).encode())

    return change


def said(*path: str | int, value: object) -> Change:
    """Another value at that place of the manifest."""

    def change(forgery: Forgery) -> None:
        place = forgery.manifest
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def stream(name: str, /, **config: object) -> Change:
    """One that is empty, as it would be described by a server."""

    def change(forgery: Forgery) -> None:
        content, member = b"", f"streams/{name}.snapshot"
        described = {"name": name, "stored": 0, "size": 0, "is_packed": False}
        forgery.manifest["members"].append({**described, "name": member, "sha256": ""})
        forgery.put(member, content)
        ours = stream_config(name, 1)
        forgery.manifest["streams"][name] = {"member": member, "cut": 0, "config": {**ours, **config}, "state": {}}

    return change


FORGED: dict[str, Change] = {
    "a key that is a section of supervisord": keys(token_public_key='A"\n[program:evil]\ncommand=/bin/sh'),
    "a key that a shell runs": keys(write_key="wk_$(id)"),
    "a key with a quotation mark": keys(api_key="rk_';id;'"),
    "a key of another type": keys(api_key=["rk_a"]),
    "a password that leads elsewhere": keys(nats_passwords={"gateway": "x@evil.example:4222/"}),
    "a password for a path": keys(database_passwords={"../../x": "secret"}),
    "a key that nobody knows": keys(shell="id"),
    "keys that are nested": lambda forgery: forgery.put(KEYS, b"[" * 30_000 + b"]" * 30_000),
    "keys without end": lambda forgery: forgery.put(KEYS, b'{"write_key": "' + b"a" * 70_000 + b'"}'),
    "migrations of a stranger": said("stores", "metrics", "revisions", value={"evilmod.sub": "0001"}),
    "migrations of a neighbour": said("stores", "metrics", "revisions", value={"services.routing.migrations": "0001"}),
    "a path for migrations": said("stores", "metrics", "revisions", value={"../evilmod": "0001"}),
    "a revision that never was": said("stores", "metrics", "revisions", value={"chassis.store.migrations": "0000"}),
    "a store that is a path": lambda forgery: said("stores", "../../x", value=forgery.manifest["stores"]["metrics"])(
        forgery
    ),
    "a store of nobody": lambda forgery: said("stores", "payroll", value=forgery.manifest["stores"]["metrics"])(
        forgery
    ),
    "a store of no type": said("stores", "metrics", value="x"),
    "a store without a file": said("stores", "metrics", "member", value=""),
    "a store of another's file": said("stores", "metrics", "member", value="/etc/passwd"),
    "a file that is not there": said("stores", "metrics", "member", value="stores/gone"),
    "a table that is a statement": said(
        "stores", "metrics", "tables", value=[{"member": STORE, "name": 'x"; DROP TABLE y; --', "columns": []}]
    ),
    "a time of no type": said("frozen_ms", value="x"),
    "a time without end": said("frozen_ms", value=float("inf")),
    "a version that moves the cursor": said("version", value=ESCAPES),
    "a moment that is none": said("taken_at", value="yesterday"),
    "a length that is negative": said("members", 0, "stored", value=-1),
    "a length of no type": said("members", 0, "size", value=[]),
    "a field that nobody knows": said("hook", value="id"),
    "a stream of nobody": stream("EVIL", subjects=["evil.>", "_INBOX_routing.>"]),
    "a stream that hears answers": stream("SCORING", subjects=["scoring.>", "_INBOX_routing.>"]),
    "a stream that is fed": stream("SCORING", sources=[{"name": "CAPTURE"}]),
    "a stream that tells on": stream("CAPTURE", republish={"src": ">", "dest": "_INBOX_metrics.x"}),
    "a stream that holds little": stream("CAPTURE", retention="workqueue"),
    "a stream under another's name": stream("SCORING", name="CAPTURE"),
    "a list": lambda forgery: setattr(forgery, "manifest", []),
    "a manifest that is nested": lambda forgery: setattr(forgery, "manifest", b"[" * 200_000 + b"]" * 200_000),
    "a store that is larger than was said": lambda forgery: forgery.put(STORE, gzip.compress(bytes(80 << 20)), 4096),
    "a store that is smaller than was said": lambda forgery: forgery.put(STORE, gzip.compress(b"a"), 4096),
    "a store that is not packed": lambda forgery: forgery.put(STORE, b"SQLite format 3", 15),
    "a store with something behind it": lambda forgery: forgery.put(STORE, gzip.compress(b"a") * 2, 1),
    "a store that fits on no disk": lambda forgery: forgery.put(STORE, gzip.compress(b"a"), 1 << 60),
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in FORGED.items()])
def test_a_forged_archive_is_refused_and_leaves_nothing(archive: Path, tmp_path: Path, change: Change) -> None:
    sys.modules.pop("evilmod", None)
    path, var = forged(archive, tmp_path / "forged.tar", change), tmp_path / "var"
    result = CliRunner().invoke(app, ["restore", str(path), "--var", str(var)])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    assert "nothing was restored" in result.output or "the archive cannot be used" in result.output
    assert not set(result.output) & set("\x1b\x07\x9b\u202e")
    assert [one.name for one in var.iterdir()] in ([], ["lock"]) if var.exists() else True


def test_what_forges_nothing_is_taken(archive: Path, tmp_path: Path) -> None:
    """The forger's hand does not show: each refusal above is for what was changed."""
    path = forged(archive, tmp_path / "same.tar", lambda forgery: None)
    result = CliRunner().invoke(app, ["restore", str(path), "--var", str(tmp_path / "var")])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.XHDTYPE])
def test_an_entry_that_is_no_file_is_refused(archive: Path, tmp_path: Path, kind: bytes) -> None:
    def change(forgery: Forgery) -> None:
        entry = tarfile.TarInfo("../../etc/cron.d/x")
        entry.type, entry.linkname = kind, "/etc/passwd"
        forgery.entries.append(entry)

    with pytest.raises(ArchiveRefused, match="no plain file"):
        ArchiveReader(forged(archive, tmp_path / "a.tar", change))


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20


@pytest.mark.parametrize("name", [MANIFEST, "././@PaxHeader"])
def test_what_says_that_it_is_large_is_not_read(tmp_path: Path, name: str) -> None:
    """A sparse gigabyte costs whoever sends it nothing."""
    entry = tarfile.TarInfo(name)
    entry.size = 1 << 30
    entry.type = tarfile.XHDTYPE if "Pax" in name else tarfile.REGTYPE
    path = tmp_path / "a.tar"
    with path.open("wb") as file:
        file.write(entry.tobuf(tarfile.GNU_FORMAT))
        file.truncate(entry.size + 512)
    with little_memory(), pytest.raises(ArchiveRefused):
        ArchiveReader(path)


def test_what_unpacks_to_more_than_was_said_ends_there(archive: Path, tmp_path: Path) -> None:
    path = forged(archive, tmp_path / "a.tar", lambda one: one.put(STORE, gzip.compress(bytes(64 << 20)), 100_000))
    with little_memory(), pytest.raises(ArchiveRefused, match="larger than was said"):
        ArchiveReader(path).verify()


def test_what_was_there_comes_back_when_a_restore_breaks_off(archive: Path, tmp_path: Path) -> None:
    """The snapshot is none that a server takes: known only when all else was judged."""
    var = tmp_path / "var"
    assert CliRunner().invoke(app, ["restore", str(archive), "--var", str(var)]).exit_code == 0
    before = _content(var)

    def change(forgery: Forgery) -> None:
        stream("SCORING")(forgery)
        forgery.put("streams/SCORING.snapshot", b"no snapshot")

    path = forged(archive, tmp_path / "b.tar", change)
    result = CliRunner().invoke(app, ["restore", str(path), "--var", str(var), "--replace"])
    assert (result.exit_code, "broke off" in result.output) == (1, True)
    assert _content(var) == before
    assert not list(var.glob("before-*"))


def test_keys_of_an_archive_that_breaks_off_are_not_taken(archive: Path, tmp_path: Path) -> None:
    def change(forgery: Forgery) -> None:
        stream("SCORING")(forgery)
        forgery.put("streams/SCORING.snapshot", b"no snapshot")

    path, var = forged(archive, tmp_path / "b.tar", change), tmp_path / "var"
    assert CliRunner().invoke(app, ["restore", str(path), "--var", str(var)]).exit_code == 1
    assert not (var / SECRETS).exists()


def test_a_name_of_migrations_imports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (".", "sub", "sub/versions"):
        (tmp_path / "evilmod" / folder).mkdir(exist_ok=True)
        (tmp_path / "evilmod" / folder / "__init__.py").write_text("raise SystemExit('it ran')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert versions_folder("evilmod.sub") == tmp_path / "evilmod" / "sub" / "versions"
    for name in ("evilmod", "evilmod.", "evilmod...", "", "__main__.sub", "os.path", "../evilmod", "evilmod/sub"):
        with pytest.raises(ModuleNotFoundError):
            versions_folder(name)


def _content(var: Path) -> dict[str, Any]:
    return {path.name: path.read_bytes() for path in (*var.glob("*.db"), var / SECRETS)}
