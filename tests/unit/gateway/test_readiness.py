"""Two kinds of readiness: captures need NATS, forms need NATS or this gateway's own disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest_asyncio

from chassis.progress import Progress
from gateway.readiness import DoorWork
from tests.support.disk import SmallDisk
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.unit.gateway.running import Door, gateway_settings, open_door


@pytest_asyncio.fixture
async def early(tmp_path: Path) -> AsyncIterator[tuple[Door, NatsServer]]:
    """A gateway that started before its NATS."""
    server = NatsServer()
    async with open_door(gateway_settings(server.url, tmp_path / "g.db", drain_seconds=0.2), joined=False) as door:
        yield door, server
    server.stop()


async def readiness(door: Door) -> tuple[int, int]:
    """What /readyz and /readyz/forms answer, which is the same as /readyz/traffic."""
    forms = (await door.client.get("/readyz/forms")).status_code
    assert (await door.client.get("/readyz/traffic")).status_code == forms
    return (await door.client.get("/readyz")).status_code, forms


async def test_strangers_learn_whether_and_not_why(early: tuple[Door, NatsServer]) -> None:
    """Words of drivers and servers name addresses, users and versions."""
    door, _ = early

    async def why_not() -> str:
        return "password authentication failed for user gateway at 10.0.0.7"

    assert (await door.client.get("/readyz/traffic")).json() == {"status": "ready"}
    door.runtime.why_no_traffic = why_not
    for path in ("/readyz", "/readyz/traffic", "/readyz/forms"):
        answer = await door.client.get(path)
        assert (answer.status_code, answer.json()) == (503, {"status": "not ready"}), path
        assert answer.headers["retry-after"] == "1"


async def test_the_public_port_tells_no_metrics(door: Door) -> None:
    assert (await door.client.get("/metrics")).status_code == 404


async def test_a_gateway_that_starts_without_nats_keeps_forms_and_makes_captures_wait(
    early: tuple[Door, NatsServer],
) -> None:
    door, server = early
    assert await readiness(door) == (503, 200)
    posted = await door.client.post("/v1/forms/default", data={"email": "early@b.co"})
    assert posted.status_code == 202
    refused = await door.send("/v1/track", {"event": "e", "userId": "u"})
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    assert (await door.api("GET", "/v1/sources")).status_code == 200
    for path in ("/v1/alerts/stream?rep_id=rep_1&since=all", "/v1/sources/src_default/tail"):
        assert (await door.api("GET", path)).status_code == 503, path

    server.start()

    async def both() -> bool:
        return await readiness(door) == (200, 200)

    await eventually(both, within=15)
    assert (await door.send("/v1/track", {"event": "e", "userId": "u"})).status_code == 200

    async def all_there() -> bool:
        return sorted(event.identifiers[0].value for event in await door.captured()) == ["early@b.co", "u"]

    await eventually(all_there, within=15)


async def test_forms_that_no_disk_would_keep_are_not_asked_for(nats_server: NatsServer, small_disk: SmallDisk) -> None:
    settings = gateway_settings(nats_server.url, small_disk.path / "g.db", drain_seconds=0.2)
    async with open_door(settings) as door:
        small_disk.fill()
        assert (await door.client.get("/readyz/forms")).status_code == 200, "NATS has another disk, and takes them"
        nats_server.kill()

        async def says_no() -> bool:
            while (await door.client.post("/v1/forms/default", data={"email": "a@b.co"})).status_code == 202:
                small_disk.fill()  # what the store's own files had left is used up
            return (await door.client.get("/readyz/forms")).status_code == 503

        await eventually(says_no, within=20)
        assert (await door.client.get("/healthz")).status_code == 200
        small_disk.make_room()

        async def says_yes() -> bool:
            return (await door.client.get("/readyz/forms")).status_code == 200

        await eventually(says_yes, within=10)
        assert (await door.client.post("/v1/forms/default", data={"email": "late@b.co"})).status_code == 202


async def test_a_gateway_that_stops_wants_no_forms(door: Door) -> None:
    door.runtime.is_stopping = True
    assert await readiness(door) == (503, 503)


async def test_captures_that_are_never_stored_and_a_line_that_is_away_are_told_after_a_while(door: Door) -> None:
    captures, alerts = SimpleNamespace(stuck_seconds=0.0), SimpleNamespace(is_connected=True)
    work = DoorWork(door.runtime, captures, alerts)  # type: ignore[arg-type]  # as much of them as it looks at
    assert await work.findings() == []
    captures.stuck_seconds = door.runtime.settings.stuck_seconds + 1
    assert [finding.part for finding in await work.findings()] == ["captures"]
    captures.stuck_seconds, alerts.is_connected = 0.0, False
    assert await work.findings() == [], "it may come back at once"
    impatient = DoorWork(door.runtime, captures, alerts)  # type: ignore[arg-type]
    now = iter((0.0, door.runtime.settings.stuck_seconds + 1))
    impatient._unheard = Progress(lambda: next(now))
    assert [finding.part for finding in await impatient.findings()] == ["alerts"]
