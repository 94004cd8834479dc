"""Another commit in a folder of its own, and nothing of it left."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.pairs.checkout import NoSuchCommit, checkout, name_of


def git(repository: Path, *words: str) -> str:
    identity = ["-c", "user.name=Bench", "-c", "user.email=bench@bench.example", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *identity, "-C", str(repository), *words], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits of one file."""
    git(tmp_path, "init", "--quiet")
    for text in ("before", "after"):
        (tmp_path / "file").write_text(text)
        git(tmp_path, "add", "file")
        git(tmp_path, "commit", "--quiet", "--message", text)
    return tmp_path


def test_it_is_that_commit_and_gone_afterwards(repository: Path) -> None:
    with checkout(repository, "HEAD~1") as tree:
        assert (tree / "file").read_text() == "before"
        assert (repository / "file").read_text() == "after"
    assert not tree.exists()
    assert not tree.parent.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_an_error_leaves_nothing_either(repository: Path) -> None:
    trees = []

    def break_off() -> None:
        with checkout(repository, "HEAD~1") as tree:
            trees.append(tree)
            (tree / "more").write_text("made meanwhile")
            raise RuntimeError("amidst")

    with pytest.raises(RuntimeError, match="amidst"):
        break_off()
    assert not trees[0].parent.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize("commit", ["nowhere", "--force", ""])
def test_what_is_no_commit_is_refused(repository: Path, commit: str) -> None:
    with pytest.raises(NoSuchCommit), checkout(repository, commit):
        pass


def test_a_name_says_whether_files_were_changed(repository: Path) -> None:
    short = git(repository, "rev-parse", "--short", "HEAD").strip()
    assert name_of(repository) == short
    (repository / "file").write_text("changed")
    assert name_of(repository) == f"{short}+"
    assert name_of(repository, "HEAD~1") == git(repository, "rev-parse", "--short", "HEAD~1").strip()
