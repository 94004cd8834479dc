"""A platform that believes the probes: what is broken says so, what is mended takes traffic again, and nothing is restarted in vain or lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from chassis.bus.broker import Broker
from chassis.bus.errors import BrokerUnavailable
from chassis.message import OutMessage
from embedded.nats_config import OPERATOR
from embedded.plan import Plan
from embedded.up import prepare
from tests.support.disk import SmallDisk
from tests.support.eventually import eventually
from tests.support.supervisor import FORMS, Sender, Supervisor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

LINE = ("nats", "watchdog", "identity", "scoring", "gateway")


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Where the stores are; SQLite's on the disk of the suite, PostgreSQL's elsewhere."""
    if request.param == "sqlite":
        return {}
    make: Callable[[], str] = request.getfixturevalue("postgres_databases")
    return {f"{name.upper()}_DATABASE_URL": make() for name in ("identity", "scoring", "gateway")}


async def everything_arrived_once(plan: Plan, sender: Sender) -> None:
    """Each acknowledged message is in the person's timeline, and none is in it twice."""

    async def all_there() -> None:
        seen = Counter(await timeline(plan, sender.user_id))
        assert set(sender.acknowledged) - set(seen) == set()
        assert [message for message, times in seen.items() if times > 1] == []

    await eventually(all_there, within=30)


async def timeline(plan: Plan, user_id: str) -> list[str]:
    """The message ids of all that a person did."""
    found: list[str] = []
    async with httpx.AsyncClient(base_url=plan.url, headers={"authorization": f"Bearer {plan.secrets.api_key}"}, timeout=10) as client:
        people = (await client.get("/v1/people", params={"user_id": user_id})).json()["items"]
        assert len(people) == 1
        cursor: str | None = ""
        while cursor is not None:
            page = await client.get(f"/v1/people/{people[0]['person_id']}/timeline", params={"limit": "200"} | ({"cursor": cursor} if cursor else {}))
            assert page.status_code == 200, page.text
            found += [item["message_id"] for item in page.json()["items"]]
            cursor = page.json()["next_cursor"]
    return found


async def freeze(plan: Plan, disk: SmallDisk) -> None:
    """Fill the disk, and see to it that CAPTURE was written to while it was full, before anybody could notice: it goes on refusing then."""
    outsider = await Broker.connect(plan.nats_url(OPERATOR), "outsider", answer_seconds=1.0)
    try:
        while True:
            disk.fill()
            await outsider.publish_batch([OutMessage("capture.unheard", {}, b"x" * 1000)])
    except BrokerUnavailable:
        await outsider.close()


async def test_a_disk_that_was_full_is_noticed_and_captures_come_back_by_themselves(small_disk: SmallDisk, stores: Mapping[str, str]) -> None:
    plan = prepare(small_disk.path / "var", 0, detached=True)
    async with Supervisor(plan, small_disk.path.parent / "log", processes=LINE, environment=stores) as platform:
        await platform.until_ready(within=60)
        sender = Sender(platform)
        async with sender.sending(captures_a_second=20, forms_a_second=2):
            await eventually(lambda: len(sender.captures) > 20 and len(sender.forms) > 2, within=20)
            await freeze(plan, small_disk)
            for process in LINE[2:]:
                assert "no space left" in await platform.until_unready(process, within=30)
            stored = len(sender.captures)
            small_disk.make_room()
            await eventually(lambda: len(sender.captures) > stored, within=40)  # 3 s on a machine that is not loaded
            await platform.until_ready(within=40)
            await eventually(lambda: len(sender.captures) > stored + 20, within=20)
        await everything_arrived_once(plan, sender)
    assert {process: platform.story(process)[-3:] for process in LINE[2:]} == {process: [True, False, True] for process in LINE[2:]}
    assert [restart.process for restart in platform.restarts] == ["nats"], platform.restarts


async def test_what_starts_without_nats_serves_what_it_can_and_works_when_nats_is_there(tmp_path: Path, stores: Mapping[str, str]) -> None:
    plan = prepare(tmp_path / "var", 0, detached=True)
    async with Supervisor(plan, tmp_path / "log", processes=LINE, environment=stores) as platform:
        await platform.until_ready(within=60)
        sender = Sender(platform)
        async with sender.sending(captures_a_second=20, forms_a_second=0):
            await eventually(lambda: len(sender.captures) > 5, within=20)
        await everything_arrived_once(plan, sender)

        platform.hold("nats")
        for process in LINE[2:]:
            platform.kill(process)
        await eventually(lambda: len(platform.restarts) == 3, within=20)
        await eventually(lambda: all("not connected to NATS" in platform.why_not(process) for process in LINE[2:]), within=30)
        await eventually(lambda: platform.is_ready("gateway", FORMS), within=30)
        assert set(sender.captures) <= set(await timeline(plan, sender.user_id))
        await captures_and_alerts_wait(plan)
        async with sender.sending(captures_a_second=20, forms_a_second=10):
            await eventually(lambda: len(sender.forms) > 10, within=20)
        assert sender.refused == 0, "a load balancer that believes the probes sent what could not be kept"

        platform.start("nats")
        await platform.until_ready(within=30)
        async with sender.sending(captures_a_second=20, forms_a_second=0):
            before = len(sender.captures)
            await eventually(lambda: len(sender.captures) > before, within=20)
        await everything_arrived_once(plan, sender)
        assert len(platform.restarts) == 3, platform.restarts


async def captures_and_alerts_wait(plan: Plan) -> None:
    """Who sends a capture, or listens for alerts, hears that it is worth trying again."""
    async with httpx.AsyncClient(base_url=plan.url, timeout=10) as client:
        refused = [
            await client.post("/v1/track", json={"userId": "nobody", "event": "Looked"}, auth=(plan.secrets.write_key, "")),
            await client.get("/v1/alerts/stream?rep_id=rep_1", headers={"authorization": f"Bearer {plan.secrets.api_key}"}),
            await client.get("/v1/alerts/stream?rep_id=rep_1&since=all", headers={"authorization": f"Bearer {plan.secrets.api_key}"}),
            await client.get("/v1/sources/src_default/tail", headers={"authorization": f"Bearer {plan.secrets.api_key}"}),
        ]
    assert [(answer.status_code, "retry-after" in answer.headers) for answer in refused] == [(503, True)] * len(refused)
