"""Keys end: by themselves, by a rotation, by being revoked; and each says why it is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway import store
from gateway.directory import Directory
from gateway.domain.key_life import KeyFate, KeyLife, KeyState, overlap_end, state_of
from gateway.domain.keys import hash_of
from gateway.request_log import RequestLog, write_used
from gateway.secret_index import Held, KeyExpired, KeyReplaced, indexed
from gateway.store import ApiKeyRow, SourceRow
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.unit.gateway.running import Door, gateway_settings, open_door

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVENT = {"event": "e", "userId": "u"}


@pytest.mark.parametrize(
    ("life", "state"),
    [
        (KeyLife(None, None, None), KeyState.ACTIVE),
        (KeyLife(None, NOW + timedelta(days=15), None), KeyState.ACTIVE),
        (KeyLife(None, NOW + timedelta(days=14), None), KeyState.EXPIRING),
        (KeyLife(None, NOW, None), KeyState.EXPIRED),
        (KeyLife(None, NOW + HOUR, NOW + HOUR), KeyState.ROTATED),
        (KeyLife(None, None, NOW), KeyState.ACTIVE),
        (KeyLife(KeyFate.REVOKED, NOW, NOW + HOUR), KeyState.REVOKED),
        (KeyLife(KeyFate.DISABLED, None, None), KeyState.DISABLED),
    ],
)
def test_a_key_is_shown_as_the_worst_that_is_true_of_it(life: KeyLife, state: KeyState) -> None:
    assert state_of(life, NOW) is state


def test_an_overlap_never_lets_a_secret_live_longer_than_it_was_to() -> None:
    assert overlap_end(NOW, 24, None) == NOW + 24 * HOUR
    assert overlap_end(NOW, 24, NOW + HOUR) == NOW + HOUR
    assert overlap_end(NOW, 0, None) == NOW


def test_the_present_secret_of_one_is_not_the_former_of_another() -> None:
    brought = Held("h", "src_b", KeyLife(None, None, None), is_previous=False)
    given_away = Held("h", "src_a", KeyLife(None, None, NOW), is_previous=True)
    for held in ([brought, given_away], [given_away, brought]):
        index = indexed(held)
        assert index.owner_of("h") == "src_b"
        assert index.lost_at("h", NOW + HOUR) is None


async def test_a_key_ends_on_the_second_without_the_store_being_asked(door: Door) -> None:
    now = NOW
    directory = Directory(door.runtime.database, clock=lambda: now)
    async with door.runtime.database.begin() as session:
        await store.add(session, api_key("secret-1", expires_at=NOW + HOUR, previous="secret-0", until=NOW + HOUR / 2))
    await directory.refresh()
    for secret in ("secret-0", "secret-1"):
        assert directory.caller_of(f"Bearer {secret}").subject == "ana@acme.test"
    now = NOW + HOUR / 2
    with pytest.raises(KeyReplaced, match="was replaced by another, and both were good until 2026-03-01T08:30:00Z"):
        directory.caller_of("Bearer secret-0")
    assert directory.caller_of("Bearer secret-1").subject == "ana@acme.test"
    now = NOW + HOUR
    with pytest.raises(KeyExpired, match="expired on 2026-03-01T09:00:00Z") as refused:
        directory.caller_of("Bearer secret-1")
    assert refused.value.remedy is not None
    assert "/v1/keys/key_1:rotate" in refused.value.remedy
    assert directory.caller_by_hash(hash_of("secret-1")) is None


def api_key(secret: str, *, expires_at: datetime | None, previous: str, until: datetime) -> ApiKeyRow:
    return ApiKeyRow(
        key_id="key_1", key_hash=hash_of(secret), hint="...", subject="ana@acme.test", roles=["sales"], teams=[],
        is_revoked=False, created_at=NOW, expires_at=expires_at, previous_hash=hash_of(previous), previous_until=until,
    )  # fmt: skip


async def test_a_rotated_key_leaves_the_old_one_good_for_the_overlap(door: Door) -> None:
    made = await door.key("marketing")
    rotated = await rotate(door, f"/v1/keys/{made['key_id']}", {})
    assert rotated["api_key"] != made["api_key"]
    assert (rotated["state"], rotated["key_id"], rotated["hint"]) == (
        "rotated", made["key_id"], "..." + rotated["api_key"][-4:],
    )  # fmt: skip
    overlap = moment(rotated["previous_until"]) - moment(rotated["rotated_at"])
    assert overlap == timedelta(hours=24)
    for key in (made["api_key"], rotated["api_key"]):
        assert (await asked(door, key)).status_code == 200

    again = await rotate(door, f"/v1/keys/{made['key_id']}", {"overlap_hours": 0})
    refused = (await asked(door, rotated["api_key"])).json()
    assert (refused["status"], refused["type"]) == (401, "/problems/key-replaced")
    assert (await asked(door, made["api_key"])).status_code == 401  # the oldest: nobody's any more
    assert (await asked(door, again["api_key"])).status_code == 200
    assert again["state"] == "active"


async def test_an_expired_key_says_so_and_a_rotation_needs_a_later_end(door: Door) -> None:
    made = await door.key("marketing")
    await put_end(door, ApiKeyRow, made["key_id"], NOW)
    refused = (await asked(door, made["api_key"])).json()
    assert (refused["status"], refused["type"]) == (401, "/problems/key-expired")
    assert "expired on 2026-03-01T08:00:00Z" in refused["detail"]
    assert made["api_key"] not in str(refused)
    states = {one["key_id"]: one["state"] for one in (await door.api("GET", "/v1/keys")).json()["items"]}
    assert states[made["key_id"]] == "expired"

    path = f"/v1/keys/{made['key_id']}:rotate"
    stays = await door.api("POST", path, json={})
    assert (stays.status_code, stays.json()["errors"][0]["field"]) == (422, "body.expires_at")
    later = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    renewed = await rotate(door, f"/v1/keys/{made['key_id']}", {"expires_at": later})
    assert (await asked(door, renewed["api_key"])).status_code == 200
    assert (await asked(door, made["api_key"])).status_code == 401  # it had ended, and no overlap brings it back


@pytest.mark.parametrize("hours", [False, "0", -1, 721, 0.5, None])
async def test_an_overlap_is_whole_hours_and_no_slip_ends_the_old_key(door: Door, hours: object) -> None:
    made = await door.key("marketing")
    answer = await door.api("POST", f"/v1/keys/{made['key_id']}:rotate", json={"overlap_hours": hours})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.overlap_hours")
    assert (await asked(door, made["api_key"])).status_code == 200


async def test_a_key_can_be_made_with_an_end_that_is_to_come(door: Door) -> None:
    wish = {"subject": "a tool", "roles": ["ops"], "expires_at": "2020-01-01T00:00:00Z"}
    answer = await door.api("POST", "/v1/keys", json=wish)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.expires_at")
    soon = datetime.now(UTC) + timedelta(days=2)
    made = (await door.api("POST", "/v1/keys", json=wish | {"expires_at": soon.isoformat()})).json()
    assert (made["state"], moment(made["expires_at"])) == ("expiring", soon)


async def test_a_revoked_key_takes_its_former_secret_along_and_stays_revoked(door: Door) -> None:
    made = await door.key("marketing")
    rotated = await rotate(door, f"/v1/keys/{made['key_id']}", {})
    assert (await door.api("DELETE", f"/v1/keys/{made['key_id']}")).status_code == 204
    for key in (made["api_key"], rotated["api_key"]):
        refused = (await asked(door, key)).json()
        assert (refused["status"], refused["type"]) == (401, "/problems/key-revoked")
    answer = await door.api("POST", f"/v1/keys/{made['key_id']}:rotate", json={})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/key-is-revoked")


async def test_a_write_key_is_rotated_under_a_running_site(door: Door) -> None:
    made = (await door.api("POST", "/v1/sources", json={"name": "shop"})).json()
    path = f"/v1/sources/{made['source_id']}"
    rotated = await rotate(door, path, {})
    assert rotated["key_state"] == "rotated"
    for key in (made["write_key"], rotated["write_key"]):
        assert (await door.send("/v1/track", EVENT, auth=(key, ""))).status_code == 200
        assert (await door.client.get(f"/v1/projects/{key}/settings")).status_code == 200
    assert {event.interaction.source_id for event in await door.captured()} == {made["source_id"]}

    leaked = await rotate(door, path, {"overlap_hours": 0, "write_key": "one-of-our-own"})
    assert leaked["write_key"] == "one-of-our-own"
    refused = await door.send("/v1/track", EVENT, auth=(rotated["write_key"], ""))
    assert (refused.status_code, refused.json()["type"]) == (401, "/problems/key-replaced")
    assert (await door.client.get(f"/v1/projects/{rotated['write_key']}/settings")).status_code == 404
    assert (await door.send("/v1/track", EVENT, auth=("one-of-our-own", ""))).status_code == 200

    await put_end(door, SourceRow, made["source_id"], NOW)
    expired = await door.send("/v1/track", EVENT, auth=("one-of-our-own", ""))
    assert (expired.status_code, expired.json()["type"]) == (401, "/problems/key-expired")
    await door.api("PATCH", path, json={"is_enabled": False})
    disabled = await door.send("/v1/track", EVENT, auth=("one-of-our-own", ""))
    assert (disabled.status_code, disabled.json()["type"]) == (401, "/problems/source-disabled")


async def test_a_rotation_takes_no_key_of_another_source_and_none_of_the_settings(door: Door) -> None:
    one, other = [(await door.api("POST", "/v1/sources", json={"name": name})).json() for name in "ab"]
    taken = await door.api("POST", f"/v1/sources/{one['source_id']}:rotate", json={"write_key": other["write_key"]})
    same = await door.api("POST", f"/v1/sources/{one['source_id']}:rotate", json={"write_key": one["write_key"]})
    assert [answer.json()["type"] for answer in (taken, same)] == ["/problems/write-key-taken"] * 2
    for path in ("/v1/sources/src_default", "/v1/keys/key_bootstrap"):
        answer = await door.api("POST", f"{path}:rotate", json={})
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/key-set-elsewhere")


async def test_who_may_rotate(door: Door) -> None:
    made = (await door.api("POST", "/v1/sources", json={"name": "shop"})).json()
    marketing, ops = await door.key("marketing"), await door.key("ops")
    paths = (f"/v1/sources/{made['source_id']}", f"/v1/keys/{ops['key_id']}")
    for key, statuses in ((marketing, (403, 403)), (ops, (200, 403))):
        headers = {"authorization": f"Bearer {key['api_key']}"}
        for path, status in zip(paths, statuses, strict=True):
            answer = await door.client.post(f"{path}:rotate", json={}, headers=headers)
            assert answer.status_code == status, (path, answer.text)


async def test_a_revoked_key_is_refused_at_once_by_the_other_gateway_process(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "g.db", refresh_seconds=3600)  # not by reading on its own
    async with open_door(settings) as one, open_door(settings) as other:
        made = await one.key("marketing")

        async def answers(status: int) -> bool:
            return (await asked(other, made["api_key"])).status_code == status

        await eventually(lambda: answers(200))
        assert (await one.api("DELETE", f"/v1/keys/{made['key_id']}")).status_code == 204
        await eventually(lambda: answers(401))


async def test_the_last_use_is_written_now_and_then_and_never_backwards(door: Door) -> None:
    key = await door.key("marketing")
    log, at = RequestLog(lambda: at), NOW + timedelta(minutes=5, seconds=40)
    log.note(request_of(key["key_id"]), 200)
    log.note(request_of("src_default"), 401)  # a secret that is good no more is no use of it
    await write_used(door.runtime.database, log)
    at = NOW
    log.note(request_of(key["key_id"]), 200)
    log.note(request_of("src_default"), 422)
    await write_used(door.runtime.database, log)
    listed = {one["key_id"]: one for one in (await door.api("GET", "/v1/keys")).json()["items"]}
    assert moment(listed[key["key_id"]]["last_used_at"]) == NOW + timedelta(minutes=5)
    source = (await door.api("GET", "/v1/sources/src_default")).json()
    assert moment(source["last_used_at"]) == NOW
    assert listed["key_bootstrap"]["last_used_at"] is None


async def test_uses_are_written_at_an_orderly_end(nats_server: NatsServer, tmp_path: Path) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "g.db")
    async with open_door(settings) as door:
        await door.send("/v1/track", EVENT)
    async with open_door(settings) as door:
        assert (await door.api("GET", "/v1/sources/src_default")).json()["last_used_at"] is not None


def request_of(owner: str) -> dict[str, Any]:
    return {"rapport.owner": owner, "method": "GET", "path": "/v1/sources", "headers": []}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def asked(door: Door, key: str) -> httpx.Response:
    return await door.client.get("/v1/sources", headers={"authorization": f"Bearer {key}"})


async def rotate(door: Door, path: str, wish: dict[str, Any]) -> dict[str, Any]:
    answer = await door.api("POST", f"{path}:rotate", json=wish)
    assert answer.status_code == 200, answer.text
    rotated: dict[str, Any] = answer.json()
    return rotated


async def put_end(door: Door, table: type[ApiKeyRow] | type[SourceRow], key: str, at: datetime) -> None:
    """As if it had been made long ago."""
    async with door.runtime.database.begin() as session:
        row = await store.get(session, table, key)
        assert row is not None
        row.expires_at = at
        await store.change(session, row)
    await door.runtime.service.directory.refresh()
