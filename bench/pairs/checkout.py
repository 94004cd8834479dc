"""Another commit of this repository, in a temporary folder, gone at the end."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GIT_SECONDS = 60


class NoSuchCommit(Exception):
    """What cannot be checked out, in git's words."""


@contextmanager
def checkout(repository: Path, commit: str) -> Iterator[Path]:
    """A worktree of `commit`; raises NoSuchCommit."""
    name = _git(repository, "rev-parse", "--verify", "--end-of-options", f"{commit}^{{commit}}")
    with tempfile.TemporaryDirectory(prefix="rapport-against-") as folder:
        tree = Path(folder) / "tree"
        try:
            _git(repository, "worktree", "add", "--detach", str(tree), name)
            yield tree
        finally:
            _forget(repository, tree)


def name_of(repository: Path, commit: str = "HEAD") -> str:
    """Short; `+` where the files differ from the commit that they are on."""
    short = _git(repository, "rev-parse", "--short", "--verify", "--end-of-options", f"{commit}^{{commit}}")
    changed = commit == "HEAD" and _git(repository, "status", "--porcelain", "--untracked-files=no")
    return f"{short}+" if changed else short


def _forget(repository: Path, tree: Path) -> None:
    """Without complaint, because there may be half of it: what git then knows of a folder that is gone, `prune`
    removes.
    """
    command = ["git", "-C", str(repository), "worktree", "remove", "--force", str(tree)]
    subprocess.run(command, capture_output=True, check=False, timeout=_GIT_SECONDS)


def _git(repository: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(repository), *words], capture_output=True, text=True, check=False, timeout=_GIT_SECONDS
    )
    if done.returncode:
        raise NoSuchCommit(done.stderr.strip())
    return done.stdout.strip()
