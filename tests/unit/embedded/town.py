"""A server as the embedded suite configures it, with reps who come to it and alerts for two of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from chassis.bus.broker import Broker
from chassis.bus.callout.claims import Grant, Issuer, new_issuer_seed
from chassis.bus.callout.responder import AuthCallout
from chassis.message import OutMessage
from deployment.nats_accounts import REPS
from deployment.nats_config import NatsPlan, access, static_users
from services.routing.effects.keys import alerts_of, durable_of, grant_of, live_user_of, rep_of_user
from tests.support.nats import NatsServer

SEED = new_issuer_seed()
PASSWORDS = {name: f"{name}-word" for name in static_users()}
ANNA, BERT = "rep_anna", "rep_bert"
PULL = f"$JS.API.CONSUMER.MSG.NEXT.ALERTS.{durable_of(ANNA)}"


async def decide(user: str, password: str) -> Grant | None:
    """Reps say their own name for a password."""
    if password not in (ANNA, BERT) or rep_of_user(user) != password:
        return None
    return grant_of(user, "hash", REPS)


@dataclass
class Stranger:
    """A plain client, and what the server complained of on its connection."""

    client: Client
    complaints: list[str] = field(default_factory=list)

    async def complain(self, error: Exception) -> None:
        self.complaints.append(str(error))

    async def fetch(self, durable: str, number: int = 1, within: float = 5.0) -> list[bytes]:
        """Pull, acknowledge, give back what was in it."""
        return await drawn(
            await self.client.jetstream().pull_subscribe_bind(durable=durable, stream="ALERTS"), number, within
        )


async def drawn(pull: JetStreamContext.PullSubscription, number: int, within: float = 5.0) -> list[bytes]:
    """So many messages, acknowledged; a fetch may bring fewer than it is asked for."""
    bodies: list[bytes] = []
    while len(bodies) < number:
        for message in await pull.fetch(number - len(bodies), timeout=within):
            await message.ack()
            bodies.append(message.data)
    return bodies


class Town:
    """The server as the embedded suite configures it, with routing at work and alerts for two reps."""

    def __init__(self, account: str = REPS) -> None:
        plan = NatsPlan(0, 0, Path("unused"), PASSWORDS, Issuer(SEED).public_key)
        self.server = NatsServer(access(plan))
        self._account = account

    def url(self, user: str) -> str:
        return self.server.url.replace("//", f"//{user}:{PASSWORDS[user]}@")

    def callout(self) -> AuthCallout:
        return AuthCallout(self.url("routing"), SEED, decide, account=self._account)

    def service(self, user: str) -> AbstractAsyncContextManager[Broker]:
        return connected(self.url(user), user)

    @asynccontextmanager
    async def visitor(self, user: str, password: str, *, comes_back: bool = False) -> AsyncIterator[Stranger]:
        stranger = Stranger(Client())
        try:
            await stranger.client.connect(
                self.server.url,
                user=user,
                password=password,
                inbox_prefix=f"_INBOX_{user}",
                error_cb=stranger.complain,
                allow_reconnect=comes_back,
                reconnect_time_wait=1,
                connect_timeout=40,
            )
            yield stranger
        finally:
            await stranger.client.close()

    def rep(self, rep_id: str, *, comes_back: bool = False) -> AbstractAsyncContextManager[Stranger]:
        return self.visitor(rep_id, rep_id, comes_back=comes_back)

    def listener(self, rep_id: str) -> AbstractAsyncContextManager[Stranger]:
        """The rep who listens to alerts as they come."""
        return self.visitor(live_user_of(rep_id), rep_id)

    async def is_refused(self, user: str, password: str) -> bool:
        try:
            async with self.visitor(user, password):
                return False
        except (NatsError, TimeoutError):
            return True


@asynccontextmanager
async def town(account: str = REPS) -> AsyncIterator[tuple[Town, Broker]]:
    """A town, and routing's connection to it: both reps have their durable and two alerts each, and SCORING holds one
    fact.
    """
    there = Town(account)
    with there.server:
        async with there.service("routing") as routing:
            await furnish(there, routing)
            yield there, routing


async def furnish(there: Town, routing: Broker) -> None:
    """What `town` says that there is."""
    async with there.service("scoring") as scoring:
        await routing.ensure_streams(["ALERTS"])
        await scoring.ensure_streams(["SCORING"])
        await scoring.publish_batch([OutMessage("scoring.score.changed.v1.0", {}, b"fact")])
    for rep_id in (ANNA, BERT):
        await make_durable(routing, rep_id)
        await alert(routing, rep_id, "first", "second")


@asynccontextmanager
async def connected(url: str, user: str) -> AsyncIterator[Broker]:
    broker = await Broker.connect(url, user, inbox_prefix=f"_INBOX_{user}", answer_seconds=3.0)
    try:
        yield broker
    finally:
        await broker.close()


async def make_durable(routing: Broker, rep_id: str) -> None:
    durable, subjects = durable_of(rep_id), alerts_of(rep_id)
    config = {
        "durable_name": durable,
        "name": durable,
        "filter_subject": subjects,
        "ack_policy": "explicit",
        "max_ack_pending": 100,
    }
    await routing.request(f"CONSUMER.CREATE.ALERTS.{durable}.{subjects}", {"stream_name": "ALERTS", "config": config})


async def alert(routing: Broker, rep_id: str, *texts: str) -> None:
    await routing.publish_batch(
        [OutMessage(f"alerts.rep.{rep_id}.offered", {}, f"{text} for {rep_id}".encode()) for text in texts]
    )


async def left(routing: Broker, rep_id: str) -> tuple[int, int]:
    """How many alerts were not delivered, and how many not acknowledged."""
    info = await routing.request(f"CONSUMER.INFO.ALERTS.{durable_of(rep_id)}")
    return info["num_pending"], info["num_ack_pending"]


async def nothing_left(routing: Broker, rep_id: str) -> bool:
    return await left(routing, rep_id) == (0, 0)


async def kept(broker: Broker) -> tuple[int, int]:
    """How many messages there are in ALERTS and in SCORING."""
    streams = [await broker.request(f"STREAM.INFO.{name}") for name in ("ALERTS", "SCORING")]
    return streams[0]["state"]["messages"], streams[1]["state"]["messages"]
