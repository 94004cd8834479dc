"""All history once more: other lanes, and streams that bring everything again, when the rows of the inboxes are
gone.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused
from deployment.lane_change import durables
from deployment.nats_config import BUS_USERS
from embedded.plan import SERVICES
from embedded.up import prepare
from tests.support.actors import Rep, hire
from tests.support.eventually import eventually
from tests.support.installation import Installation

READERS = [user for user in BUS_USERS if user.hears]


async def other_lanes(here: Installation) -> None:
    """Everything is stopped and started with more lanes, and then with fewer, as if months had gone by between."""
    before = await here.settled()
    for lanes in (4, 2):
        await here.platform.stop()
        await _forget_rows(here)
        plan = here.platform.plan
        here.platform.start_all(await asyncio.to_thread(prepare, plan.var, plan.port, detached=True, lanes=lanes))
        await here.platform.until_ready(within=60)
        await here.is_still(before, f"{lanes} lanes")
        async with here.others(f"on {lanes} lanes"):
            await here.asks_for_a_demo(f"on-{lanes}-lanes")
            await here.everybody_is_referred_once()
        before = await here.settled()


async def a_replay_of_everything(here: Installation) -> None:
    """Somebody has every durable begin at the first message of its stream, under the running services, and no row of an
    inbox is left.
    """
    before = await here.settled()
    await _forget_rows(here)
    skipped = await _duplicates(here)
    heard = 0
    for user in READERS:
        async with here.bus(user.name) as bus:
            for stream in user.hears:
                for durable in durables(user, here.platform.plan.lanes):
                    heard += await _begin_anew(bus, stream.upper(), durable)
    await eventually(lambda: _all_came_again(here, skipped + heard), within=60)
    await here.is_still(before)
    async with here.others("after the replay"):
        await here.asks_for_a_demo("after-the-replay")
        await here.everybody_is_referred_once()


async def be_made(here: Installation) -> None:
    """A past to be kept: somebody waits for a rep, somebody bought, two people turned out to be one."""
    reps = {rep.rep_id: rep for rep in [await hire(here.suite, name) for name in ("Ana Ruiz", "Bo Lind")]}
    for name in ("waiting", "buyer", "alias-one", "alias-two"):
        await here.asks_for_a_demo(name)
    await here.everybody_is_referred_once()
    async with here.client() as office:
        person_id = await here.person(office, "buyer")
        asked = "SELECT referral_id, rep_id FROM referral WHERE person_id = :person_id"
        [(referral_id, rep_id)] = await here.rows("routing", asked, person_id=person_id)
        await _buys(here, reps[rep_id], person_id, referral_id)
        order = {"with_person_id": await here.person(office, "alias-two"), "reason": "met at the fair"}
        merged = await office.post(f"/v1/people/{await here.person(office, 'alias-one')}:merge", json=order)
        assert merged.status_code == 200, merged.text
    await here.settled()


async def _buys(here: Installation, rep: Rep, person_id: str, referral_id: str) -> None:
    await rep.does("POST", f"/v1/referrals/{referral_id}:accept", {"note": "Calls today."})
    await _stage_becomes(here, person_id, "sal")
    await rep.does("POST", f"/v1/lifecycle/people/{person_id}:qualify", {"note": "Budget and date are clear."})
    deal = {"person_id": person_id, "name": "40 seats", "amount": {"amount": "12000", "currency": "EUR"}}
    opportunity = await rep.does("POST", "/v1/opportunities", deal)
    await rep.does(
        "POST",
        f"/v1/opportunities/{opportunity['opportunity_id']}:win",
        {"amount": {"amount": "12500.00", "currency": "EUR"}},
    )
    await _stage_becomes(here, person_id, "customer")


async def _stage_becomes(here: Installation, person_id: str, stage: str) -> None:
    async def is_there() -> bool:
        return (stage,) in await here.rows(
            "lifecycle", "SELECT stage FROM current_stage WHERE person_id = :person_id", person_id=person_id
        )

    await eventually(is_there, within=20)


async def _begin_anew(bus: Broker, stream: str, durable: str) -> int:
    """Replace the durable by one that hears everything; how much that is.

    The service may be quicker with one of its own.
    """
    address = f"{stream}.{durable}"
    config = (await bus.request(f"CONSUMER.INFO.{address}"))["config"]
    whole = {name: value for name, value in config.items() if name not in ("opt_start_seq", "opt_start_time")} | {
        "deliver_policy": "all"
    }

    async def is_replaced() -> bool:
        try:
            with suppress(ApiRefused):  # it is gone, and the service has not made another yet
                await bus.request(f"CONSUMER.DELETE.{address}")
            await bus.request(f"CONSUMER.CREATE.{address}", {"stream_name": stream, "action": "", "config": whole})
        except ApiRefused:
            return False
        return True

    await eventually(is_replaced, within=10)
    info = await bus.request(f"CONSUMER.INFO.{address}")
    return int(info["num_pending"]) + int(info["delivered"]["consumer_seq"])


async def _all_came_again(here: Installation, number: int) -> bool:
    seen = await _duplicates(here)
    assert seen >= number, f"{seen} of {number} were skipped"
    return True


async def _duplicates(here: Installation) -> int:
    """How many messages the services were brought again, and skipped."""
    urls = [
        url.replace("/readyz", "/metrics") for name, url in here.platform.plan.ready_urls().items() if name in SERVICES
    ]
    async with httpx.AsyncClient(timeout=40) as client:
        pages = [(await client.get(url)).text for url in urls]
    lines = [line for page in pages for line in page.splitlines() if line.startswith("rapport_duplicates_total{")]
    return int(sum(float(line.rpartition(" ")[2]) for line in lines))


async def _forget_rows(here: Installation) -> None:
    """As after months: nothing stands but the floors."""
    for service in SERVICES:
        await here.change(service, "DELETE FROM inbox")
