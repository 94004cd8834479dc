"""What somebody else put into the folder of a suite is neither read nor written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cli.checks.diagnosis import CheckState
from cli.checks.folder import look
from embedded import down, processes
from embedded.files import ForeignFile, make_private, open_private, read_private, write_private
from embedded.lock import is_held, lock_path, note_of, take
from embedded.ports import last_ports
from embedded.restoration import alone
from embedded.secrets import SecretsUnreadable, load_or_make
from embedded.stores import FILE, StoresRefused, known_stores
from embedded.up import CannotStart, Wish, run

STRANGER = 54321

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """One that a suite was in."""
    folder = tmp_path / "var"
    make_private(folder)
    (folder / "log").mkdir()
    for name in ("ports.json", "rapport.env", "nats-restore.conf", "log/identity.log", "lock"):
        write_private(folder / name, "{}")
    load_or_make(folder / "secrets.json", ["gateway"])
    return folder


def give_away(path: Path) -> None:
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


def start(var: Path) -> None:
    try:
        run(Wish(var, 0, {}, is_detached=True), lambda _: None)
    finally:
        processes.end(partial(processes.holders, var))  # of one that was not refused


def restore(var: Path) -> None:
    with alone(var):
        raise AssertionError("it is taken")


PLACES = ("", "ports.json", "secrets.json", "rapport.env", "nats-restore.conf", "log", "log/identity.log", "lock")


@pytest.mark.parametrize("place", PLACES)
def test_a_folder_with_anything_of_a_stranger_is_refused(var: Path, place: str) -> None:
    give_away(var / place)
    before = {path: path.lstat().st_mtime_ns for path in var.rglob("*")}
    with pytest.raises(CannotStart, match=f"{var / place}: it belongs to user {STRANGER}"):
        start(var)
    with pytest.raises(ForeignFile):
        restore(var)
    assert {path: path.lstat().st_mtime_ns for path in var.rglob("*")} == before


def test_a_folder_that_a_stranger_keeps_open_leads_nowhere(tmp_path: Path) -> None:
    """As it was done: 0777, with a lock that is a link and ports that somebody chose."""
    folder, elsewhere = tmp_path / "var", tmp_path / "elsewhere"
    folder.mkdir()
    folder.chmod(0o777)
    elsewhere.write_text("mine")
    (folder / "lock").symlink_to(elsewhere)
    (folder / "ports.json").write_text(json.dumps({"nats": 4222}))
    for path in (folder / "lock", folder / "ports.json", folder):
        give_away(path)
    with pytest.raises(CannotStart):
        start(folder)
    assert elsewhere.read_text() == "mine"
    assert folder.stat().st_mode & 0o777 == 0o777


@pytest.mark.parametrize("owner", [0, STRANGER])
def test_a_lock_that_is_a_link_is_not_followed(var: Path, tmp_path: Path, owner: int) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text('{"url": "mine"}')
    lock_path(var).unlink()
    lock_path(var).symlink_to(elsewhere)
    os.chown(lock_path(var), owner, owner, follow_symlinks=False)
    with pytest.raises(OSError, match="symbolic links"):
        take(var)
    assert (is_held(var), note_of(var), elsewhere.read_text()) == (False, {}, '{"url": "mine"}')


READERS: dict[str, tuple[str, Callable[[Path], object], type[Exception] | None]] = {
    "secrets": ("secrets.json", lambda var: load_or_make(var / "secrets.json", []), SecretsUnreadable),
    "stores": (FILE, known_stores, StoresRefused),
    "ports": ("ports.json", lambda var: last_ports(var / "ports.json"), None),
    "lock": ("lock", note_of, None),
}


@pytest.mark.parametrize(("name", "read", "refusal"), [pytest.param(*one, id=name) for name, one in READERS.items()])
def test_no_reader_believes_a_stranger(
    var: Path, name: str, read: Callable[[Path], object], refusal: type[Exception] | None
) -> None:
    (var / name).write_text(json.dumps({"nats": 4222, "identity": "sqlite:////tmp/theirs.db"}))
    give_away(var / name)
    if refusal is None:
        assert read(var) == {}
        return
    with pytest.raises(refusal):
        read(var)


def test_a_pipe_keeps_nobody(var: Path) -> None:
    os.mkfifo(var / "pipe")
    with pytest.raises(ForeignFile, match="no plain file"):
        read_private(var / "pipe")


def test_what_is_written_goes_through_no_link(var: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    for name in ("secrets.json", f".secrets.json.{os.getpid()}"):
        (var / name).unlink(missing_ok=True)
        (var / name).symlink_to(elsewhere)
    write_private(var / "secrets.json", "new")
    (var / "link").symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic links"):
        open_private(var / "link", os.O_WRONLY | os.O_CREAT)
    assert ((var / "secrets.json").read_text(), elsewhere.read_text()) == ("new", "mine")


def test_who_is_held_by_a_strangers_lock_is_not_ended(var: Path) -> None:
    give_away(lock_path(var))
    with pytest.raises(ForeignFile):
        down.stop(var)


def test_the_doctor_says_whose_a_folder_is(var: Path) -> None:
    assert {one.check: one.state for one in look(var, {})}["owner"] is CheckState.FINE
    give_away(var / "log" / "identity.log")
    found = {one.check: one for one in look(var, {})}["owner"]
    assert (found.state, str(var / "log" / "identity.log") in found.says) == (CheckState.BAD, True)
