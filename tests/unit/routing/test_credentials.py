"""A rep gets a key, comes with a plain client, and reads their own alerts; on the bus as the embedded suite configures
it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import SecretStr

from chassis.bus.broker import Broker
from chassis.bus.callout.claims import Issuer, new_issuer_seed
from chassis.bus.errors import BrokerUnavailable
from chassis.store.database import Database
from chassis.web.auth import Principal
from contracts.limits import GRANTED_SUBSCRIPTIONS
from deployment.nats_accounts import REPS, REVOKER
from deployment.nats_config import NatsPlan, access, static_users
from services.routing.effects.keys import ensure_durable, hash_password, new_key, public_url
from services.routing.main import create_service
from services.routing.settings import RoutingSettings
from services.routing.store import write
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, running, tell, token
from tests.unit.routing.builders import entered, rep_id
from tests.unit.routing.test_service import a_rep, hire, referred

SEED = new_issuer_seed()
PASSWORDS = {name: f"{name}-word" for name in static_users()}
ANA, TOMO = rep_id("Ana Ruiz"), rep_id("Tomo Arai")


@dataclass
class Town:
    """The server, routing at work on it, and lifecycle's own connection."""

    server: NatsServer
    settings: RoutingSettings
    client: httpx.AsyncClient
    lifecycle: Broker

    async def key(self, of: str, **headers: Any) -> dict[str, Any]:
        answer = await self.client.post(f"/v1/reps/{of}/credentials", **headers)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def settings(server: NatsServer, tmp_path: Path) -> RoutingSettings:
    return RoutingSettings(
        database_url=f"sqlite:///{tmp_path / 'routing.db'}",
        nats_url=url(server, "routing"),
        token_public_key=PUBLIC_KEY,
        callout_seed=SecretStr(SEED),
        callout_account=REPS,
        revoker_nats_url=url(server, REVOKER),
    )


def url(server: NatsServer, user: str) -> str:
    return server.url.replace("//", f"//{user}:{PASSWORDS[user]}@")


@asynccontextmanager
async def connected(server: NatsServer, user: str) -> AsyncIterator[Broker]:
    broker = await Broker.connect(url(server, user), user, inbox_prefix=f"_INBOX_{user}", answer_seconds=3.0)
    try:
        yield broker
    finally:
        await broker.close()


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    with NatsServer(access(NatsPlan(0, 0, Path("unused"), PASSWORDS, Issuer(SEED).public_key))) as server:
        chosen = settings(server, tmp_path)
        async with running(create_service(chosen)) as routing, connected(server, "lifecycle") as lifecycle:
            await hire(routing.client, "Ana Ruiz")
            await hire(routing.client, "Tomo Arai", weight=0)
            yield Town(server, chosen, routing.client, lifecycle)


@asynccontextmanager
async def visitor(key: dict[str, Any]) -> AsyncIterator[Client]:
    """A plain client with what the answer says. Raises what it raises when it is refused."""
    client = Client()
    try:
        await client.connect(
            key["nats_url"],
            user=key["user"],
            password=key["password"],
            inbox_prefix=key["inbox_prefix"],
            allow_reconnect=False,
            connect_timeout=10,
            error_cb=silent,
        )
        yield client
    finally:
        await client.close()


async def silent(error: Exception) -> None:
    """What the server complains of on a connection is looked at where it matters."""


async def fetched(client: Client, key: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Alerts, acknowledged."""
    pull = await client.jetstream().pull_subscribe_bind(durable=key["durable"], stream=key["stream"])
    messages = await pull.fetch(number, timeout=10)
    for message in messages:
        await message.ack()
    return [orjson.loads(message.data) for message in messages]


async def is_refused(key: dict[str, Any]) -> bool:
    try:
        async with visitor(key):
            return False
    except (NatsError, TimeoutError):
        return True


async def test_a_rep_reads_the_alerts_that_came_before_and_after_the_key(town: Town) -> None:
    await tell(town.lifecycle, entered(1, at=datetime.now(UTC)))
    first = await referred(town.client, 1)
    key = await town.key(ANA, headers=a_rep("Ana Ruiz"))
    assert (key["user"], key["stream"], key["nats_url"]) == (ANA, "ALERTS", town.server.url)
    async with visitor(key) as client:
        (alert,) = await fetched(client, key, 1)
        assert (alert["referral_id"], alert["kind"]) == (first["referral_id"], "offered")
        await tell(town.lifecycle, entered(2, at=datetime.now(UTC)))
        second = await referred(town.client, 2)
        (alert,) = await fetched(client, key, 1)
        assert alert["referral_id"] == second["referral_id"]


async def test_a_new_key_replaces_the_one_before_and_a_guess_opens_nothing(town: Town) -> None:
    old = await town.key(ANA)
    new = await town.key(ANA)
    assert not await is_refused(new)
    assert await is_refused(old)
    assert await is_refused({**new, "password": "guessed"})
    assert await is_refused({**new, "user": TOMO})


async def test_a_rep_who_left_is_not_let_in_and_gets_no_key(town: Town) -> None:
    key = await town.key(ANA)
    await town.client.patch(f"/v1/reps/{ANA}", json={"is_active": False})
    assert await is_refused(key)
    assert (await town.client.post(f"/v1/reps/{ANA}/credentials")).status_code == 409
    await town.client.patch(f"/v1/reps/{ANA}", json={"is_active": True})
    assert not await is_refused(key)


async def test_a_rep_gets_a_key_for_themselves_and_for_nobody_else(town: Town) -> None:
    assert (await town.client.post(f"/v1/reps/{TOMO}/credentials", headers=a_rep("Ana Ruiz"))).status_code == 403
    marketer = {"authorization": f"Bearer {token(Principal('marketer', frozenset({'marketing'})))}"}
    assert (await town.client.post(f"/v1/reps/{TOMO}/credentials", headers=marketer)).status_code == 403
    assert (await town.client.post("/v1/reps/rep_nobody/credentials")).status_code == 404


async def test_asking_for_a_new_key_keeps_the_place_in_the_alerts(town: Town) -> None:
    await tell(town.lifecycle, entered(1, at=datetime.now(UTC)))
    await referred(town.client, 1)
    key = await town.key(ANA)
    async with visitor(key) as client:
        await fetched(client, key, 1)
    again = await town.key(ANA)
    await tell(town.lifecycle, entered(2, at=datetime.now(UTC)))
    second = await referred(town.client, 2)
    async with visitor(again) as client:
        (alert,) = await fetched(client, again, 1)
        assert alert["referral_id"] == second["referral_id"]


async def test_a_consumer_that_got_lost_is_there_again_after_the_next_start(town: Town) -> None:
    key = await town.key(ANA)
    async with connected(town.server, "routing") as routing:
        await routing.request(f"CONSUMER.DELETE.ALERTS.{key['durable']}")
        async with running(create_service(town.settings)):

            async def is_back() -> bool:
                return key["durable"] in (await routing.request("CONSUMER.NAMES.ALERTS"))["consumers"]

            await eventually(is_back, within=10)


async def test_a_nats_that_does_not_answer_is_tried_again_and_then_told() -> None:
    class Deaf:
        asked = 0

        async def request(self, subject: str, body: dict[str, Any]) -> None:
            self.asked += 1
            raise BrokerUnavailable("nobody answers")

    deaf = Deaf()
    with pytest.raises(BrokerUnavailable):
        await ensure_durable(deaf, ANA)  # type: ignore[arg-type]
    assert deaf.asked == 3


def test_a_key_is_long_and_kept_as_its_hash_alone() -> None:
    key, other = new_key(), new_key()
    assert len(key.password) >= 43
    assert key.password != other.password
    assert key.hashed == hash_password(key.password) != key.password


@pytest.mark.parametrize(
    ("nats_url", "shown"),
    [
        ("nats://routing:word@10.0.0.1:4222", "nats://10.0.0.1:4222"),
        ("nats://routing:w@a:4222,nats://routing:w@b:4222", "nats://a:4222,nats://b:4222"),
        ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
    ],
)
def test_where_reps_connect_is_told_without_our_own_password(nats_url: str, shown: str) -> None:
    known: dict[str, Any] = {"database_url": "sqlite:///x", "token_public_key": PUBLIC_KEY, "nats_url": nats_url}
    assert public_url(RoutingSettings(**known)) == shown
    assert (
        public_url(RoutingSettings(**known, public_nats_url="tls://nats.rapport.example"))
        == "tls://nats.rapport.example"
    )


async def test_a_rep_may_not_fill_nats_with_subscriptions(town: Town) -> None:
    key = await town.key(ANA, headers=a_rep("Ana Ruiz"))
    async with visitor(key) as client, visitor(key) as other:
        with contextlib.suppress(NatsError, OSError):
            for number in range(GRANTED_SUBSCRIPTIONS + 20):
                await client.subscribe(f"{key['inbox_prefix']}.{number}")
            await client.flush()
        await eventually(lambda: client.is_closed)
        assert other.is_connected, "nobody else is turned away"


async def test_a_new_key_ends_the_connections_of_the_one_before(town: Town) -> None:
    old = await town.key(ANA)
    async with visitor(old) as puller, visitor(listening(old)) as listener:
        new = await town.key(ANA)
        await eventually(lambda: puller.is_closed and listener.is_closed)
    async with visitor(new) as puller, visitor(listening(new)) as listener, visitor(await town.key(TOMO)) as tomo:
        await town.key(TOMO)
        await eventually(lambda: tomo.is_closed)
        assert not puller.is_closed, "nobody else is hung up on"
        assert not listener.is_closed


async def test_a_rep_who_left_is_hung_up_on_and_hears_nothing_more(town: Town) -> None:
    key = await town.key(ANA)
    async with visitor(key) as puller, visitor(listening(key)) as listener:
        await town.client.patch(f"/v1/reps/{ANA}", json={"is_active": False})
        await eventually(lambda: puller.is_closed and listener.is_closed)
    assert await is_refused(listening(key))


async def test_who_came_with_a_replaced_key_while_routing_was_away_is_hung_up_on_when_it_is_back(town: Town) -> None:
    key = await town.key(ANA)
    other = await town.key(TOMO)
    async with visitor(key) as client, visitor(other) as tomo, Database(town.settings.database_url) as database:
        async with database.begin() as session:  # as by a process that died before it could hang up
            await write.credential(session, ANA, hash_password("another"), ("somebody", datetime.now(UTC)))
        async with running(create_service(town.settings)):
            await eventually(lambda: client.is_closed)
            assert not tomo.is_closed


def listening(key: dict[str, Any]) -> dict[str, Any]:
    return {**key, "user": key["live_user"]}
