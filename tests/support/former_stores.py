"""Stores as an earlier version left them, so that a test can see what a migration makes of the rows that are there."""

from __future__ import annotations

import shutil
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

from chassis.store.migrate import migrate


async def migrate_until(url: str, package: str, last: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Brings the store at `url` to the revision `last` (as "0001") of `package`, and no further; `folder` is free to be
    written to.
    """
    versions = Path(str(import_module(package).__path__[0])) / "versions"
    former = folder / f"former_{package.replace('.', '_')}"
    (former / "versions").mkdir(parents=True)
    (former / "__init__.py").write_text("")
    for version in sorted(versions.glob("*.py")):
        if version.name[: len(last)] <= last:
            shutil.copy(version, former / "versions")
    patch.syspath_prepend(str(folder))
    invalidate_caches()
    await migrate(url, former.name)
