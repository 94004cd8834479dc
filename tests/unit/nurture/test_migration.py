"""What was shown before counts as often as it was shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text

from chassis.store.database import Database
from chassis.store.migrate import migrate
from services.nurture.store.tables import SHOWN
from tests.support.former_stores import migrate_until


async def test_what_was_shown_before_is_counted(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate_until(store_url, "services.nurture.migrations", "0001", tmp_path, monkeypatch)
    async with Database(store_url) as database:
        async with database.begin() as session:
            for number, treatment in enumerate(("trt_a", "trt_a", "trt_b")):
                moment = f"'2026-03-0{number + 1} 09:00:00.000000'" + ("" if database.dialect == "sqlite" else "::timestamptz")
                await session.execute(text(f"INSERT INTO showing VALUES ('sel_{number}', '{treatment}', 'frg_1', {moment}, FALSE)"))
        await migrate(store_url, "services.nurture.migrations")
        async with database.read() as session:
            rows = await session.execute(select(SHOWN).order_by(SHOWN.c.treatment_id))
            assert [(row.fragment_id, row.treatment_id, row.times, row.last_at.day) for row in rows] == [
                ("frg_1", "trt_a", 2, 2),
                ("frg_1", "trt_b", 1, 3),
            ]
