"""A broker that refuses one event, or everything, or is not there."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

from chassis.bus.errors import BrokerUnavailable
from chassis.bus.streams import stream_config
from chassis.message import OutMessage
from deployment.nats_config import OPERATOR
from embedded.plan import SERVICES
from tests.support.disk import SmallDisk
from tests.support.eventually import eventually
from tests.support.hostile_requests import many_traits
from tests.support.installation import Installation
from tests.support.sender import Sender
from tests.support.suite import ROOT
from tests.support.supervisor import FORMS

LINE = (*SERVICES, "gateway")
LATECOMERS = ("identity", "scoring", "routing", "gateway")
SMALL_BYTES = 20_000


async def an_event_that_the_broker_refuses(here: Installation) -> None:
    """One large event of identity is set aside and noted, the rest goes on; an operator puts it back when there is room
    for it.
    """
    config = stream_config("IDENTITY", 1)
    async with here.client() as client, here.bus("identity") as bus, here.others("beside the refused"):
        await bus.request("STREAM.UPDATE.IDENTITY", config | {"max_msg_size": SMALL_BYTES})
        bulky = {"userId": "bulky", "messageId": "the bulk of it", "traits": many_traits(900)}
        assert (await client.post("/v1/identify", json=bulky, auth=here.write_key)).status_code == 200
        await here.asks_for_a_demo("bulky")
        await here.asks_for_a_demo("beside-the-bulky")
        await here.everybody_is_referred_once()
        await eventually(
            lambda: here.platform.notes("identity") == ["relay: 1 event was refused by the broker and set aside"],
            within=20,
        )
        [stuck] = await _operate(here.store("identity"), "list")
        assert "message size exceeds maximum allowed" in stuck["reason"]

        await bus.request("STREAM.UPDATE.IDENTITY", config)
        assert await _operate(here.store("identity"), "put-back", "--all") == [{"put_back": stuck["number"]}]
        await eventually(lambda: here.platform.notes("identity") == [], within=20)
        assert await _operate(here.store("identity"), "list") == []
        await eventually(lambda: _is_seen(here, ["demo-bulky", "the bulk of it"]), within=30)
        await here.everybody_is_referred_once()


async def a_full_disk(here: Installation) -> None:
    """Everybody notices; when there is room again captures come back by themselves, with one restart of NATS."""
    assert here.disk is not None
    platform = here.platform
    async with here.others("before a full disk", forms_a_second=2) as sender:
        await eventually(lambda: len(sender.captures) > 20 and len(sender.forms) > 2, within=20)
        await _freeze(here, here.disk)
        for process in LINE:
            assert "no space left" in await platform.until_unready(process, within=30)
        stored = len(sender.captures)
        here.disk.make_room()
        await eventually(lambda: len(sender.captures) > stored, within=40)  # 3 s on a machine that is not loaded
        await platform.until_ready(within=40)
        await here.asks_for_a_demo("after-the-full-disk")
        await here.everybody_is_referred_once()


async def no_nats_at_the_start(here: Installation) -> None:
    """What starts without NATS serves what it can, and works when NATS is there."""
    platform, sender = here.platform, Sender(here.platform, "without nats")
    async with sender.sending(captures_a_second=20, forms_a_second=0):
        await eventually(lambda: len(sender.captures) > 5, within=20)
    await here.arrived_once(sender)

    platform.hold("nats")
    for process in LATECOMERS:
        platform.kill(process)
    await eventually(lambda: all("not connected to NATS" in platform.why_not(process) for process in LINE), within=40)
    await eventually(lambda: platform.is_ready("gateway", FORMS), within=30)
    assert set(sender.captures) <= set(await here.timeline(sender.user_id))
    await _captures_and_alerts_wait(here)
    async with sender.sending(captures_a_second=20, forms_a_second=10):
        await eventually(lambda: len(sender.forms) > 10, within=20)
    assert sender.refused == 0, "a load balancer that believes the probes sent what could not be kept"

    platform.start("nats")
    await platform.until_ready(within=40)
    async with here.others("with nats"):
        await here.asks_for_a_demo("after-nats-came")
        await here.everybody_is_referred_once()
    await here.arrived_once(sender)


async def _freeze(here: Installation, disk: SmallDisk) -> None:
    """Fill the disk, and see to it that CAPTURE was written to while it was full, before anybody could notice: it goes
    on refusing then.
    """
    async with here.bus(OPERATOR) as outsider:
        try:
            while True:
                disk.fill()
                await outsider.publish_batch([OutMessage("capture.unheard", {}, b"x" * 1000)])
        except BrokerUnavailable:
            return


async def _captures_and_alerts_wait(here: Installation) -> None:
    """Who sends a capture, or listens for alerts, hears that it is worth trying again."""
    async with here.client() as client:
        refused = [
            await client.post("/v1/track", json={"userId": "nobody", "event": "Looked"}, auth=here.write_key),
            await client.get("/v1/alerts/stream?rep_id=rep_1"),
            await client.get("/v1/alerts/stream?rep_id=rep_1&since=all"),
            await client.get("/v1/sources/src_default/tail"),
        ]
    assert [(answer.status_code, "retry-after" in answer.headers) for answer in refused] == [(503, True)] * len(refused)


async def _is_seen(here: Installation, message_ids: list[str]) -> bool:
    return sorted(await here.timeline("bulky")) == sorted(message_ids)


async def _operate(store: str, *words: str) -> list[dict[str, Any]]:
    """The operator's command, against the store of a service that runs."""
    command = [sys.executable, "-m", "chassis.store.stuck", "--url", store, *words]
    ended = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]
