"""What was open before is counted for its rep."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text

from chassis.store.database import Database
from chassis.store.migrate import migrate
from services.routing.store.tables import LOAD
from tests.support.former_stores import migrate_until

_REP = (
    "INSERT INTO rep (rep_id, name, weight, teams, is_active, created_at, changed_at) VALUES (:rep, :rep, 1, '[]',"
    " TRUE, :now, :now)"
)
_REFERRAL = (
    "INSERT INTO referral (referral_id, fragment_id, person_id, graph_version, stage, state, rep_id, attempt, asked,"
    " card, ground, move, created_at, is_overdue, is_settled, is_test, takes_room) VALUES (:id, 'frg_1', 'per_1', 1,"
    " 'mql', 'accepted', :rep, 1, '[]', '{}', '{}', '{}', :now, FALSE, FALSE, FALSE, :room)"
)


async def test_what_is_open_when_the_store_is_brought_up_to_date_is_counted(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_until(store_url, "services.routing.migrations", "0001", tmp_path, monkeypatch)
    async with Database(store_url) as database:
        async with database.begin() as session:
            now = "2026-03-02 09:00:00.000000" if database.dialect == "sqlite" else None
            moment = ":now" if now else "now()"
            for rep in ("rep_a", "rep_b"):
                await session.execute(text(_REP.replace(":now", moment)), {"rep": rep} | ({"now": now} if now else {}))
            for number, room in enumerate((True, True, False)):
                values = {"id": f"ref_{number}", "rep": "rep_a", "room": room} | ({"now": now} if now else {})
                await session.execute(text(_REFERRAL.replace(":now", moment)), values)
        await migrate(store_url, "services.routing.migrations")
        async with database.read() as session:
            assert {row.rep_id: row.number for row in await session.execute(select(LOAD))} == {"rep_a": 2, "rep_b": 0}
