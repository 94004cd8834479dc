"""Sources, forms and keys: made, shown, changed, and effective at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chassis.store.migrate import drift
from gateway import store
from gateway.webhooks import tables
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.stores import prepare
from tests.unit.gateway.running import API_KEY, WRITE_KEY, Door, gateway_settings, open_door

EVENT = {"event": "e", "userId": "u"}


async def test_the_migrations_make_what_the_tables_say(store_url: str) -> None:
    await prepare(store_url, "gateway.migrations")
    assert tables.WebhookRow.metadata is store.Table.metadata
    assert await drift(store_url, store.Table.metadata) == []


async def test_the_gateway_runs_on_postgresql(nats_server: NatsServer, postgres_url: str, tmp_path: Path) -> None:
    async with open_door(gateway_settings(nats_server.url, tmp_path / "unused", database_url=postgres_url)) as door:
        made = (await door.api("POST", "/v1/sources", json={"name": "site", "prefixes": ["/x"]})).json()
        assert (await door.send("/x/v1/track", EVENT, auth=(made["write_key"], ""))).status_code == 200
        await door.send("/v1/track", {"userId": "u", "event": 0x1F}, auth=(made["write_key"], ""))
        assert (await door.send("/v1/track", {"a": "x\x00"})).status_code == 422
        listed = await door.api("GET", "/v1/sources")
        assert [item["source_id"] for item in listed.json()["items"]] == sorted(["src_default", made["source_id"]])
        assert (await door.api("GET", "/v1/sources/%00")).status_code in (400, 404)


async def test_a_source_can_capture_as_soon_as_it_is_made(door: Door) -> None:
    made = await door.api(
        "POST", "/v1/sources", json={"name": "shop", "kind": "server", "prefixes": ["/shop/", "shop"], "is_test": True}
    )
    source = made.json()
    assert (made.status_code, source["prefixes"], source["is_test"]) == (201, ["/shop"], True)
    assert (await door.send("/shop/v1/track", EVENT, auth=(source["write_key"], ""))).status_code == 200
    (event,) = await door.captured()
    assert (event.interaction.source_id, event.interaction.is_test) == (source["source_id"], True)
    shown = (await door.api("GET", f"/v1/sources/{source['source_id']}")).json()
    assert "write_key" not in shown
    assert shown["write_key_hint"] == "..." + source["write_key"][-4:]


async def test_a_write_key_belongs_to_one_source(door: Door) -> None:
    wish = {"name": "own", "write_key": "a-key-of-our-own"}
    assert (await door.api("POST", "/v1/sources", json=wish)).status_code == 201
    again = await door.api("POST", "/v1/sources", json=wish)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "body.write_key")
    assert (await door.send("/v1/track", EVENT, auth=("a-key-of-our-own", ""))).status_code == 200


async def test_a_source_switched_off_is_refused_at_once(door: Door) -> None:
    for is_enabled, status in ((False, 401), (True, 200)):
        changed = await door.api("PATCH", "/v1/sources/src_default", json={"is_enabled": is_enabled, "name": "renamed"})
        assert changed.json()["name"] == "renamed"
        assert (await door.send("/v1/track", EVENT)).status_code == status


async def test_a_change_made_elsewhere_is_seen_soon(nats_server: NatsServer, tmp_path: Path) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "g.db", refresh_seconds=0.05)
    async with open_door(settings) as one, open_door(settings) as other:
        key = (await one.api("POST", "/v1/sources", json={"name": "new"})).json()["write_key"]

        async def known() -> bool:
            return (await other.send("/v1/track", EVENT, auth=(key, ""))).status_code == 200

        await eventually(known)


async def test_lists_come_in_pages(door: Door) -> None:
    for number in range(5):
        await door.api("POST", "/v1/forms", json={"form_id": f"form-{number}", "name": "F"})
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await door.api("GET", "/v1/forms", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [item["form_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["default", *(f"form-{number}" for number in range(5))]


async def test_a_form_is_made_shown_and_changed(door: Door) -> None:
    wish = {
        "form_id": "demo",
        "name": "Demo",
        "preset": "hubspot",
        "mapping": {"f1": "email"},
        "honeypot": "x",
        "return_urls": ["https://acme.test"],
    }
    made = await door.api("POST", "/v1/forms", json=wish)
    assert made.status_code == 201
    assert made.json().items() >= wish.items()
    assert (await door.api("POST", "/v1/forms", json=wish)).status_code == 409
    changed = await door.api("PATCH", "/v1/forms/demo", json={"preset": None, "mapping": {"f2": "phone"}})
    assert (changed.json()["preset"], changed.json()["mapping"], changed.json()["honeypot"]) == (
        None,
        {"f2": "phone"},
        "x",
    )
    assert (await door.api("GET", "/v1/forms/demo")).json() == changed.json()


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("/v1/sources", {}, "body.name"),
    ("/v1/sources", {"name": " "}, "body.name"),
    ("/v1/sources", {"name": "a\x00"}, "body.name"),
    ("/v1/sources", {"name": "a", "kind": "other"}, "body.kind"),
    ("/v1/sources", {"name": "a", "write_key": "short"}, "body.write_key"),
    ("/v1/sources", {"name": "a", "write_key": "with:colon:inside"}, "body.write_key"),
    ("/v1/sources", {"name": "a", "prefixes": ["//"]}, "body.prefixes.0"),
    ("/v1/sources", {"name": "a", "nane": "b"}, "body.nane"),
    ("/v1/forms", {"name": "a", "form_id": "with space"}, "body.form_id"),
    ("/v1/forms", {"name": "a", "return_urls": ["javascript:alert(1)"]}, "body.return_urls.0"),
    ("/v1/forms", {"name": "a", "preset": "nothing"}, "body.preset"),
    ("/v1/keys", {"subject": "a", "roles": []}, "body.roles"),
    ("/v1/keys", {"subject": "a", "roles": ["king"]}, "body.roles.0"),
]


async def test_a_wrong_wish_is_told_by_its_field(door: Door) -> None:
    for path, body, field in WRONG:
        answer = await door.api("POST", path, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), (path, body)


async def test_a_form_needs_a_source_that_is_there(door: Door) -> None:
    answer = await door.api("POST", "/v1/forms", json={"name": "a", "source_id": "src_nobody"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (404, "body.source_id")


async def test_a_key_opens_what_its_roles_may_and_nothing_once_revoked(door: Door) -> None:
    made = (await door.api("POST", "/v1/keys", json={"subject": "dana@acme.test", "roles": ["marketing"]})).json()
    headers = {"authorization": f"Bearer {made['api_key']}"}
    assert (await door.client.get("/v1/sources", headers=headers)).status_code == 200
    assert (await door.client.post("/v1/sources", json={"name": "a"}, headers=headers)).status_code == 403
    assert (await door.client.get("/v1/keys", headers=headers)).status_code == 403
    assert (await door.api("DELETE", f"/v1/keys/{made['key_id']}")).status_code == 204
    assert (await door.client.get("/v1/sources", headers=headers)).status_code == 401
    listed = (await door.api("GET", "/v1/keys")).json()["items"]
    assert [(item["subject"], item["is_revoked"]) for item in listed] == [
        ("dana@acme.test", True),
        ("bootstrap", False),
    ]
    assert (await door.api("DELETE", "/v1/keys/key_nobody")).status_code == 404


async def test_no_key_opens_nothing(door: Door) -> None:
    for headers in (
        {},
        {"authorization": "Bearer nonsense"},
        {"authorization": API_KEY},
        {"authorization": f"Bearer {WRITE_KEY}"},
    ):
        for path in (
            "/v1/sources",
            "/v1/forms",
            "/v1/keys",
            "/v1/people",
            "/v1/accounts",
            "/v1/people/per_1/links",
            "/v1/sources/src_default/tail",
        ):
            answer = await door.client.get(path, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), path


def everything_under(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("gateway.db*"))


async def test_keys_are_nowhere_in_the_store(door: Door, tmp_path: Path) -> None:
    made = (await door.api("POST", "/v1/sources", json={"name": "a"})).json()
    kept = everything_under(tmp_path)
    assert made["source_id"].encode() in kept
    for key in (made["write_key"], API_KEY, WRITE_KEY):
        assert key.encode() not in kept


async def test_a_second_start_changes_nothing_and_a_new_bootstrap_key_replaces_the_old(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    for key in (WRITE_KEY, WRITE_KEY, "another-write-key"):
        async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db", bootstrap_write_key=key)) as door:
            assert (await door.send("/v1/track", EVENT, auth=(key, ""))).status_code == 200
            assert len((await door.api("GET", "/v1/sources")).json()["items"]) == 1
            if key != WRITE_KEY:
                assert (await door.send("/v1/track", EVENT)).status_code == 401
