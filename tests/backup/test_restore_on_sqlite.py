"""What was backed up while everything moved comes back as it was at one moment, and goes on. Stores are SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backup.story import Story

pytestmark = [pytest.mark.slow, pytest.mark.timeout(720)]


async def test_a_back_up_taken_under_load_comes_back_as_it_was_at_one_moment_and_goes_on(tmp_path: Path) -> None:
    story = Story(tmp_path, dict)
    await story.play()
