"""Programs that are no Python packages: a test that needs one is skipped without it, or fails where it is wanted."""

from __future__ import annotations

import os
import shutil
from typing import Final, NoReturn

import pytest

MUST_HAVE: Final = "RAPPORT_TEST_MUST_HAVE"
"""Names of programs, separated by blanks, without which tests fail instead of being skipped, as in continuous
integration; `all` for every one.
"""


def tool(program: str, remedy: str) -> str:
    """Where `program` is. Skips the test, or fails it where the program must be there, with what to do about it."""
    found = shutil.which(program)
    if found is None:
        missing(f"{program} is not on this machine: {remedy}", program)
    return found


def missing(reason: str, program: str = "") -> NoReturn:
    """Skip, or fail where `program` must be there."""
    wanted = os.environ.get(MUST_HAVE, "").split()
    if program in wanted or "all" in wanted:
        pytest.fail(reason)
    pytest.skip(reason)
