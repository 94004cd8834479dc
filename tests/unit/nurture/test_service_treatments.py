"""The catalogue over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from chassis.web.auth import Principal
from services.nurture.main import create_service
from services.nurture.settings import NurtureSettings
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, running, token
from tests.unit.nurture.world import STORY, add, ask


async def test_a_treatment_is_written_read_and_revised(client: httpx.AsyncClient) -> None:
    first = await client.post("/v1/treatments", json=STORY | {"when": "company.employees >= 200"})
    assert first.status_code == 201
    treatment_id = first.json()["treatment_id"]
    assert (first.json()["revision"], first.json()["requires_consent"], first.json()["is_starter"]) == (1, False, False)
    second = await client.put(f"/v1/treatments/{treatment_id}", json=STORY | {"priority": 10})
    assert (second.status_code, second.json()["revision"]) == (200, 2)
    again = await client.put(f"/v1/treatments/{treatment_id}", json=STORY | {"priority": 10})
    assert again.json() == second.json()
    now = (await client.get(f"/v1/treatments/{treatment_id}")).json()
    before = (await client.get(f"/v1/treatments/{treatment_id}", params={"revision": 1})).json()
    assert (now["priority"], now["revision"], now["when"]) == (10, 2, None)
    assert (before["priority"], before["revision"], before["latest_revision"], before["when"]) == (
        90,
        1,
        2,
        "company.employees >= 200",
    )
    assert (await client.get(f"/v1/treatments/{treatment_id}", params={"revision": 3})).status_code == 404
    assert (await client.put("/v1/treatments/trt_nobody", json=STORY)).status_code == 404


async def test_another_system_s_id_makes_writing_repeatable(client: httpx.AsyncClient) -> None:
    first = await client.post("/v1/treatments", json=STORY | {"external_id": "cms-1"})
    same = await client.post("/v1/treatments", json=STORY | {"external_id": "cms-1"})
    other = await client.post("/v1/treatments", json=STORY | {"external_id": "cms-1", "priority": 3})
    assert (first.status_code, same.status_code, other.status_code) == (201, 200, 200)
    assert same.json() == first.json()
    assert (other.json()["treatment_id"], other.json()["revision"]) == (first.json()["treatment_id"], 2)
    second = await add(client, external_id="cms-2", name="Another")
    taken = await client.put(f"/v1/treatments/{second['treatment_id']}", json=STORY | {"external_id": "cms-1"})
    assert taken.status_code == 409
    assert taken.json()["errors"][0]["field"] == "body.external_id"
    kept = await client.put(f"/v1/treatments/{second['treatment_id']}", json=STORY)
    assert kept.json()["external_id"] == "cms-2"


async def test_an_empty_catalogue_starts_with_starters_that_can_be_switched_off(client: httpx.AsyncClient) -> None:
    page = (await client.get("/v1/treatments")).json()
    assert len(page["items"]) == 6
    assert all(item["is_starter"] for item in page["items"])
    guide = next(item for item in page["items"] if item["name"] == "A guide for beginners")
    assert (await ask(client, None))["treatment"]["treatment_id"] == guide["treatment_id"]
    kept = {key: guide[key] for key in ("name", "channel", "purpose", "buying_stages", "content")}
    off = await client.put(f"/v1/treatments/{guide['treatment_id']}", json=kept | {"is_active": False})
    assert off.json()["is_starter"]
    answer = await ask(client, None)
    assert answer["treatment"] is None
    assert ["is switched off"] in [one["reasons"] for one in answer["why_not"]]


async def test_the_catalogue_is_read_in_pages(client: httpx.AsyncClient) -> None:
    seen, cursor = [], None
    while True:
        page = (await client.get("/v1/treatments", params={"limit": 4} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [item["treatment_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        (
            {"when": 'stage.name == "mql" &&\n company.employes > 5'},
            "body.when: line 2, column 2",
            "Did you mean company.employees?",
        ),
        ({"when": "company.employees"}, "body.when: line 1, column 1", "true or false"),
        (
            {"valid_from": "2026-05-01T00:00:00Z", "valid_until": "2026-04-01T00:00:00Z"},
            "body",
            "valid_until should be later",
        ),
        ({"valid_from": "0001-01-01T00:00:00+14:00"}, "body.valid_from", "between 1970"),
        ({"priority": True}, "body.priority", "whole number"),
        ({"content": STORY["content"] | {"url": "javascript:alert(1)"}}, "body.content.url", "pattern"),
        ({"channel": "fax"}, "body.channel", "'web'"),
        ({"prioritaet": 1}, "body.prioritaet", "Did you mean priority?"),
        ({"stages": ["M Q L"]}, "body.stages.0", "pattern"),
    ],
    ids=["fact", "condition", "validity", "moment", "truth", "address", "channel", "extra", "stage"],
)
async def test_what_cannot_be_a_treatment_is_refused_by_field(
    client: httpx.AsyncClient, fields: dict[str, Any], field: str, words: str
) -> None:
    answer = await client.post("/v1/treatments", json=STORY | fields)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert words in f"{error['reason']} {error.get('remedy')}"
    assert len((await client.get("/v1/treatments")).json()["items"]) == 6


async def test_editing_is_for_marketing_and_operations(client: httpx.AsyncClient) -> None:
    sales = {"authorization": f"Bearer {token(Principal('rep', frozenset({'sales', 'manager', 'agent'})))}"}
    assert (await client.post("/v1/treatments", json=STORY, headers=sales)).status_code == 403
    assert (await client.put("/v1/treatments/trt_x", json=STORY, headers=sales)).status_code == 403
    assert (await client.get("/v1/treatments", headers=sales)).status_code == 200
    marketing = {"authorization": f"Bearer {token(Principal('ana', frozenset({'marketing'})))}"}
    assert (await client.post("/v1/treatments", json=STORY, headers=marketing)).status_code == 201


async def test_starters_do_not_come_back(nats_server: NatsServer, tmp_path: Path) -> None:
    settings = NurtureSettings(
        database_url=f"sqlite:///{tmp_path / 'store.db'}", nats_url=nats_server.url, token_public_key=PUBLIC_KEY
    )
    async with running(create_service(settings)) as nurture:
        mine = await add(nurture.client)
        async with nurture.runtime.writing() as context:
            await context.session.execute(text("DELETE FROM treatment WHERE is_starter"))
    async with running(create_service(settings)) as nurture:
        items = (await nurture.client.get("/v1/treatments")).json()["items"]
    assert [item["treatment_id"] for item in items] == [mine["treatment_id"]]
