"""A sales rep on the bus of the embedded suite: their own alerts, and no way to anything else."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeout

from chassis.message import OutMessage
from deployment.nats_accounts import HOUSE, OBSERVER
from deployment.nats_config import OPERATOR, take_over_store
from services.routing.effects.keys import DOMAIN, alerts_of, durable_of, inbox_of
from tests.support.eventually import eventually
from tests.unit.embedded.town import (
    ANNA,
    BERT,
    PASSWORDS,
    PULL,
    Town,
    alert,
    connected,
    drawn,
    kept,
    left,
    nothing_left,
    town,
)


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
    async with town() as (there, routing), there.callout(), there.listener(ANNA) as anna:
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
        alerts_of(ANNA),
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
        everybody = await stream.pull_subscribe("alerts.rep.*.*", stream="ALERTS")
        found = [message.data for _ in range(4) for message in await everybody.fetch(1, timeout=30)]
        assert found[3] == b"second for rep_bert"
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
