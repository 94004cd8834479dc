"""What was backed up while everything moved comes back as it was at one moment, and goes on. Stores are PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployment.catalogue import PROCESSES
from tests.backup.story import Story
from tests.support.postgres import databases

pytestmark = [pytest.mark.slow, pytest.mark.platform, pytest.mark.timeout(720)]


async def test_a_back_up_taken_under_load_comes_back_as_it_was_at_one_moment_and_goes_on(
    tmp_path: Path, postgres_admin_url: str
) -> None:
    with databases(postgres_admin_url) as make:
        story = Story(tmp_path, lambda: {f"{process.prefix}DATABASE_URL": make() for process in PROCESSES})
        await story.play()
