"""Ready means that work moves: a pure judgement, and real processes asked over HTTP while something in them stands
still.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from chassis.bus.broker import Broker
from chassis.bus.starvation import withheld
from chassis.bus.streams import stream_config
from chassis.message import OutMessage
from chassis.progress import Progress
from chassis.readiness import Facts, Finding, Kept, Work, judge
from chassis.store import outbox
from chassis.version import VERSION
from tests.chassis.app.bus_words import a_signal, stored
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.support.service import PUBLIC_KEY, RunningService

STUCK = 15.0


def told(facts: Facts) -> list[tuple[str, bool]]:
    return [(finding.part, finding.is_note) for finding in judge(facts, STUCK)]


def test_when_all_is_well_nothing_is_told() -> None:
    assert (
        judge(
            Facts(kept=Kept(), works=[Work("relay", "ECHO"), Work("lane SIGNAL/0", "..."), Work("timers", "...")]),
            STUCK,
        )
        == []
    )


def test_what_stands_still_is_told_once_it_takes_longer_than_a_retry_that_helps() -> None:
    lane = [Work("lane SIGNAL/0", "the same messages have been tried", 14.9, "ConnectionError: no")]
    assert judge(Facts(kept=Kept(), works=lane), STUCK) == []
    lane = [Work("lane SIGNAL/0", "the same messages have been tried", 15.1, "ConnectionError: no")]
    (finding,) = judge(Facts(kept=Kept(), works=lane), STUCK)
    assert str(finding) == "lane SIGNAL/0: the same messages have been tried for 15 s: ConnectionError: no"


def test_the_relay_tells_how_much_waits_and_since_when() -> None:
    works = [Work("relay", "ECHO", 41.6, "BrokerUnavailable: maximum bytes exceeded")]
    (finding,) = judge(Facts(kept=Kept(waiting=7, oldest_seconds=42.3), works=works), STUCK)
    assert (
        str(finding)
        == "relay: 7 events wait, the oldest for 42 s; ECHO has taken none for 42 s: BrokerUnavailable: maximum bytes"
        " exceeded"
    )


def test_an_old_backlog_that_moves_is_ready() -> None:
    assert told(Facts(kept=Kept(waiting=10_000, oldest_seconds=86_400.0), works=[Work("relay", "ECHO", 0.2)])) == []


def test_what_was_set_aside_is_noted_and_stops_nothing() -> None:
    assert told(Facts(kept=Kept(refused=2, failing=[("fade", 3)]))) == [("relay", True), ("timers", True)]


def test_what_is_missing_is_named_by_part() -> None:
    facts = Facts(
        store_error="gone", nats_error="no space left", works=[Work("lane A/0", "", is_reading=False)], is_stopping=True
    )
    assert told(facts) == [("store", False), ("nats", False), ("lane A/0", False), ("stopping", False)]


def test_what_a_service_finds_is_told_as_it_says() -> None:
    assert (
        judge(Facts(kept=Kept(), found=[Finding("rulebook", "x does not compile", "Activate another")]), STUCK)[
            0
        ].remedy
        == "Activate another"
    )


def test_errors_are_told_short_and_without_personal_data() -> None:
    (finding,) = judge(
        Facts(kept=Kept(), works=[Work("timers", "late", 99.0, "ValueError: jane@example.com " + "x" * 5000)]), STUCK
    )
    assert "jane" not in finding.says
    assert len(finding.says) < 400


def test_progress_counts_from_the_first_work_that_did_not_get_done() -> None:
    now = [0.0]
    progress = Progress(lambda: now[0])
    now[0] = 5.0
    assert progress.stuck_seconds == 0
    progress.begin()
    now[0] = 8.0
    progress.fail(ValueError("no"))
    progress.begin()
    now[0] = 9.0
    assert (progress.stuck_seconds, progress.last_error) == (4.0, "ValueError: no")
    progress.advance()
    now[0] = 10.0
    assert (progress.stuck_seconds, progress.last_error) == (1.0, "")
    progress.rest()
    assert progress.stuck_seconds == 0


async def test_a_failing_timer_is_noted_and_counted_and_the_service_stays_ready(
    service: RunningService, outside: Broker
) -> None:
    await outside.publish_batch([a_signal("later stumble"), a_signal("later on")])

    async def noted() -> dict[str, Any]:
        answer = await service.client.get("/readyz")
        assert answer.status_code == 200
        (note,) = answer.json()["notes"]
        return dict(note)

    note = await eventually(lambda: as_yet(noted), within=20)
    assert (note["field"], note["reason"]) == ("timers", "handlers keep failing on 1 recall")
    assert "rapport_timers_failing{" in (await service.client.get("/metrics")).text


async def as_yet(probe: Any) -> Any:
    try:
        return await probe()
    except (KeyError, ValueError) as error:
        raise AssertionError(str(error)) from error


async def test_a_refused_event_is_noted_and_counted_and_the_service_stays_ready(
    service: RunningService, outside: Broker
) -> None:
    await outside.request("STREAM.UPDATE.ECHO", stream_config("ECHO", 1) | {"max_msg_size": 10_000})
    async with service.runtime.database.begin() as session:
        await outbox.append(session, [("evt_1", OutMessage("echo.signal.echoed.v1.0", {}, b"x" * 20_000))])

    async def noted() -> bool:
        answer = await service.client.get("/readyz")
        return answer.status_code == 200 and [note["field"] for note in answer.json().get("notes", ())] == ["relay"]

    await eventually(noted, within=10)
    assert "rapport_outbox_refused_events{" in (metrics := (await service.client.get("/metrics")).text)
    assert 'rapport_outbox_refused_events{service="echo"} 1.0' in metrics


@pytest_asyncio.fixture
async def process(store_url: str, nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    """The miniature service as a process that loses patience after a second."""
    environment = {
        "ECHO_DATABASE_URL": store_url,
        "ECHO_NATS_URL": nats_server.url,
        "ECHO_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "ECHO_STUCK_SECONDS": "1",
        "ECHO_FUSES": str(tmp_path),
    }
    async with ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log") as process:
        yield process


async def named(client: httpx.AsyncClient) -> dict[str, str]:
    """What /readyz says is missing, by part."""
    answer = await client.get("/readyz")
    return {error["field"]: error["reason"] for error in answer.json().get("errors", ())}


async def is_named(client: httpx.AsyncClient, part: str) -> str:
    return (await named(client)).get(part, "")


async def is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == 200


@pytest.mark.slow
async def test_a_relay_that_gets_rid_of_nothing_is_named_until_it_does(
    process: ServiceProcess, outside: Broker
) -> None:
    async with process.client() as client:
        await outside.request("STREAM.UPDATE.ECHO", stream_config("ECHO", 1) | {"max_bytes": 1})
        assert (await client.post("/v1/echoes", json={"text": "kept"})).status_code == 201
        reason = await eventually(lambda: is_named(client, "relay"), within=15)
        assert "1 event waits" in reason
        assert "maximum bytes exceeded" in reason
        await outside.request("STREAM.UPDATE.ECHO", stream_config("ECHO", 1))
        await eventually(lambda: is_ready(client), within=15)


ON_ONE_STORE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""Which kind it is has no part in the story."""


@pytest.mark.slow
@ON_ONE_STORE
async def test_a_lane_that_gets_nowhere_is_named(process: ServiceProcess, outside: Broker) -> None:
    async with process.client() as client:
        assert await is_ready(client)
        await outside.publish_batch([a_signal("hold on")])
        assert "the same messages" in await eventually(lambda: is_named(client, "lane SIGNAL/0"), within=15)
        assert (await client.get("/healthz")).status_code == 200
        process.kill()
        await process.start()
        await eventually(lambda: is_ready(client), within=15)


@pytest.mark.slow
@ON_ONE_STORE
async def test_a_lane_that_is_given_nothing_is_named(process: ServiceProcess, outside: Broker) -> None:
    async with process.client() as client:
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat().replace("+00:00", "Z")
        assert (await outside.request("CONSUMER.PAUSE.SIGNAL.echo", {"pause_until": tomorrow}))["paused"]
        await outside.publish_batch([a_signal("held back")])
        reason = await eventually(lambda: is_named(client, "lane SIGNAL/0"), within=30)
        assert reason.startswith("nothing has been delivered")
        assert "1 message waits in the stream, and the durable is paused" in reason
        await outside.request("CONSUMER.PAUSE.SIGNAL.echo", {})
        await eventually(lambda: is_ready(client), within=30)
        await eventually(lambda: said(outside), within=15)


async def said(outside: Broker) -> bool:
    return len(await stored(outside, "ECHO")) == 1


@pytest.mark.parametrize(
    ("pending", "pinned", "paused", "reason"),
    [
        (0, "me", False, ""),
        (1, "me", False, "1 message waits in the stream"),
        (7, None, False, "7 messages wait in the stream"),
        (7, "me", True, "7 messages wait in the stream, and the durable is paused"),
        (7, "another", False, ""),  # who stands by is given nothing
    ],
)
def test_nothing_is_withheld_from_whoever_is_not_served(
    pending: int, pinned: str | None, paused: bool, reason: str
) -> None:
    group = {"group": "lane"} | ({"pinned_client_id": pinned} if pinned else {})
    assert withheld({"num_pending": pending, "priority_groups": [group], "paused": paused}, "me") == reason


@pytest.mark.slow
async def test_timers_that_do_not_fire_are_named(process: ServiceProcess, outside: Broker) -> None:
    async with process.client() as client:
        await outside.publish_batch([a_signal("later hold")])
        assert "what is due has not been fired" in await eventually(lambda: is_named(client, "timers"), within=15)
        process.kill()
        await process.start()
        await eventually(lambda: is_ready(client), within=15)


@pytest.mark.slow
async def test_a_store_that_hangs_is_named_and_the_answer_does_not_hang(
    process: ServiceProcess, store_url: str, outside: Broker
) -> None:
    async with process.client() as client:
        if store_url.startswith("sqlite"):
            other = sqlite3.connect(store_url.removeprefix("sqlite:///"), isolation_level=None)
            other.execute("BEGIN IMMEDIATE")  # a writer that does not end
            await outside.publish_batch([a_signal("one")])
            await eventually(lambda: is_named(client, "lane SIGNAL/0"), within=15)
            other.close()
        else:
            owner = await asyncpg.connect(store_url)
            await owner.execute("BEGIN; LOCK TABLE timer IN ACCESS EXCLUSIVE MODE")
            assert await is_named(client, "store")  # while the lock is held: the question to the store was given up
            metrics = (await client.get("/metrics")).text
            assert 'rapport_store_ready{service="echo"} 0.0' in metrics
            assert "rapport_outbox_age_seconds{" not in metrics, "what is not known has no sample"
            status = (await client.get("/v1/status")).json()
            assert (status["status"], status["outbox_age_seconds"]) == ("not-ready", None)
            assert status["version"] == VERSION
            await owner.close()
        await eventually(lambda: is_ready(client), within=30)
