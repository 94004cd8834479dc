"""`rapport backup` and `rapport restore` on a suite that does not run, and what they refuse."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from backup import restoration
from backup.archive import ArchiveReader
from backup.installation import NATS_URL, from_environment
from backup.manifest import ArchiveRefused
from cli.main import app
from deployment.backup_user import BACKUP
from deployment.catalogue import PROCESSES
from embedded.lock import take
from embedded.restoration import SECRETS
from tests.backup.test_streams import CONFIG
from tests.support.nats import NatsServer

EVERY_STORE = {f"{process.prefix}DATABASE_URL": "sqlite:////nowhere.db" for process in PROCESSES}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (NATS_URL, *EVERY_STORE):
        monkeypatch.delenv(name, raising=False)


def rapport(*words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--json"])


def refused(*words: object) -> str:
    """Why a command ended with an error."""
    result = rapport(*words)
    assert result.exit_code == 1, result.output
    return str(json.loads(result.output)["error"])


def test_an_archive_is_looked_at(archive: Path) -> None:
    result = rapport("backup", archive, "--verify")
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    assert said["has_keys"]
    assert said["stores"] == dict.fromkeys([process.name for process in PROCESSES], "sqlite")


def test_what_is_torn_is_refused_and_nothing_is_touched(archive: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.tar"
    torn.write_bytes(archive.read_bytes()[:-5000])
    assert "cannot be used" in refused("backup", torn, "--verify")
    assert "cannot be used" in refused("restore", torn, "--var", tmp_path / "var")
    assert not (tmp_path / "var").exists()


def test_a_suite_comes_back_with_its_keys_and_is_not_overwritten(archive: Path, tmp_path: Path) -> None:
    var = tmp_path / "var"
    assert rapport("restore", archive, "--var", var).exit_code == 0
    assert (var / SECRETS).read_bytes() == (archive.parent / "var" / SECRETS).read_bytes()
    assert {path.stat().st_mode & 0o77 for path in (*var.glob("*.db"), var / SECRETS)} == {0}
    _note(var, "mine")
    assert "is there" in refused("restore", archive, "--var", var)
    assert _notes(var) == ["mine"]
    result = rapport("restore", archive, "--var", var, "--replace")
    assert result.exit_code == 0, result.output
    aside = Path(json.loads(result.output)["moved_aside"])
    assert (_notes(var), _notes(aside)) == ([], ["mine"])


def test_a_suite_that_runs_is_left_alone(archive: Path, tmp_path: Path) -> None:
    lock = take(tmp_path)
    assert lock is not None
    assert "make down" in refused("restore", archive, "--var", tmp_path)
    lock.release()


def test_where_there_is_no_suite_it_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no suite under" in refused("backup", tmp_path / "a.tar", "--var", tmp_path)
    monkeypatch.setenv(NATS_URL, "nats://127.0.0.1:1")
    assert "IDENTITY_DATABASE_URL" in refused("backup", tmp_path / "a.tar")


def test_a_file_that_is_there_is_kept(archive: Path) -> None:
    before = archive.read_bytes()
    assert "exists" in refused("backup", archive, "--var", archive.parent / "var")
    assert archive.read_bytes() == before


def test_an_archive_of_a_newer_version_or_another_kind_of_store_is_refused(archive: Path) -> None:
    manifest = ArchiveReader(archive).manifest
    here = from_environment({NATS_URL: "nats://127.0.0.1:1", **EVERY_STORE})
    restoration.check_fit(manifest, here)
    ahead = replace(manifest.stores["routing"], revisions={"services.routing.migrations": "9999"})
    with pytest.raises(ArchiveRefused, match="routing is at revision 9999"):
        restoration.check_fit(replace(manifest, stores={**manifest.stores, "routing": ahead}), here)
    elsewhere = replace(here, stores={**here.stores, "scoring": "postgresql://there/scoring"})
    with pytest.raises(ArchiveRefused, match="scoring is one of sqlite"):
        restoration.check_fit(manifest, elsewhere)
    lacking = {name: part for name, part in manifest.stores.items() if name != "identity"}
    with pytest.raises(ArchiveRefused, match="no store of identity"):
        restoration.check_fit(replace(manifest, stores=lacking), here)


def test_on_servers_what_is_there_becomes_an_archive_first(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NatsServer(CONFIG) as server:
        monkeypatch.setenv(NATS_URL, server.url.replace("//", f"//{BACKUP}:{BACKUP}-word@"))
        for process in PROCESSES:
            monkeypatch.setenv(f"{process.prefix}DATABASE_URL", f"sqlite:///{tmp_path}/{process.name}.db")
        assert rapport("restore", archive).exit_code == 0
        _note(tmp_path, "mine")
        monkeypatch.chdir(tmp_path)
        assert ".db" in refused("restore", archive)
        assert _notes(tmp_path) == ["mine"]
        result = rapport("restore", archive, "--replace")
        assert result.exit_code == 0, result.output
        assert _notes(tmp_path) == []
        before = Path(json.loads(result.output)["moved_aside"]).rename("way-back.tar")
        assert rapport("restore", before, "--replace").exit_code == 0
        assert _notes(tmp_path) == ["mine"]


def test_a_restore_that_breaks_off_leaves_an_empty_installation(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NatsServer(CONFIG) as server:
        monkeypatch.setenv(NATS_URL, server.url.replace("//", f"//{BACKUP}:{BACKUP}-word@"))
        for process in PROCESSES:
            folder = "missing/there" if process.name == "metrics" else "."
            monkeypatch.setenv(f"{process.prefix}DATABASE_URL", f"sqlite:///{tmp_path}/{folder}/{process.name}.db")
        assert "broke off" in refused("restore", archive)
    assert list(tmp_path.glob("**/*.db")) == []


def _note(var: Path, word: str) -> None:
    connection = sqlite3.connect(var / "routing.db")
    with connection:
        connection.execute("INSERT INTO dead_letter VALUES (?, 'm', 's', 'r', '2026', NULL)", (word,))
    connection.close()


def _notes(var: Path) -> list[str]:
    connection = sqlite3.connect(var / "routing.db")
    try:
        return [word for (word,) in connection.execute("SELECT origin FROM dead_letter")]
    finally:
        connection.close()
