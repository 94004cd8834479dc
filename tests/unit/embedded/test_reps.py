"""A sales rep on the bus of the embedded suite: their own alerts, and no way to anything else."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js import JetStreamContext

from chassis.bus.broker import Broker
from chassis.bus.callout.claims import Grant, Issuer, new_issuer_seed
from chassis.bus.callout.responder import AuthCallout
from chassis.message import OutMessage
from deployment.backup_user import BACKUP
from deployment.nats_config import BUS_USERS, HOUSE, OBSERVER, OPERATOR, REPS, NatsPlan, access, take_over_store
from services.routing.effects import DOMAIN, alerts_of, durable_of, inbox_of, rep_permissions
from tests.support.eventually import eventually
from tests.support.nats import NatsServer

SEED = new_issuer_seed()
PASSWORDS = {name: f"{name}-word" for name in (*(user.name for user in BUS_USERS), OBSERVER, OPERATOR, BACKUP)}
ANNA, BERT = "rep_anna", "rep_bert"
PULL = f"$JS.API.CONSUMER.MSG.NEXT.ALERTS.{durable_of(ANNA)}"


async def decide(user: str, password: str) -> Grant | None:
    """Reps say their own name for a password."""
    if user not in (ANNA, BERT) or password != user:
        return None
    may = rep_permissions(user, durable_of(user))
    return Grant(may.name, may.publish, may.subscribe)


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
                inbox_prefix=inbox_of(user),
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
        async with there.service("routing") as routing, there.service("scoring") as scoring:
            await routing.ensure_streams(["ALERTS"])
            await scoring.ensure_streams(["SCORING"])
            await scoring.publish_batch([OutMessage("scoring.score.changed.v1.0", {}, b"fact")])
            for rep_id in (ANNA, BERT):
                await make_durable(routing, rep_id)
            await alert(routing, ANNA, "first", "second")
            await alert(routing, BERT, "first", "second")
            yield there, routing


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


async def test_a_rep_fetches_what_is_theirs_and_acknowledges_it_with_a_plain_client() -> None:
    async with town() as (there, routing), there.callout():
        async with there.rep(ANNA) as anna:
            assert await anna.fetch(durable_of(ANNA), 2) == [b"first for rep_anna", b"second for rep_anna"]
            await eventually(lambda: nothing_left(routing, ANNA))
            assert anna.complaints == []
        assert await left(routing, BERT) == (2, 0)
        await alert(routing, ANNA, "third")
        async with there.rep(ANNA) as anna:
            assert await anna.fetch(durable_of(ANNA)) == [b"third for rep_anna"]


async def test_a_client_that_asks_about_the_consumer_first_names_the_domain() -> None:
    async with town() as (there, _), there.callout(), there.rep(ANNA) as anna:
        stream = anna.client.jetstream(domain=DOMAIN)
        assert (await stream.consumer_info("ALERTS", durable_of(ANNA))).num_pending == 2
        pull = await stream.pull_subscribe_bind(durable=durable_of(ANNA), stream="ALERTS")
        assert await drawn(pull, 2) == [b"first for rep_anna", b"second for rep_anna"]
        assert anna.complaints == []
    assert DOMAIN == HOUSE


async def test_an_alert_that_is_not_acknowledged_waits_for_the_rep() -> None:
    async with town() as (there, routing), there.callout(), there.rep(ANNA) as anna:
        pull = await anna.client.jetstream().pull_subscribe_bind(durable=durable_of(ANNA), stream="ALERTS")
        (first,) = await pull.fetch(1, timeout=30)
        assert await left(routing, ANNA) == (1, 1)
        await first.nak()
        (again,) = await pull.fetch(1, timeout=30)
        assert again.data in (b"first for rep_anna", b"second for rep_anna")
        await again.ack_sync()


async def test_a_rep_hears_their_alerts_as_they_come() -> None:
    async with town() as (there, routing), there.callout(), there.rep(ANNA) as anna:
        live = await anna.client.subscribe(alerts_of(ANNA))
        await anna.client.flush()
        await alert(routing, BERT, "live")
        await alert(routing, ANNA, "live")
        assert (await live.next_msg(timeout=30)).data == b"live for rep_anna"


async def test_a_wrong_password_is_refused_and_services_are_not_asked_about() -> None:
    async with town() as (there, _), there.callout():
        assert await there.is_refused(ANNA, "guessed")
        assert await there.is_refused("nobody", "nobody")
        assert await there.is_refused("scoring", "guessed")
        async with there.service("identity") as identity:
            await eventually(lambda: identity.is_ready)


async def test_a_rep_listens_to_nothing_that_is_not_theirs() -> None:
    closed = (
        ">",
        "alerts.>",
        alerts_of(BERT),
        f"{inbox_of(BERT)}.>",
        "_INBOX.>",
        "scoring.>",
        "$SYS.REQ.USER.AUTH",
        "$JS.>",
    )
    async with town() as (there, _), there.callout(), there.rep(ANNA) as anna:
        for subject in closed:
            await anna.client.subscribe(subject)
        await eventually(lambda: len(anna.complaints) == len(closed))


async def test_a_rep_says_nothing_but_pull_ask_and_acknowledge() -> None:
    closed = (
        f"alerts.rep.{ANNA}.offered",
        "scoring.score.changed.v1.0",
        "dead.scoring",
        f"{inbox_of(BERT)}.x",
        "$SYS.REQ.USER.AUTH",
        f"$JS.API.CONSUMER.MSG.NEXT.ALERTS.{durable_of(BERT)}",
        f"$JS.{DOMAIN}.API.CONSUMER.MSG.NEXT.ALERTS.{durable_of(BERT)}",
        f"$JS.{DOMAIN}.API.CONSUMER.INFO.ALERTS.{durable_of(BERT)}",
        f"$JS.{DOMAIN}.API.STREAM.INFO.ALERTS",
        f"$JS.API.CONSUMER.CREATE.ALERTS.{durable_of(ANNA)}",
        f"$JS.API.CONSUMER.DELETE.ALERTS.{durable_of(ANNA)}",
        f"$JS.ACK.ALERTS.{durable_of(BERT)}.1.1.1.1.1",
        f"$JS.ACK.hub.hash.ALERTS.{durable_of(BERT)}.1.1.1.1.1",
        "$JS.API.STREAM.INFO.ALERTS",
        "$JS.API.STREAM.MSG.GET.ALERTS",
        "$JS.API.STREAM.NAMES",
        "$JS.API.INFO",
    )
    async with town() as (there, _), there.callout(), there.rep(ANNA) as anna:
        for subject in closed:
            await anna.client.publish(subject, b"")
        await eventually(lambda: len(anna.complaints) == len(closed))


async def test_another_reps_durable_gives_nothing() -> None:
    async with town() as (there, routing), there.callout(), there.rep(ANNA) as anna:
        with pytest.raises(NatsTimeout):
            await anna.fetch(durable_of(BERT), within=1)
        assert await left(routing, BERT) == (2, 0)


@pytest.mark.parametrize(
    "reply",
    [
        "$JS.API.STREAM.PURGE.SCORING",
        "$JS.API.STREAM.DELETE.ALERTS",
        "scoring.score.changed.v1.0",
        "dead.scoring",
        f"$JS.ACK.ALERTS.{durable_of(BERT)}.1.3.1.1.1",
        f"$JS.API.CONSUMER.MSG.NEXT.ALERTS.{durable_of(BERT)}",
        f"$JS.{DOMAIN}.API.CONSUMER.INFO.ALERTS.{durable_of(BERT)}",
    ],
)
async def test_a_rep_cannot_have_answers_sent_where_they_do_harm(reply: str) -> None:
    async with town() as (there, routing), there.callout(), there.rep(BERT) as bert, there.rep(ANNA) as anna:
        await (await bert.client.jetstream().pull_subscribe_bind(durable=durable_of(BERT), stream="ALERTS")).fetch(
            1, timeout=30
        )
        # two alerts, then word that its time is up
        await anna.client.publish(PULL, b'{"batch": 5, "expires": 100000000}', reply=reply)
        await anna.client.publish(f"$JS.{DOMAIN}.API.CONSUMER.INFO.ALERTS.{durable_of(ANNA)}", b"", reply=reply)
        with contextlib.suppress(TimeoutError):
            await anna.fetch(durable_of(ANNA), 5, within=1)  # its turn comes after that pull's
        assert await kept(routing) == (4, 1)
        assert await left(routing, BERT) == (1, 1)


async def test_without_the_callout_reps_wait_outside_while_services_work() -> None:
    async with town() as (there, routing):
        assert await there.is_refused(ANNA, ANNA)
        await alert(routing, ANNA, "third")
        assert await left(routing, ANNA) == (3, 0)
        async with there.callout(), there.rep(ANNA) as anna:
            assert len(await anna.fetch(durable_of(ANNA), 3)) == 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_rep_who_is_in_comes_back_after_the_server_was_away() -> None:
    async with town() as (there, routing), there.callout() as callout, there.rep(ANNA, comes_back=True) as anna:
        assert await anna.fetch(durable_of(ANNA), 2) == [b"first for rep_anna", b"second for rep_anna"]
        there.server.kill()
        await eventually(lambda: not anna.client.is_connected and not callout.is_ready)
        there.server.start()
        await eventually(lambda: routing.is_ready, within=20)
        await alert(routing, ANNA, "third")
        await eventually(lambda: anna.client.is_connected, within=30)

        async def is_told() -> bool:  # what was acknowledged a moment before the crash may come again, first
            return b"third for rep_anna" in await anna.fetch(durable_of(ANNA))

        await eventually(is_told, within=20)
    gc.collect()  # the client forgets to close a transport on which it was refused; let it be noticed here


async def test_nobody_overhears_a_password_or_an_answer_meant_for_another() -> None:
    heard: dict[str, list[str]] = {user: [] for user in PASSWORDS}
    async with town() as (there, _), there.callout(), contextlib.AsyncExitStack() as stack:
        for user, subjects in heard.items():
            listener = await stack.enter_async_context(there.visitor(user, PASSWORDS[user]))
            await listener.client.subscribe(">", cb=noting(subjects))
            await listener.client.subscribe("$SYS.REQ.USER.AUTH", cb=noting(subjects))
            await listener.client.flush()
        async with there.rep(ANNA) as anna:
            await anna.fetch(durable_of(ANNA))
        async with there.service("routing") as routing:
            await left(routing, ANNA)
            await alert(routing, ANNA, "third")
        await eventually(lambda: all(f"alerts.rep.{ANNA}.offered" in heard[reader] for reader in (OBSERVER, OPERATOR)))
    private = {
        (user, subject)
        for user, subjects in heard.items()
        for subject in subjects
        if subject.startswith(("$SYS.", "_INBOX_"))
    }
    assert private == set()


async def test_the_gateway_browses_alerts_and_can_neither_say_nor_acknowledge_them() -> None:
    async with town() as (there, routing), there.visitor("gateway", PASSWORDS["gateway"]) as gateway:
        stream = gateway.client.jetstream()
        ordered = await stream.subscribe("alerts.rep.*.*", stream="ALERTS", ordered_consumer=True)
        assert [(await ordered.next_msg(timeout=30)).data for _ in range(4)][3] == b"second for rep_bert"
        pulled = await stream.pull_subscribe(alerts_of(BERT), stream="ALERTS")
        bodies = [message.data for _ in range(2) for message in await pulled.fetch(1, timeout=30)]
        assert bodies == [b"first for rep_bert", b"second for rep_bert"]
        assert gateway.complaints == []
        for subject in (
            "alerts.rep.x.offered",
            f"$JS.ACK.ALERTS.{durable_of(BERT)}.1.1.1.1.1",
            "$JS.API.STREAM.PURGE.ALERTS",
        ):
            await gateway.client.publish(subject, b"")
        await eventually(lambda: len(gateway.complaints) == 3)
        assert await left(routing, BERT) == (2, 0)


async def test_routing_makes_and_removes_consumers_for_reps() -> None:
    async with town() as (_, routing):
        assert (await routing.request("CONSUMER.NAMES.ALERTS"))["consumers"] == [durable_of(ANNA), durable_of(BERT)]
        await routing.request(f"CONSUMER.DELETE.ALERTS.{durable_of(ANNA)}")
        assert (await routing.request("CONSUMER.NAMES.ALERTS"))["consumers"] == [durable_of(BERT)]


async def test_what_an_older_installation_kept_is_found_again() -> None:
    there = Town()
    access_of_today, there.server._extra = there.server._extra, ""
    with there.server:
        async with connected(there.server.url, "older") as older:
            await older.ensure_streams(["SCORING"])
            await older.publish_batch([OutMessage("scoring.score.changed.v1.0", {}, b"fact")])
        there.server.kill()
        store = there.server._directory / "store"
        take_over_store(store)
        take_over_store(store)
        assert [folder.name for folder in (store / "jetstream").iterdir()] == [HOUSE]
        there.server._extra = access_of_today
        there.server.start()
        async with there.service("scoring") as scoring:
            assert (await scoring.request("STREAM.INFO.SCORING"))["state"]["messages"] == 1


def test_an_installation_without_a_store_has_nothing_to_take_over(tmp_path: Path) -> None:
    take_over_store(tmp_path)
    assert list(tmp_path.iterdir()) == []


def noting(subjects: list[str]) -> Callable[[Msg], Awaitable[None]]:
    async def note(message: Msg) -> None:
        subjects.append(message.subject)

    return note
