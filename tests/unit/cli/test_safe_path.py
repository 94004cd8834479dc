"""Whatever lies in the folder that a command is called in: it is not run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.up import SAFE_PATH
from tests.support.suite import ROOT

PLANTED = ("typer.py", "cli.py", "json.py", "sitecustomize.py", "supervisor.py", "embedded/__init__.py")
MARK = "planted"


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder with modules of ours, of the libraries and of Python in it, each of which leaves a mark."""
    for name in PLANTED:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"import pathlib\npathlib.Path({str(tmp_path / MARK)!r}).touch()\n")
    return tmp_path


@pytest.mark.parametrize("path_of_caller", [None, "", ":", ".", ":/nowhere"])
def test_the_command_runs_nothing_of_the_folder_it_is_called_in(trap: Path, path_of_caller: str | None) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    if path_of_caller is not None:
        environment["PYTHONPATH"] = path_of_caller
    done = subprocess.run(
        [ROOT / "rapport", "version"], cwd=trap, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("rapport ")
    assert not (trap / MARK).exists()


def test_the_supervisor_and_what_it_starts_do_neither(trap: Path) -> None:
    for words in (["-P", "-m", "embedded.supervisor", "--help"], ["-m", "embedded.down", "--help"]):
        done = subprocess.run(
            [sys.executable, *words],
            cwd=trap,
            env={**os.environ, **SAFE_PATH},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "usage" in done.stdout.lower()
        assert not (trap / MARK).exists(), words


def test_a_folder_that_is_searched_would_leave_its_mark(trap: Path) -> None:
    """The trap is one."""
    subprocess.run([sys.executable, "-m", "cli"], cwd=trap, capture_output=True, check=False)
    assert (trap / MARK).exists()
