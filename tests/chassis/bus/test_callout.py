"""Strangers are let in, or not, by what a function of ours says while they wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import nkeys
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.errors import Error as NatsError
from structlog.testing import capture_logs

from chassis.bus.callout.claims import Grant, Issuer, Unreadable, new_issuer_seed, read_question
from chassis.bus.callout.responder import AuthCallout
from tests.support.eventually import eventually
from tests.support.nats import NatsServer

SEED = new_issuer_seed()
CONFIG = f"""
accounts {{
  HOUSE {{ users: [ {{ user: keeper, password: k }}, {{ user: porter, password: p, permissions: {{
    publish: ["$SYS._INBOX.*.*"], subscribe: ["$SYS.REQ.USER.AUTH callout"] }} }} ] }}
  GUESTS {{}}
}}
authorization {{
  timeout: 10, auth_callout {{ issuer: {Issuer(SEED).public_key}, account: HOUSE, auth_users: [keeper, porter] }}
}}
"""

Decide = Callable[[str, str], Awaitable[Grant | None]]


async def open_sesame(user: str, password: str) -> Grant | None:
    """Whoever knows the word may talk about themselves."""
    return Grant(user, [f"{user}.>"], [f"{user}.>"]) if password == "sesame" else None


def porter(server: NatsServer, decide: Decide, *, seed: str = SEED, deciding_seconds: float = 5.0) -> AuthCallout:
    return AuthCallout(
        server.url.replace("//", "//porter:p@"), seed, decide, account="GUESTS", deciding_seconds=deciding_seconds
    )


@asynccontextmanager
async def guest(server: NatsServer, user: str, password: str = "sesame") -> AsyncIterator[tuple[Client, list[str]]]:
    """A connection, and what the server complained of on it. Raises what the client raises when it is refused."""
    complaints: list[str] = []

    async def complain(error: Exception) -> None:
        complaints.append(str(error))

    client = Client()
    try:
        await client.connect(
            server.url, user=user, password=password, allow_reconnect=False, connect_timeout=60, error_cb=complain
        )
        yield client, complaints
    finally:
        await client.close()


async def is_refused(server: NatsServer, user: str, password: str) -> bool:
    try:
        async with guest(server, user, password):
            return False
    except NatsError as error:
        return "authorization violation" in str(error).lower()


@pytest.fixture
def server() -> NatsServer:
    return NatsServer(CONFIG)


async def test_who_is_granted_something_may_do_that_and_nothing_else(server: NatsServer) -> None:
    with server:
        async with porter(server, open_sesame), guest(server, "anna") as (client, complaints):
            heard = await client.subscribe("anna.>")
            await client.publish("anna.likes", b"tea")
            assert (await heard.next_msg(timeout=30)).data == b"tea"
            await client.publish("bert.likes", b"beer")
            await client.subscribe(">")
            await eventually(lambda: len(complaints) == 2)
            assert ["bert.likes" in complaints[0], '">"' in complaints[1]] == [True, True]


async def test_who_does_not_know_the_word_is_refused_at_once_and_the_next_one_is_let_in(server: NatsServer) -> None:
    with server:
        async with porter(server, open_sesame):
            assert await is_refused(server, "anna", "open up")
            assert not await is_refused(server, "anna", "sesame")


async def test_without_a_name_or_with_an_endless_one_nobody_is_even_asked(server: NatsServer) -> None:
    asked: list[str] = []

    async def note(user: str, password: str) -> Grant | None:
        asked.append(user)
        return Grant(user)

    with server:
        async with porter(server, note):
            assert await is_refused(server, "", "sesame")
            assert await is_refused(server, "a" * 129, "sesame")
            assert await is_refused(server, "anna", "")
            assert await is_refused(server, "anna", "s" * 513)
    assert asked == []


async def test_a_grant_of_nothing_is_not_a_grant_of_everything(server: NatsServer) -> None:
    async def nothing(user: str, password: str) -> Grant | None:
        return Grant(user)

    with server:
        async with porter(server, nothing), guest(server, "anna") as (client, complaints):
            await client.publish("anna.likes", b"tea")
            await client.subscribe("anna.>")
            await eventually(lambda: len(complaints) == 2)


async def test_a_decision_that_fails_or_takes_too_long_is_a_refusal_and_no_password_reaches_the_log(
    server: NatsServer,
) -> None:
    async def break_down(user: str, password: str) -> Grant | None:
        if user == "slow":
            await asyncio.Event().wait()
        if user == "broken":
            raise RuntimeError(f"cannot look up {password}")
        return await open_sesame(user, password)

    with server, capture_logs() as logs:
        async with porter(server, break_down, deciding_seconds=0.2):
            assert await is_refused(server, "slow", "swordfish")
            assert await is_refused(server, "broken", "swordfish")
            assert not await is_refused(server, "anna", "sesame")
            assert "swordfish" not in server.log()
    assert {"TimeoutError", "RuntimeError"} == {entry["error"] for entry in logs if entry["event"] == "callout.failed"}
    assert "swordfish" not in repr(logs)


async def test_a_key_that_the_server_does_not_expect_refuses_and_says_so(server: NatsServer) -> None:
    with server, capture_logs() as logs:
        async with porter(server, open_sesame, seed=new_issuer_seed()):
            assert await is_refused(server, "anna", "sesame")
    assert "callout.misconfigured" in [entry["event"] for entry in logs]


async def test_replicas_share_the_questions(server: NatsServer) -> None:
    asked: list[str] = []

    async def note(user: str, password: str) -> Grant | None:
        asked.append(user)
        return await open_sesame(user, password)

    names = [f"guest-{number}" for number in range(12)]
    with server:
        async with porter(server, note), porter(server, note):
            for name in names:
                assert not await is_refused(server, name, "sesame")
    assert asked == names


async def test_a_crowd_is_decided_so_many_at_a_time_and_nobody_is_forgotten(server: NatsServer) -> None:
    inside, most, opened = 0, 0, asyncio.Event()

    async def crowd(user: str, password: str) -> Grant | None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await opened.wait()
        inside -= 1
        return await open_sesame(user, password)

    with server:
        async with porter(server, crowd, deciding_seconds=9.0):
            coming = [asyncio.create_task(is_refused(server, f"guest-{number}", "sesame")) for number in range(40)]
            await eventually(lambda: inside == 32)
            opened.set()
            assert await asyncio.gather(*coming) == [False] * 40
    assert most == 32


async def test_a_question_in_hand_is_answered_before_the_service_leaves(server: NatsServer) -> None:
    asked, opened = asyncio.Event(), asyncio.Event()

    async def think(user: str, password: str) -> Grant | None:
        asked.set()
        await opened.wait()
        return await open_sesame(user, password)

    with server:
        callout = porter(server, think)
        await callout.start()
        coming = asyncio.create_task(is_refused(server, "anna", "sesame"))
        await asyncio.wait_for(asked.wait(), 30)
        leaving = asyncio.create_task(callout.stop())
        await asyncio.wait({leaving}, timeout=0.3)
        assert not leaving.done()
        opened.set()
        assert await coming is False
        await leaving
        await callout.stop()
        assert not callout.is_ready


async def test_it_waits_for_a_server_that_is_not_there_yet_and_comes_back_to_one_that_went_away(
    server: NatsServer,
) -> None:
    callout = porter(server, open_sesame)
    starting = asyncio.create_task(callout.start())
    await asyncio.sleep(0)
    assert not callout.is_ready
    with server:
        await starting
        assert not await is_refused(server, "anna", "sesame")
        server.kill()
        await eventually(lambda: not callout.is_ready)
        server.start()
        await eventually(lambda: callout.is_ready)

        async def is_let_in() -> bool:
            return not await is_refused(server, "anna", "sesame")

        assert await eventually(is_let_in, within=30)
        await callout.stop()


async def test_who_has_been_in_for_long_enough_is_asked_to_come_again(server: NatsServer) -> None:
    async def for_seconds(user: str, password: str) -> Grant | None:
        return Grant(user, [f"{user}.>"], lifetime_seconds=3)

    with server:
        async with porter(server, for_seconds), guest(server, "anna") as (client, _):
            await eventually(lambda: client.is_closed, within=10)


async def test_nobody_but_the_server_can_ask(server: NatsServer) -> None:
    asked: list[str] = []

    async def note(user: str, password: str) -> Grant | None:
        asked.append(user)
        return None

    with server:
        async with porter(server, note), guest(server, "keeper", "k") as (client, complaints):
            await client.publish("$SYS.REQ.USER.AUTH", b"let me in", reply="keeper.answers")
            await eventually(lambda: len(complaints) == 1)
            assert await is_refused(server, "anna", "")
    assert asked == []


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param("", id="nothing"),
        pytest.param(SEED[:-3], id="too short"),
        pytest.param(SEED.lower(), id="small letters"),
        pytest.param(nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_USER).decode(), id="a user's"),
    ],
)
def test_what_is_no_account_key_is_refused_and_not_quoted(seed: str) -> None:
    with pytest.raises(ValueError, match="the seed is not that of a NATS account key") as refusal:
        Issuer(seed)
    assert not seed or seed not in str(refusal.value)


@given(st.binary(max_size=200) | st.tuples(st.binary(), st.binary(), st.binary()).map(b".".join))
def test_no_question_breaks_the_reader(token: bytes) -> None:
    with pytest.raises(Unreadable):
        read_question(token)
