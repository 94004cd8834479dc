"""Programs that are no Python packages: a test that needs one is skipped without it, or fails where all are wanted."""

from __future__ import annotations

import os
import shutil
from typing import Final, NoReturn

import pytest

EVERYTHING: Final = "RAPPORT_TEST_EVERYTHING"
"""Set where nothing may be skipped for want of a program, as in continuous integration."""


def tool(program: str, remedy: str) -> str:
    """Where `program` is. Skips the test, or fails it when EVERYTHING is set, with what to do about it."""
    found = shutil.which(program)
    if found is None:
        missing(f"{program} is not on this machine: {remedy}")
    return found


def missing(reason: str) -> NoReturn:
    """Skip, or fail where everything must be tried."""
    if os.environ.get(EVERYTHING):
        pytest.fail(reason)
    pytest.skip(reason)
