"""Who changed what, and who saw whom: recorded before it is done, read by those who keep the installation, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import text

from chassis.errors import Unavailable
from chassis.store.database import Database
from chassis.store.session import Session
from gateway.audit import entries, journal
from gateway.audit.entries import AuditEntry, AuditFilter, AuditOutcome
from gateway.audit.journal import Journal
from gateway.audit.operations import OperationTable
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.stores import prepare
from tests.unit.gateway.running import Door, PlayedService, gateway_settings, open_door

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
MERGE, MERGE_TEMPLATE = "/v1/people/per_1:merge", "/v1/people/{person_id}:merge"


async def audit(door: Door, **query: Any) -> list[dict[str, Any]]:
    answer = await door.api("GET", "/v1/audit", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def named(door: Door, template: str, method: str = "get") -> str:
    """As the document names it."""
    operation: str = door.app.openapi()["paths"][template][method]["operationId"]
    return operation


async def settled(door: Door, count: int, **query: Any) -> list[dict[str, Any]]:
    """As many entries as are expected, each with its outcome."""

    async def are_there() -> bool:
        found = await audit(door, **query)
        return len(found) == count and all(one["status"] is not None for one in found)

    await eventually(are_there)
    return await audit(door, **query)


async def test_a_change_is_recorded_with_who_what_and_what_became_of_it(door: Door, identity: PlayedService) -> None:
    manager = await door.key("manager")
    headers = {"authorization": f"Bearer {manager['api_key']}"}
    identity.says("POST", MERGE, {"person_id": "per_1"})
    assert (await door.client.post(MERGE, json={"with_person_id": "per_2"}, headers=headers)).status_code == 200
    assert (await door.client.post("/v1/treatments", json={}, headers=headers)).status_code == 403
    refused, done = await settled(door, 2, principal="ana@acme.test")
    assert (done["operation"], done["method"], done["objects"]) == (
        named(door, MERGE_TEMPLATE, "post"), "POST", ["per_1"],
    )  # fmt: skip
    assert (done["status"], done["outcome"], done["roles"], done["key_id"]) == (
        200, "done", ["manager"], manager["key_id"],
    )  # fmt: skip
    assert len(done["request_id"]) == 32
    assert (refused["operation"], refused["outcome"]) == (named(door, "/v1/treatments", "post"), "refused")


async def test_what_was_made_is_found_by_its_id(door: Door) -> None:
    made = await door.key("sales")
    await door.api("DELETE", f"/v1/keys/{made['key_id']}")
    revoked, created = await settled(door, 2, object_id=made["key_id"])
    assert (created["operation"], revoked["operation"]) == ("create_key", "revoke_key")
    assert {created["principal"], revoked["principal"]} == {"bootstrap"}
    assert made["api_key"] not in str((created, revoked))


async def test_whoever_saw_a_person_is_found_by_that_person(door: Door, identity: PlayedService) -> None:
    person = {"person_id": "per_9", "identifiers": [], "fragments": []}
    identity.says("GET", "/v1/people/per_9", person)
    identity.says("GET", "/v1/people", {"items": [person], "next_cursor": None})
    identity.says("GET", "/v1/people/per_9/consent", {"items": []})
    agent = {"authorization": f"Bearer {(await door.key('agent'))['api_key']}"}
    for path in ("/v1/people/per_9", "/v1/people?email=ada@harbour.example", "/v1/people/per_9/consent"):
        assert (await door.client.get(path, headers=agent)).status_code == 200, path
    seen = await settled(door, 3, object_id="per_9")
    assert [one["operation"] for one in seen] == [
        named(door, path) for path in ("/v1/people/{person_id}/consent", "/v1/people", "/v1/people/{person_id}")
    ]
    assert "harbour" not in str(seen)  # what was looked for is not written down: it is somebody's address


async def test_reads_of_nobody_captures_and_strangers_are_not_in_it(door: Door) -> None:
    await door.send("/v1/track", {"event": "e", "userId": "u"})
    await door.send("/v1/track", {"event": "e", "userId": "u"}, headers={"authorization": "Bearer nobody"}, auth=None)
    await door.api("POST", "/v1/track", json={"event": "e", "userId": "u"})  # with an API key: refused, and no change
    await door.api("GET", "/v1/sources")
    await door.api("OPTIONS", "/v1/keys")
    await door.client.post("/v1/keys", json={})
    await door.client.post("/v1/forms/default", data={"email": "ada@harbour.example"})
    await door.api("POST", "/v1/sources", json={"name": "last"})
    (only,) = await settled(door, 1, until=datetime.now(UTC).isoformat(), operation="create_source")
    listed = [one["operation"] for one in await audit(door) if one["operation"] != "list_audit"]
    assert listed == [only["operation"]]


async def test_who_may_read_it_and_that_nobody_can_change_it(door: Door) -> None:
    for role, status in (("marketing", 403), ("sales", 403), ("manager", 403), ("agent", 403), ("ops", 200)):
        headers = {"authorization": f"Bearer {(await door.key(role))['api_key']}"}
        assert (await door.client.get("/v1/audit", headers=headers)).status_code == status, role
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await door.api(method, "/v1/audit")).status_code == 405
        assert (await door.api(method, "/v1/audit/1")).status_code == 404
    assert (await door.api("GET", "/v1/audit", params={"who": "ana"})).status_code == 422
    watched = await settled(door, 2, operation="list_audit", principal="ana@acme.test", limit=2)
    assert {one["outcome"] for one in watched} <= {"done", "refused"}  # who looked into it is in it too


async def test_the_audit_is_read_in_pages_and_by_time(door: Door) -> None:
    for number in range(5):
        await door.api("POST", "/v1/sources", json={"name": f"s{number}"})
    query: dict[str, Any] = {"operation": "create_source", "limit": 2}
    seen: list[int] = []
    while True:
        page = (await door.api("GET", "/v1/audit", params=query)).json()
        seen += [one["audit_id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert await audit(door, since=later) == []


async def test_nothing_is_changed_that_cannot_be_recorded(door: Door, identity: PlayedService) -> None:
    identity.says("POST", MERGE, {})
    identity.says("GET", "/v1/people/per_1/links", {"items": []})
    await rename(door.runtime.database, "audit", "audit_away")
    refused = await door.api("POST", MERGE, json={"with_person_id": "per_2"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "audit" in refused.json()["detail"]
    assert identity.asked == []
    assert (await door.api("GET", "/v1/people/per_1/links")).status_code == 200  # reads go on
    assert (await door.send("/v1/track", {"event": "e", "userId": "u"})).status_code == 200


async def test_a_change_that_was_cut_off_stands_there_without_an_outcome(
    nats_server: NatsServer, tmp_path: Path, services: dict[str, PlayedService]
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        reached.set()
        await go_on.wait()
        return web.json_response({})

    services["identity"].answers["POST", MERGE] = hang
    urls = {f"{name}_url": service.url for name, service in services.items()}
    async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db", **urls)) as door:
        asking = asyncio.create_task(door.api("POST", MERGE, json={"with_person_id": "per_2"}))
        await reached.wait()
        begun = await audit(door, operation=named(door, MERGE_TEMPLATE, "post"))  # what a kill would leave now
        assert [(one["status"], one["outcome"]) for one in begun] == [(None, "unknown")]
        go_on.set()
        assert (await asking).status_code == 200
    async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db", **urls)) as door:
        (one,) = await audit(
            door, operation=named(door, MERGE_TEMPLATE, "post")
        )  # an orderly end has written what became of it
        assert (one["status"], one["outcome"]) == (200, "done")


def an_entry(at: datetime = NOW, *objects: str, status: int | None = 200) -> AuditEntry:
    return AuditEntry(at, "ana@acme.test", ("sales",), "key_1", "read_person", "GET", objects, status, None)


async def test_entries_are_one_transaction_for_all_who_come_at_once(store_url: str) -> None:
    await prepare(store_url, "gateway.migrations")
    database = Database(store_url)
    async with journal.writing(Journal(database, lambda: NOW, 365)) as book:
        numbers = await asyncio.gather(*(book.begin(an_entry(NOW, f"o{n}", status=None)) for n in range(40)))
        assert len(set(numbers)) == 40
        for at, number in enumerate(numbers):
            book.end(AuditOutcome(number, 200, (f"o{at}", "made"), ("made",)))
            book.end(AuditOutcome(number, 500, ("later",), ()))  # an outcome is said once
        book.saw(an_entry(NOW, "per_1", "per_1"))
    async with database.read() as session:
        found = await entries.found(session, AuditFilter(object_id="made"), 100)
        assert [(row.status, row.objects[0]) for row in found] == [
            (200, f"o{at}") for at, _ in sorted(enumerate(numbers), key=lambda one: -one[1])
        ]
        (seen,) = await entries.found(session, AuditFilter(object_id="per_1"), 100)
        assert seen.objects == ["per_1", "per_1"]
    await database.close()


class SlowStore:
    """A store whose transactions begin when the test says so."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_asked, self.may_go = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Session]:
        self.is_asked.set()
        await self.may_go.wait()
        async with self._database.begin() as session:
            yield session


async def test_an_end_in_the_midst_of_writing_loses_nothing(store_url: str) -> None:
    await prepare(store_url, "gateway.migrations")
    database = Database(store_url)
    store: Any = SlowStore(database)
    async with AsyncExitStack() as stack:
        book = Journal(store, lambda: NOW, 365)
        await stack.enter_async_context(journal.writing(book))
        book.saw(an_entry(NOW, "per_1"))
        await eventually(lambda: not book.waiting)  # taken, and not written yet
        asyncio.get_running_loop().call_soon(store.may_go.set)
    async with database.read() as session:
        assert len(await entries.found(session, AuditFilter(object_id="per_1"), 10)) == 1
    await database.close()


async def test_what_is_older_than_it_is_to_be_kept_goes_and_nothing_else(store_url: str) -> None:
    await prepare(store_url, "gateway.migrations")
    database = Database(store_url)
    book = Journal(database, lambda: NOW, 30)
    async with database.begin() as session:
        days = [NOW - timedelta(days=days, seconds=1) for days in (400, 31, 30, 29, 1)]
        await entries.add(session, [an_entry(at, "per_1") for at in days])
    await book.forget_old()
    async with database.read() as session:
        left = await entries.found(session, AuditFilter(object_id="per_1"), 100)
    assert [row.at for row in left] == [days[4], days[3]]
    await database.close()


async def rename(database: Database, table: str, name: str) -> None:
    async with database.begin() as session:
        await session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


async def test_reads_wait_for_a_store_that_is_away_and_changes_do_not(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'g.db'}"
    await prepare(url, "gateway.migrations")
    database = Database(url)
    await rename(database, "audit", "audit_away")
    book = Journal(database, lambda: NOW, 365)
    book.saw(an_entry(NOW, "per_1"))
    begun = asyncio.create_task(book.begin(an_entry(status=None)))
    await asyncio.sleep(0)
    assert not await book.flush()
    with pytest.raises(Unavailable):
        await begun
    await rename(database, "audit_away", "audit")
    assert await book.flush()
    async with database.read() as session:
        assert [row.objects for row in await entries.found(session, AuditFilter(), 10)] == [["per_1"]]
    await database.close()


def test_every_operation_of_the_document_is_found_by_a_path_of_its_own(door: Door) -> None:
    document = door.app.openapi()
    table = OperationTable(document)
    for template, methods in document["paths"].items():
        path = template.replace("{", "x").replace("}", "x")
        for method, told in methods.items():
            found = table.find(method.upper(), path)
            assert found is not None, (method, template)
            assert (found.operation.operation_id, found.operation.template) == (told["operationId"], template)
    assert table.find("POST", "/v1/people/per_1:merge:again") is None


def test_what_shows_people_is_known_by_its_path(door: Door) -> None:
    operations = door.app.openapi()["paths"]
    table = OperationTable(operations and {"paths": operations})
    shown = {
        template
        for template in operations
        if (found := table.find("GET", template.replace("{", "x").replace("}", "x"))) and found.operation.shows_people
    }
    assert {
        "/v1/people",
        "/v1/people/{person_id}",
        "/v1/people/{person_id}/timeline",
        "/v1/people/{person_id}/receipts",
        "/v1/people/{person_id}/consent",
        "/v1/scoring/people/{person_id}",
        "/v1/referrals/{referral_id}",
    } <= shown
    assert not {"/v1/sources", "/v1/reps", "/v1/treatments", "/v1/reports/{name}"} & shown
