"""Whatever is kept has a bound, or is a fact; and the page that says so knows all of it."""

from __future__ import annotations

import importlib
import re
import sqlite3
from pathlib import Path

from backup.streams import STREAMS
from chassis.bus.broker import Broker
from chassis.bus.streams import ALERTS, DEAD, KEPT_DAYS, stream_config
from chassis.store.database import Database
from chassis.store.migrate import migrate
from chassis.store.tables import METADATA
from contracts import limits
from deployment.catalogue import PROCESSES
from gateway.domain.webhooks import limits as webhook_limits
from tests.support.nats import NatsServer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "retention.md"
ROW = re.compile(r"^\| `(?P<what>[\w.]+)` \| (?P<kind>fact|view|bounded) \| [^|]+ \| [^|]+ \|", re.M)
DAY = 86_400 * 10**9


def told() -> dict[str, str]:
    return {found["what"]: found["kind"] for found in ROW.finditer(PAGE.read_text())}


def tables() -> set[str]:
    found = {f"every.{table}" for table in METADATA.tables}
    for process in PROCESSES:
        room = "store" if process.name == "gateway" else "store.tables"
        module = importlib.import_module(f"{process.folder.replace('/', '.')}.{room}")
        importlib.import_module(f"{process.folder.replace('/', '.')}.main")  # tables that stand beside their room
        found |= {f"{process.name}.{table}" for table in module.Table.metadata.tables}
    return found


def test_the_page_names_every_table_and_every_stream_and_nothing_else() -> None:
    assert {name for name in told() if "." in name} == tables()
    assert {name for name in told() if "." not in name} == set(STREAMS)


def test_what_is_kept_for_ever_is_a_fact_and_the_rest_goes_when_the_page_says() -> None:
    for name in STREAMS:
        days = KEPT_DAYS.get(name, 0)
        assert stream_config(name, 1)["max_age"] == days * DAY
        assert told()[name] == ("bounded" if days else "fact"), name
        assert stream_config(name, 1)["discard"] == "new"


def test_the_page_states_the_limits_that_the_code_has() -> None:
    page = PAGE.read_text()
    for said in (
        f"{limits.INBOX_SEQUENCES:,} messages",
        f"{limits.INBOX_DAYS} days",
        f"{limits.REFUSED_EVENTS:,} rows",
        f"{limits.REJECTS:,} of each source",
        f"{limits.WITHHELD:,} of each source, {limits.WITHHELD_DAYS} days",
        f"{limits.SELECTIONS} of a fragment",
        f"{webhook_limits.WEBHOOK_WINDOW} in hand of each webhook",
        f"{webhook_limits.WEBHOOK_LOG:,} settled of each webhook, {webhook_limits.WEBHOOK_LOG_DAYS} days",
        "8 MB",
    ):
        assert said in page, said


async def test_alerts_and_dead_letters_are_kept_as_long_as_was_said_and_facts_for_ever(nats_server: NatsServer) -> None:
    broker = await Broker.connect(nats_server.url, "test")
    try:
        await broker.ensure_streams([ALERTS, DEAD, "CAPTURE"])
        await broker.ensure_streams([ALERTS, DEAD, "CAPTURE"], kept_days={ALERTS: 2, DEAD: 30, "CAPTURE": 1})
        infos = {name: await broker.request(f"STREAM.INFO.{name}") for name in (ALERTS, DEAD, "CAPTURE")}
        ages = {name: info["config"]["max_age"] for name, info in infos.items()}
        assert ages == {ALERTS: 2 * DAY, DEAD: 30 * DAY, "CAPTURE": 0}
    finally:
        await broker.close()


async def test_a_log_that_grew_under_a_burst_shrinks_again(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await migrate(f"sqlite:///{path}")
    async with Database(f"sqlite:///{path}") as database:
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM timer").fetchall()
        await _write(database, 40)  # nothing of it can go into the file while somebody reads what was before
        grown = _size(f"{path}-wal")
        reader.execute("ROLLBACK")
        reader.close()
        await _write(database, 2)
        assert grown > 16 << 20
        assert _size(f"{path}-wal") <= 8 << 20


async def _write(database: Database, megabytes: int) -> None:
    from sqlalchemy import text

    for number in range(megabytes):
        async with database.begin() as session:
            await session.execute(
                text("INSERT INTO dead_letter VALUES (:o, 'm', 's', :r, '2026', NULL)"),
                {"o": f"{megabytes}-{number}", "r": "x" * (1 << 20)},
            )


def _size(path: str) -> int:
    return Path(path).stat().st_size
