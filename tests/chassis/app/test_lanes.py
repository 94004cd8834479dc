"""The number of lanes changes, durables get lost, streams are made anew, letters are replayed: each event is applied
once, and none is missed.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, text

from chassis.app import Service
from chassis.bus.broker import Broker
from chassis.bus.dead import letters, main
from chassis.bus.dead_letters import dead_letter_of
from chassis.bus.inspection import message_at, messages
from chassis.bus.protocol import Raw
from chassis.condition import facts_of
from chassis.message import OutMessage
from chassis.readiness import judge
from chassis.store.database import Database
from chassis.store.migrate import migrate
from chassis.store.tables import INBOX, INBOX_BEFORE, INBOX_FLOOR
from contracts.ids import lane_of
from tests.chassis.app.bus_words import a_signal, echoes
from tests.chassis.app.echo import EchoSettings, create_service
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.service import RunningService, running


def on_lane(message: OutMessage, lane: int) -> OutMessage:
    return OutMessage(message.subject.removesuffix("0") + str(lane), message.headers, message.body)


def signals(start: int, count: int, lanes: int) -> list[OutMessage]:
    """Signals as a sender with so many lanes says them."""
    return [on_lane(a_signal(f"s{number}"), lane_of(f"s{number}", lanes)) for number in range(start, start + count)]


def texts(count: int) -> list[str]:
    return sorted(f"s{number}" for number in range(count))


async def has_echoed(service: RunningService, count: int) -> bool:
    return len(await echoes(service.runtime.database)) >= count


async def durables(broker: Broker) -> list[str]:
    return sorted((await broker.request("CONSUMER.NAMES.SIGNAL"))["consumers"] or [])


def with_lanes(settings: EchoSettings, lanes: int) -> Service:
    return create_service(settings.model_copy(update={"lanes": lanes}))


async def forget_rows(service: RunningService) -> None:
    """As if months had gone by."""
    async with service.runtime.database.begin() as session:
        await session.execute(delete(INBOX))


async def test_on_a_full_store_lanes_change_from_1_to_2_to_4_to_1_and_nothing_is_missed_or_applied_twice(
    settings: EchoSettings, outside: Broker
) -> None:
    sent = 0
    names = {1: ["echo"], 2: ["echo-0", "echo-1"], 4: ["echo-0", "echo-1", "echo-2", "echo-3"]}
    for before, lanes in ((1, 1), (1, 2), (2, 4), (4, 1)):
        # what waited in the outbox of a sender with the lanes of before
        await outside.publish_batch(signals(sent, 40, before))
        await outside.publish_batch(signals(sent + 40, 40, lanes))
        sent += 80
        async with running(with_lanes(settings, lanes)) as service:
            await eventually(lambda service=service, sent=sent: has_echoed(service, sent), within=15)  # type: ignore[misc]
            assert sorted(await echoes(service.runtime.database)) == texts(sent)
            assert await durables(outside) == names[lanes]
            await forget_rows(service)


async def test_a_sender_with_more_lanes_is_heard_from_its_first_message_on_once_the_service_starts_again(
    settings: EchoSettings, outside: Broker
) -> None:
    async with running(with_lanes(settings, 1)) as service:
        await outside.publish_batch([*signals(0, 40, 4), on_lane(a_signal("last"), 0)])
        on_lane_0 = [f"s{number}" for number in range(40) if lane_of(f"s{number}", 4) == 0]
        await eventually(lambda: has_echoed(service, len(on_lane_0) + 1))
        assert await echoes(service.runtime.database) == [*on_lane_0, "last"]
    async with running(with_lanes(settings, 1)) as again:
        await eventually(lambda: has_echoed(again, 41))
        assert sorted(await echoes(again.runtime.database)) == sorted([*texts(40), "last"])


async def test_a_lost_durable_begins_behind_the_floor(service: RunningService, outside: Broker) -> None:
    await outside.publish_batch(signals(0, 50, 1))
    await eventually(lambda: has_echoed(service, 50))
    await forget_rows(service)
    await outside.request("CONSUMER.DELETE.SIGNAL.echo")
    await outside.publish_batch(signals(50, 50, 1))

    await eventually(lambda: has_echoed(service, 100), within=10)
    assert sorted(await echoes(service.runtime.database)) == texts(100)
    assert (await outside.request("CONSUMER.INFO.SIGNAL.echo"))["config"]["opt_start_seq"] == 51


async def test_of_a_stream_that_was_made_anew_everything_is_heard(service: RunningService, outside: Broker) -> None:
    await outside.publish_batch(signals(0, 50, 1))
    await eventually(lambda: has_echoed(service, 50))
    await outside.request("STREAM.DELETE.SIGNAL")
    await outside.ensure_streams(["SIGNAL"])
    await outside.publish_batch(signals(50, 20, 1))

    await eventually(lambda: has_echoed(service, 70), within=10)
    assert sorted(await echoes(service.runtime.database)) == texts(70)


async def test_copies_on_several_lanes_are_applied_once(settings: EchoSettings, outside: Broker) -> None:
    async with running(with_lanes(settings, 4)) as service:
        await outside.publish_batch([on_lane(a_signal("each"), lane) for lane in range(4)])
        await outside.publish_batch(signals(0, 40, 4))
        await eventually(lambda: has_echoed(service, 41))
        assert sorted(await echoes(service.runtime.database)) == sorted(["each", *texts(40)])


async def test_a_second_process_with_other_lanes_is_not_ready_and_says_why_until_the_first_is_gone(
    settings: EchoSettings, outside: Broker
) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running(with_lanes(settings, 2)))
        await eventually(lambda: is_ready(first))
        async with running(with_lanes(settings, 4)) as second:
            await eventually(lambda: is_refused(second, "run with 2 lanes, this process with 4"))
            await outside.publish_batch(signals(0, 20, 4))
            await stack.aclose()
            await eventually(lambda: is_ready(second), within=10)
            await eventually(lambda: has_echoed(second, 20))
            assert sorted(await echoes(second.runtime.database)) == texts(20)


async def missing(service: RunningService) -> list[str]:
    findings = judge(await facts_of(service.runtime), service.runtime.settings.stuck_seconds)
    return [str(finding) for finding in findings if not finding.is_note]


async def is_ready(service: RunningService) -> bool:
    return await missing(service) == []


async def is_refused(service: RunningService, reason: str) -> bool:
    return reason in str(await missing(service))


# --- dead letters
# ----------------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def two_services(settings: EchoSettings, folder: Path) -> AsyncIterator[tuple[RunningService, RunningService]]:
    """Two services that hear the same signals; the second one has an antidote to poison."""
    other = settings.model_copy(update={"database_url": f"sqlite:///{folder / 'other.db'}", "antidote": True})
    async with running(create_service(settings)) as one, running(create_service(other, name="other")) as two:
        yield one, two


async def replay(server: NatsServer, *words: str) -> None:
    assert await main(["--url", server.url, "replay", *words], io.StringIO()) == 0


async def waiting_letters(broker: Broker, count: int) -> bool:
    return len(await letters(broker)) == count


async def notes(database: Database) -> list[bool]:
    """Whether each of the notes of what was given up has been replayed."""
    async with database.read() as session:
        return [
            row[0] is not None
            for row in await session.execute(text("SELECT replayed_at FROM dead_letter ORDER BY origin"))
        ]


async def test_a_letter_that_is_replayed_after_the_rows_are_gone_is_applied_once_and_by_who_gave_it_up(
    settings: EchoSettings, nats_server: NatsServer, outside: Broker, tmp_path: Path
) -> None:
    async with two_services(settings, tmp_path) as (gave_up, other):
        await outside.publish_batch([a_signal("poison"), a_signal("good")])
        await eventually(lambda: waiting_letters(outside, 1), within=15)
        await eventually(lambda: has_echoed(gave_up, 1))
        await eventually(lambda: has_echoed(other, 2))
        assert await notes(gave_up.runtime.database) == [False]
        (kept,) = [message async for message in messages(outside, "DEAD")]

    async with two_services(settings.model_copy(update={"lanes": 4, "antidote": True}), tmp_path) as (gave_up, other):
        await forget_rows(gave_up)
        await forget_rows(other)
        await replay(nats_server, "--all")
        await eventually(lambda: has_echoed(gave_up, 2))
        # somebody kept the letter and puts it back
        await outside.publish_batch([OutMessage(kept.subject, kept.headers, kept.body)])
        await eventually(lambda: waiting_letters(outside, 1))
        await replay(nats_server, "--all")
        await outside.publish_batch([a_signal("last")])

        await eventually(lambda: has_echoed(gave_up, 3))
        await eventually(lambda: has_echoed(other, 3))
        assert await echoes(gave_up.runtime.database) == ["good", "poison", "last"]
        assert await echoes(other.runtime.database) == ["poison", "good", "last"]
        assert await notes(gave_up.runtime.database) == [True]
        assert await notes(other.runtime.database) == []


async def test_a_replay_that_dies_again_can_be_replayed_again(
    settings: EchoSettings, nats_server: NatsServer, outside: Broker
) -> None:
    async with running(create_service(settings)) as service:
        await outside.publish_batch([a_signal("poison"), a_signal("good")])
        await eventually(lambda: waiting_letters(outside, 1), within=15)
        (first,) = await letters(outside)
        await replay(nats_server, "--all")
        await eventually(lambda: waiting_letters(outside, 1), within=15)
        (second,) = await letters(outside)
        assert (second.origin, second.original) == (first.origin, first.original)
        assert await notes(service.runtime.database) == [False]
    async with running(create_service(settings.model_copy(update={"antidote": True}))) as service:
        await replay(nats_server, "--all")
        await eventually(lambda: has_echoed(service, 2))
        assert await echoes(service.runtime.database) == ["good", "poison"]


async def test_a_letter_from_before_there_were_notes_is_applied_once_and_by_who_gave_it_up(
    settings: EchoSettings, nats_server: NatsServer, outside: Broker, tmp_path: Path
) -> None:
    async with two_services(settings, tmp_path) as (gave_up, other):
        for _ in range(2):
            await outside.publish_batch([a_letter_of_before(a_signal("old"), 7)])
            await replay(nats_server, "--all")
        await outside.publish_batch([a_signal("last")])
        await eventually(lambda: has_echoed(gave_up, 2))
        await eventually(lambda: has_echoed(other, 1))
        assert await echoes(gave_up.runtime.database) == ["old", "last"]
        assert await echoes(other.runtime.database) == ["last"]


def a_letter_of_before(message: OutMessage, sequence: int) -> OutMessage:
    headers = {
        "dead-reason": "no",
        "dead-service": "echo",
        "dead-stream": "SIGNAL",
        "dead-sequence": str(sequence),
        "dead-at": "2026-01-01T00:00:00",
    }
    return OutMessage(f"dead.{message.subject}", {**message.headers, **headers}, message.body)


async def test_a_letter_whose_message_was_applied_after_all_is_not_applied_again(
    service: RunningService, nats_server: NatsServer, outside: Broker
) -> None:
    """The process died between the letter and its note; the message came again, and went well."""
    await outside.publish_batch([a_signal("once")])
    await eventually(lambda: has_echoed(service, 1))
    message = await message_at(outside, "SIGNAL", 1)
    assert message is not None
    await outside.publish_batch([dead_letter_of(message, "echo", "no", datetime.now(UTC), 1_000_000)])
    await forget_rows(service)
    await replay(nats_server, "--all")
    await outside.publish_batch([a_signal("last")])
    await eventually(lambda: has_echoed(service, 2))
    assert await echoes(service.runtime.database) == ["once", "last"]


async def test_what_was_given_up_and_comes_again_unacknowledged_gets_no_second_letter(
    settings: EchoSettings, outside: Broker
) -> None:
    torn = OutMessage("signal.flag.given.v1.0", {"ce-time": "2026-01-01T00:00:00Z"}, b"{")
    await outside.publish_batch([torn])
    for lanes in (1, 2):  # the floor is not moved by what died alone, so the durable of other lanes begins before it
        async with running(with_lanes(settings, lanes)) as service:
            await eventually(lambda: waiting_letters(outside, 1))
            await outside.publish_batch([a_signal(f"lanes {lanes}")])
            await eventually(lambda service=service, lanes=lanes: has_echoed(service, lanes))  # type: ignore[misc]
            died = b"rapport_dead_letters_total{" in service.runtime.metrics.render()
            assert died == (lanes == 1)
            async with service.runtime.database.begin() as session:
                await session.execute(INBOX_FLOOR.update().values(sequence=0))


# --- from the version before
# -------------------------------------------------------------------------------------------------------------------

ACKNOWLEDGED = (20, 3)
"""How many messages of its first and of its second lane: the second one lags."""

_DURABLE = {
    "ack_policy": "explicit",
    "deliver_policy": "all",
    "max_deliver": -1,
    "priority_groups": ["lane"],
    "priority_policy": "pinned_client",
    "priority_timeout": 2_000_000_000,
}


async def a_durable_of_before(broker: Broker, name: str, lane: int, acknowledged: Sequence[int]) -> None:
    """As the version before made it, with the first messages acknowledged."""
    config = {**_DURABLE, "durable_name": name, "name": name, "filter_subjects": [f"signal.flag.given.v1.{lane}"]}
    await broker.request(f"CONSUMER.CREATE.SIGNAL.{name}", {"stream_name": "SIGNAL", "action": "", "config": config})
    taken: list[str] = []

    def take(wire: Raw) -> None:
        taken.append(wire.reply)

    prefix, subscription = await broker.listen(take)
    order = b'{"batch": %d, "expires": 1000000000, "group": "lane"}' % len(acknowledged)
    await broker.send(f"$JS.API.CONSUMER.MSG.NEXT.SIGNAL.{name}", order, reply=f"{prefix}.1")
    await eventually(lambda: len(taken) >= len(acknowledged))
    for reply in taken[: len(acknowledged)]:
        await broker.confirm(reply, b"+ACK")
    await subscription.unsubscribe()


@pytest.mark.parametrize(("before", "lanes"), [(1, 1), (1, 2), (2, 1), (2, 4)])
async def test_a_store_of_the_version_before_comes_through_the_upgrade_and_a_change_of_lanes(
    settings: EchoSettings, outside: Broker, before: int, lanes: int
) -> None:
    await outside.publish_batch(signals(0, 60, before))
    names = ["echo"] if before == 1 else ["echo-0", "echo-1"]
    heard = [[number for number in range(60) if lane_of(f"s{number}", before) == lane] for lane in range(before)]
    for lane, name in enumerate(names):
        await a_durable_of_before(outside, name, lane, heard[lane][: ACKNOWLEDGED[lane]])
    await store_of_before(settings.database_url, names, heard)

    await outside.publish_batch(signals(60, 20, lanes))
    async with running(with_lanes(settings, lanes)) as service:
        left = [number for lane, told in zip(heard, ACKNOWLEDGED, strict=False) for number in lane[told + 5 :]]
        new = sorted(f"s{number}" for number in (*left, *range(60, 80)))
        await eventually(lambda: has_echoed(service, len(new)), within=10)
        await eventually(lambda: nothing_waits(outside), within=10)
        assert sorted(await echoes(service.runtime.database)) == new


async def store_of_before(url: str, names: Sequence[str], heard: Sequence[Sequence[int]]) -> None:
    """What was acknowledged was forgotten by the inbox long ago; five more of each lane were applied, and not
    acknowledged.
    """
    await migrate(url)
    old = datetime.now(UTC) - timedelta(days=1)
    applied = [
        {"consumer": name, "message_id": f"evt_s{number}", "claimed_at": old}
        for name, lane, told in zip(names, heard, ACKNOWLEDGED, strict=False)
        for number in lane[told : told + 5]
    ]
    async with Database(url) as database, database.begin() as session:
        await session.execute(insert(INBOX_BEFORE), applied)


async def nothing_waits(broker: Broker) -> bool:
    found = [await broker.request(f"CONSUMER.INFO.SIGNAL.{name}") for name in await durables(broker)]
    return all(info["num_pending"] == info["num_ack_pending"] == 0 for info in found)
