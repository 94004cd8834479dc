"""Events reach whoever asked for them: signed, at least once, and no faster than the receiver takes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from sqlalchemy import update
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from chassis.bus.broker import Broker
from chassis.message import OutMessage
from contracts.envelope import Event
from contracts.examples import EXAMPLES
from contracts.ids import derive_id
from gateway.domain.webhooks.limits import WEBHOOK_WINDOW, WEBHOOKS
from gateway.webhooks import registry
from gateway.webhooks.tables import DELIVERY, WEBHOOK
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.service import tell
from tests.unit.gateway.receiver import Receiver, receiving
from tests.unit.gateway.running import Door, gateway_settings, open_door

STAGE = next(event for event in EXAMPLES if event.wire_name == "lifecycle.stage.entered.v1")
MERGED = next(event for event in EXAMPLES if event.wire_name == "identity.person.merged.v1")
STREAMS = ("IDENTITY", "LIFECYCLE", "ROUTING")


def again(event: Event, number: int) -> Event:
    """The same said of something else."""
    event_id = derive_id("evt", datetime(2026, 3, 2, tzinfo=UTC), str(number), event.wire_name)
    return event.model_copy(update={"meta": event.meta.model_copy(update={"event_id": event_id})})


@pytest_asyncio.fixture
async def line(nats_server: NatsServer) -> AsyncIterator[Broker]:
    """The services' line: streams as they lay them."""
    broker = await Broker.connect(nats_server.url, "services")
    await broker.ensure_streams(STREAMS)
    yield broker
    await broker.close()


@pytest_asyncio.fixture
async def door(nats_server: NatsServer, line: Broker, tmp_path: Path) -> AsyncIterator[Door]:
    settings = gateway_settings(nats_server.url, tmp_path / "g.db", webhook_loopback=True, webhook_timeout_seconds=1)
    async with open_door(settings) as opened:
        yield opened


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


async def hook(door: Door, receiver: Receiver, *types: str) -> str:
    answer = await door.api("POST", "/v1/webhooks", json={"url": receiver.url, "types": types or ["lifecycle.*"]})
    assert answer.status_code == 201, answer.text
    receiver.secret = answer.json()["secret"]
    return str(answer.json()["webhook_id"])


async def post(door: Door, path: str, body: Any = None) -> Any:
    answer = await door.api("POST", f"/v1/webhooks/{path}", json=body or {})
    assert answer.status_code < 300, answer.text
    return answer.json()


async def view(door: Door, webhook_id: str) -> Any:
    return (await door.api("GET", f"/v1/webhooks/{webhook_id}")).json()


async def deliveries(door: Door, webhook_id: str, **query: Any) -> list[Any]:
    return list((await door.api("GET", f"/v1/webhooks/{webhook_id}/deliveries", params=query)).json()["items"])


async def heard(receiver: Receiver, count: int) -> None:
    async def all_came() -> bool:
        assert len(receiver.ids) >= count, f"{len(receiver.ids)} of {count}"
        return True

    await eventually(all_came, within=20)


async def due_now(door: Door) -> None:
    """As if the pause had passed."""
    async with door.runtime.database.begin() as session:
        past = datetime(2020, 1, 1, tzinfo=UTC)
        await session.execute(update(DELIVERY).where(DELIVERY.c.state == "waiting").values(next_attempt_at=past))


async def test_an_event_arrives_as_it_was_published_and_its_signature_holds(
    door: Door, line: Broker, receiver: Receiver
) -> None:
    webhook_id = await hook(door, receiver, "lifecycle.stage.*")
    await tell(line, STAGE)
    await heard(receiver, 1)
    (event,) = receiver.events
    assert (event["id"], event["type"]) == (STAGE.meta.event_id, STAGE.wire_name)
    assert event["source"] == "/lifecycle"
    assert event["cursor"] == "LIFECYCLE/1"
    assert STAGE.body() in receiver.bodies[0]
    assert receiver.heads[0]["content-type"] == "application/cloudevents+json"

    async def is_written() -> bool:
        (row,) = await deliveries(door, webhook_id)
        return (row["state"], row["status"], row["attempts"], row["latency_ms"] >= 0) == ("delivered", 204, 1, True)

    await eventually(is_written, within=5)
    assert (await view(door, webhook_id))["failing_since"] is None


async def test_nothing_else_arrives_and_nothing_of_before(door: Door, line: Broker, receiver: Receiver) -> None:
    await tell(line, again(STAGE, 1), again(MERGED, 1))
    await hook(door, receiver, "lifecycle.stage.entered")
    await tell(line, again(MERGED, 2), again(STAGE, 2))
    await heard(receiver, 1)
    assert receiver.ids == [again(STAGE, 2).meta.event_id]


async def test_what_is_said_in_every_lane_arrives_once(door: Door, line: Broker, receiver: Receiver) -> None:
    await hook(door, receiver, "identity.*")
    merged, created = again(MERGED, 1), next(e for e in EXAMPLES if e.wire_name == "identity.person.created.v1")
    await line.publish_batch([OutMessage(f"{MERGED.wire_name}.{n}", merged.headers(), merged.body()) for n in range(4)])
    await tell(line, created)
    await heard(receiver, 2)
    assert receiver.ids == [merged.meta.event_id, created.meta.event_id]


async def test_a_receiver_that_fails_is_tried_again_under_the_same_id(
    door: Door, line: Broker, receiver: Receiver
) -> None:
    receiver.says = 503
    webhook_id = await hook(door, receiver)
    await tell(line, STAGE)
    await heard(receiver, 1)

    async def is_put_off() -> bool:
        (row,) = await deliveries(door, webhook_id, state="waiting")
        return bool(row["status"] == 503 and row["next_attempt_at"] > row["attempted_at"])

    await eventually(is_put_off, within=5)
    assert (await view(door, webhook_id))["failing_since"] is not None
    receiver.says = 200
    await due_now(door)
    await heard(receiver, 2)
    assert len(set(receiver.ids)) == 1
    assert receiver.events

    async def is_well() -> bool:
        (row,) = await deliveries(door, webhook_id)
        return (row["state"], row["attempts"], row["answer"]) == ("delivered", 2, "heard")

    await eventually(is_well, within=5)


async def test_what_failed_with_the_receiver_is_sent_when_it_is_there_again(
    door: Door, line: Broker, receiver: Receiver
) -> None:
    receiver.says = 500
    webhook_id = await hook(door, receiver)
    await tell(line, *(again(STAGE, number) for number in range(3)))
    await heard(receiver, 3)

    async def all_failed() -> bool:
        return [row["attempts"] for row in await deliveries(door, webhook_id)] == [1, 1, 1]

    await eventually(all_failed, within=5)
    async with door.runtime.database.begin() as session:
        much_later = datetime.now(UTC) + timedelta(hours=1)
        await session.execute(update(DELIVERY).values(next_attempt_at=much_later))
    receiver.says = 204
    await tell(line, again(STAGE, 99))  # the next one is answered well, and nobody waits for the pauses of the others
    await heard(receiver, 7)
    assert len(set(receiver.ids)) == 4


async def test_410_switches_it_off_at_once_and_enable_goes_on_with_all_that_was_missed(
    door: Door, line: Broker, receiver: Receiver
) -> None:
    receiver.says = 410
    webhook_id = await hook(door, receiver)
    await tell(line, again(STAGE, 1))

    async def is_off() -> bool:
        return not (await view(door, webhook_id))["is_enabled"]

    await eventually(is_off, within=10)
    assert (await view(door, webhook_id))["off_reason"] == "It answered 410 Gone"
    assert (await door.client.get("/readyz")).status_code == 200
    status = (await door.api("GET", "/v1/status")).json()["services"][0]
    assert [(note["part"], "410 Gone" in note["says"]) for note in status["notes"]] == [("webhooks", True)]
    assert status["figures"]["webhooks_off"] == 1
    await tell(line, again(STAGE, 2))
    receiver.says = 204
    before = len(receiver.ids)
    await post(door, f"{webhook_id}:enable")
    await heard(receiver, before + 2)
    assert set(receiver.ids[before:]) == {again(STAGE, n).meta.event_id for n in (1, 2)}


async def test_what_was_missed_can_be_left_out(door: Door, line: Broker, receiver: Receiver) -> None:
    webhook_id = await hook(door, receiver)
    await door.api("PATCH", f"/v1/webhooks/{webhook_id}", json={"is_enabled": False})
    await tell(line, again(STAGE, 1))
    await post(door, f"{webhook_id}:enable", {"skip_missed": True})
    await tell(line, again(STAGE, 2))
    await heard(receiver, 1)
    assert receiver.ids == [again(STAGE, 2).meta.event_id]


async def test_one_that_answers_nothing_well_for_long_is_switched_off(
    door: Door, line: Broker, receiver: Receiver
) -> None:
    receiver.says = 500
    webhook_id = await hook(door, receiver)
    await tell(line, STAGE)
    await heard(receiver, 1)

    async def fails() -> bool:
        return (await view(door, webhook_id))["failing_since"] is not None

    await eventually(fails, within=5)
    async with door.runtime.database.begin() as session:
        long_ago = datetime.now(UTC) - timedelta(hours=25)
        await session.execute(update(WEBHOOK).values(failing_since=long_ago))
    await due_now(door)

    async def is_off() -> bool:
        return str((await view(door, webhook_id))["off_reason"]) == "It has answered nothing well for 24 hours"

    await eventually(is_off, within=10)
    (row,) = await deliveries(door, webhook_id)
    assert row["state"] == "waiting"


async def test_a_receiver_says_by_retry_after_when_to_come_again(door: Door, line: Broker, receiver: Receiver) -> None:
    receiver.says, receiver.headers = 429, {"retry-after": "3600"}
    webhook_id = await hook(door, receiver)
    await tell(line, again(STAGE, 1))
    await heard(receiver, 1)

    async def is_put_off() -> bool:
        (row,) = await deliveries(door, webhook_id)
        wait = datetime.fromisoformat(row["next_attempt_at"]) - datetime.fromisoformat(row["attempted_at"])
        return wait >= timedelta(seconds=3600)

    await eventually(is_put_off, within=5)
    await tell(line, again(STAGE, 2))
    await asyncio.sleep(1.2)  # two looks: others wait as well
    assert len(receiver.ids) == 1


async def test_one_that_hangs_keeps_no_other_waiting(door: Door, line: Broker, receiver: Receiver) -> None:
    async def hang(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with receiving() as dead:
        dead.says = hang
        webhook_id = await hook(door, dead)
        await hook(door, receiver)
        await tell(line, *(again(STAGE, number) for number in range(20)))
        await heard(receiver, 20)

        async def is_told() -> bool:
            rows = await deliveries(door, webhook_id)
            return any(row["error"] == "No answer within 1 s" for row in rows)

        await eventually(is_told, within=10)


async def test_a_backlog_waits_in_the_stream_and_not_in_the_store(door: Door, line: Broker, receiver: Receiver) -> None:
    receiver.says = 500
    webhook_id = await hook(door, receiver)
    many = WEBHOOK_WINDOW + 50
    await tell(line, *(again(STAGE, number) for number in range(many)))
    await heard(receiver, 4)

    async def window_is_full() -> bool:
        return len(await deliveries(door, webhook_id, limit=200)) == WEBHOOK_WINDOW

    await eventually(window_is_full, within=20)
    receiver.says = 204
    await due_now(door)

    async def all_came() -> bool:
        assert len(set(receiver.ids)) == many, f"{len(set(receiver.ids))}"
        return True

    await eventually(all_came, within=30)


async def test_a_redirect_is_not_followed(door: Door, line: Broker, receiver: Receiver) -> None:
    async with receiving() as elsewhere:
        receiver.says, receiver.headers = 307, {"location": elsewhere.url}
        webhook_id = await hook(door, receiver)
        result = await post(door, f"{webhook_id}:test")
        assert (result["is_delivered"], result["status"]) == (False, 307)
        assert elsewhere.ids == []


async def test_an_endless_answer_is_cut_short(door: Door, receiver: Receiver) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1_000):
            await response.write(b"x" * 100_000)
        return response

    receiver.says = flood
    result = await post(door, f"{await hook(door, receiver)}:test")
    assert (result["is_delivered"], len(result["answer"])) == (True, 512)


async def test_a_sample_is_signed_and_marked(door: Door, receiver: Receiver) -> None:
    webhook_id = await hook(door, receiver, "routing.*")
    result = await post(door, f"{webhook_id}:test", {"event_type": "routing.referral.accepted"})
    (event,) = receiver.events
    assert event["sample"] is True
    assert (result["event_id"], result["event_type"]) == (event["id"], "routing.referral.accepted.v1")
    assert await deliveries(door, webhook_id) == []


async def test_during_a_rotation_both_secrets_hold_and_after_it_the_new_one_alone(
    door: Door, line: Broker, receiver: Receiver
) -> None:
    webhook_id = await hook(door, receiver)
    old = receiver.secret
    rotated = await post(door, f"{webhook_id}:rotate", {"overlap_hours": 1})
    new = rotated["secret"]
    assert rotated["secrets_in_force"] == 2
    await tell(line, again(STAGE, 1))
    await heard(receiver, 1)
    for secret in (old, new):
        Webhook(secret).verify(receiver.bodies[0], receiver.heads[0])
    last = (await post(door, f"{webhook_id}:rotate", {"overlap_hours": 0}))["secret"]
    await post(door, f"{webhook_id}:test")
    Webhook(last).verify(receiver.bodies[1], receiver.heads[1])
    for secret in (old, new):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(receiver.bodies[1], receiver.heads[1])


async def test_a_secret_is_told_once_and_stands_nowhere_in_clear(door: Door, receiver: Receiver) -> None:
    webhook_id = await hook(door, receiver)
    assert "secret" not in await view(door, webhook_id)
    path = door.runtime.database.path
    assert path is not None
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    word = receiver.secret.removeprefix("whsec_")
    assert webhook_id.encode() in kept
    assert word.encode() not in kept
    assert path.parent.exists()


async def test_a_delivery_can_be_repeated(door: Door, line: Broker, receiver: Receiver) -> None:
    webhook_id = await hook(door, receiver)
    await tell(line, STAGE)
    await heard(receiver, 1)

    async def delivery() -> Any:
        (row,) = await deliveries(door, webhook_id, state="delivered")
        return row

    row = await eventually(delivery, within=5)
    await post(door, f"{webhook_id}/deliveries/{row['delivery_id']}:retry")
    await heard(receiver, 2)
    assert len(set(receiver.ids)) == 1
    answer = await door.api("POST", f"/v1/webhooks/{webhook_id}/deliveries/999:retry")
    assert answer.json()["type"] == "/problems/delivery-not-found"


async def test_a_replay_sends_again_what_stands_on_the_streams(door: Door, line: Broker, receiver: Receiver) -> None:
    early = [again(STAGE, number) for number in range(5)]
    await tell(line, *early)
    webhook_id = await hook(door, receiver)
    await tell(line, again(STAGE, 9))
    await heard(receiver, 1)
    replayed = await post(door, f"{webhook_id}:replay", {"since": "2020-01-01T00:00:00Z"})
    (stream,) = replayed["streams"]
    assert (stream["stream"], stream["after"]) == ("LIFECYCLE", 0)
    await heard(receiver, 1 + stream["until"])
    assert set(receiver.ids[1:]) >= {event.meta.event_id for event in early}
    count = len(receiver.ids)
    await post(door, f"{webhook_id}:replay", {"cursor": "LIFECYCLE/4"})
    await heard(receiver, count + 2)
    assert set(receiver.ids[count:]) == {early[4].meta.event_id, again(STAGE, 9).meta.event_id}


async def test_nothing_is_lost_while_nats_is_away(
    door: Door, line: Broker, nats_server: NatsServer, receiver: Receiver
) -> None:
    webhook_id = await hook(door, receiver)
    await tell(line, again(STAGE, 1))
    await heard(receiver, 1)
    nats_server.kill()
    await asyncio.sleep(0.6)
    assert (await view(door, webhook_id))["failing_since"] is None
    nats_server.start()
    await eventually(lambda: line.is_ready, within=10)
    await tell(line, again(STAGE, 2))
    await heard(receiver, 2)
    assert again(STAGE, 2).meta.event_id in receiver.ids


async def test_that_nats_is_away_is_no_attempt_and_no_fault_of_the_receiver_s(
    door: Door, line: Broker, nats_server: NatsServer, receiver: Receiver
) -> None:
    receiver.says, receiver.headers = 503, {"retry-after": "600"}
    webhook_id = await hook(door, receiver)
    await tell(line, STAGE)

    async def failed_once() -> bool:
        return [row["attempts"] for row in await deliveries(door, webhook_id)] == [1]

    await eventually(failed_once, within=10)
    nats_server.kill()
    await due_now(door)
    async with door.runtime.database.read() as session:
        (webhook,) = await registry.enabled(session)
    assert await door.runtime.service.webhooks.sender.send_due(webhook) == 0
    assert await failed_once()
    nats_server.start()  # for whoever ends in order


async def test_a_stream_that_was_laid_anew_is_read_from_its_beginning(
    door: Door, line: Broker, receiver: Receiver
) -> None:
    await hook(door, receiver)
    await tell(line, *(again(STAGE, number) for number in range(5)))
    await heard(receiver, 5)
    await asyncio.sleep(0.7)
    await line.request("STREAM.DELETE.LIFECYCLE")
    await line.ensure_streams(["LIFECYCLE"])
    await tell(line, again(STAGE, 100))
    await heard(receiver, 6)
    assert receiver.ids[5:] == [again(STAGE, 100).meta.event_id]


async def test_several_gateways_share_the_work_and_double_nothing(
    door: Door, line: Broker, receiver: Receiver, nats_server: NatsServer, tmp_path: Path
) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "g.db", webhook_loopback=True)
    async with open_door(settings):
        await hook(door, receiver)
        for number in range(12):
            await tell(line, *(again(STAGE, 10 * number + one) for one in range(5)))
        await heard(receiver, 60)
        await asyncio.sleep(1.2)  # two looks more
    assert len(receiver.ids) == len(set(receiver.ids)) == 60


@pytest.mark.parametrize(
    ("wish", "field", "remedy"),
    [
        ({"url": "http://hooks.example.com/"}, "body.url", "https"),
        ({"url": "https://ada:pw@hooks.example.com/"}, "body.url", "Leave them out"),
        ({"url": "https://169.254.169.254/latest"}, "body.url", "internet"),
        ({"types": ["lifecycle.stage.entred"]}, "body.types.0", "lifecycle.stage.entered"),
        ({"types": []}, "body.types", ""),
        ({"colour": "red"}, "body.colour", ""),
    ],
)
async def test_a_refusal_names_the_field_and_the_remedy(
    door: Door, wish: dict[str, Any], field: str, remedy: str
) -> None:
    whole = {"url": "https://hooks.example.com/", "types": ["*"]} | wish
    answer = await door.api("POST", "/v1/webhooks", json=whole)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert remedy in error.get("remedy", "")


async def test_marketing_and_sales_have_no_business_here(door: Door, receiver: Receiver) -> None:
    webhook_id = await hook(door, receiver)
    for role in ("marketing", "sales", "manager", "agent"):
        key = {"authorization": f"Bearer {(await door.key(role, rep_id='rep_1'))['api_key']}"}
        for method, path in (
            ("GET", ""), ("POST", ""), ("GET", f"/{webhook_id}"), ("PATCH", f"/{webhook_id}"),
            ("DELETE", f"/{webhook_id}"), ("POST", f"/{webhook_id}:rotate"), ("POST", f"/{webhook_id}:test"),
            ("POST", f"/{webhook_id}:enable"), ("POST", f"/{webhook_id}:replay"), ("GET", f"/{webhook_id}/deliveries"),
            ("POST", f"/{webhook_id}/deliveries/1:retry"),
        ):  # fmt: skip
            body = {"url": "https://hooks.example.com/", "types": ["*"]} if not path else {}
            sent = None if method in ("GET", "DELETE") else body
            answer = await door.client.request(method, f"/v1/webhooks{path}", headers=key, json=sent)
            assert answer.status_code == 403, (role, method, path)


async def test_there_are_only_so_many_and_one_that_was_removed_leaves_nothing(door: Door, receiver: Receiver) -> None:
    made = [await hook(door, receiver) for _ in range(WEBHOOKS)]
    answer = await door.api("POST", "/v1/webhooks", json={"url": receiver.url, "types": ["*"]})
    assert answer.json()["type"] == "/problems/too-many-webhooks"
    assert (await door.api("DELETE", f"/v1/webhooks/{made[0]}")).status_code == 204
    assert (await door.api("GET", f"/v1/webhooks/{made[0]}")).status_code == 404
    page = (await door.api("GET", "/v1/webhooks", params={"limit": 30})).json()
    rest = (await door.api("GET", "/v1/webhooks", params={"limit": 30, "cursor": page["next_cursor"]})).json()
    assert [one["webhook_id"] for one in (*page["items"], *rest["items"])] == sorted(made[1:])
