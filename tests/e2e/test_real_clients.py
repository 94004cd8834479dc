"""Real clients, recorded: what SDKs and browsers sent comes out as one recognized, recorded and scored person."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.suite import Suite

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "data" / "sdk_captures"
HOP_BY_HOP = {"host", "connection", "content-length", "accept-encoding"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(540),
    pytest.mark.skipif(not CAPTURES.exists(), reason="../shared/data/sdk_captures is not beside this checkout"),
]


def recorded(pattern: str) -> Iterator[dict[str, Any]]:
    for path in sorted(CAPTURES.glob(pattern)):
        for request in json.loads(path.read_text()):
            yield {**request, "file": path.name, "headers": _headers(request["headers"])}


def _headers(headers: Any) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, dict) else headers
    return {name: value for name, value in pairs if name.lower() not in HOP_BY_HOP}


def body_of(request: dict[str, Any]) -> bytes:
    if request.get("body_gzip_b64"):
        return base64.b64decode(request["body_gzip_b64"])
    return str(request["body_text"]).encode()


def write_keys() -> set[str]:
    keys = set()
    for request in recorded("segment_*.json"):
        if request.get("basic_auth_decoded"):
            keys.add(request["basic_auth_decoded"].rstrip(":"))
    return keys


def anonymous_ids_of_the_user() -> set[str]:
    ids = set()
    for request in recorded("segment_*.json"):
        ids |= set(re.findall(r'"anonymousId": ?"([^"]+)"', request.get("body_text") or ""))
    return ids


async def create_sources(suite: Suite) -> None:
    async with suite.client() as client:
        for key in sorted(write_keys()):
            kind = "web" if key.endswith("web") else "server"
            answer = await client.post(
                "/v1/sources", json={"name": key, "kind": kind, "write_key": key, "prefixes": ["/capture", "/ingest"]}
            )
            assert answer.status_code in (201, 409), answer.text


async def replay(suite: Suite, requests: Iterator[dict[str, Any]]) -> int:
    sent = 0
    async with aiohttp.ClientSession() as session:
        for request in requests:
            url = f"{suite.url}{request['path']}"
            async with session.request(
                request["method"], url, headers=request["headers"], data=body_of(request)
            ) as answer:
                text = await answer.text()
                assert answer.status in (200, 204), (request["file"], request["path"], answer.status, text)
                if request["method"] == "POST":
                    assert json.loads(text) == {"success": True}, (request["file"], request["path"], text)
                sent += 1
    return sent


async def people(suite: Suite, **query: str) -> list[dict[str, Any]]:
    async with suite.client() as client:
        answer = await client.get("/v1/people", params=query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])


async def test_recorded_sdks_become_one_scored_person(suite: Suite) -> None:
    await create_sources(suite)
    await replay(suite, recorded("segment_*.json"))
    await replay(suite, recorded("segment_*.json"))  # retries keep messageId: a second time changes nothing

    async def one_person() -> dict[str, Any]:
        found = await people(suite, user_id="u-1001")
        assert len(found) == 1
        ids = {each["value"] for each in found[0]["identifiers"] if each["kind"] == "anonymous_id"}
        assert ids >= anonymous_ids_of_the_user(), ids
        assert found[0]["scores"]["engagement"] > 0
        assert found[0]["profile"]["first_name"]["value"] == "Ada"
        return dict(found[0])

    person = await eventually(one_person, within=20)
    for anonymous_id in anonymous_ids_of_the_user():
        assert [each["person_id"] for each in await people(suite, anonymous_id=anonymous_id)] == [person["person_id"]]
    assert [each["person_id"] for each in await people(suite, email="ada.lovelace+news@example.com")] == [
        person["person_id"]
    ]
    assert person["scores"]["cell"]


async def test_every_recorded_event_is_in_the_timeline_once(suite: Suite) -> None:
    await create_sources(suite)
    await replay(suite, recorded("segment_*.json"))
    expected = {
        event["messageId"]
        for request in recorded("segment_*.json")
        if request["method"] == "POST"
        for event in (request["body_json"].get("batch") or [request["body_json"]])
    }

    async def all_there() -> None:
        seen = await timeline(suite, (await people(suite, user_id="u-1001"))[0]["person_id"])
        assert len(seen) == len(set(seen))
        assert set(seen) == expected, expected ^ set(seen)

    await eventually(all_there, within=20)


async def timeline(suite: Suite, person_id: str) -> list[str]:
    """The message ids of a person's interactions."""
    ids: list[str] = []
    cursor: str | None = None
    async with suite.client() as client:
        while True:
            answer = await client.get(
                f"/v1/people/{person_id}/timeline", params={"limit": "100", **({"cursor": cursor} if cursor else {})}
            )
            assert answer.status_code == 200, answer.text
            page = answer.json()
            ids += [item["message_id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return ids


async def test_recorded_browser_forms_become_people(suite: Suite) -> None:
    async with suite.client() as client:
        answer = await client.post("/v1/forms", json={"form_id": "recorded", "name": "Recorded forms"})
        assert answer.status_code in (201, 409), answer.text
    forms = [request for request in recorded("native_browser_forms*.json") if request["method"] == "POST"]
    async with aiohttp.ClientSession() as session:
        for request in forms:
            query = urlsplit(request["path"]).query
            url = f"{suite.url}/v1/forms/recorded" + (f"?{query}" if query else "")
            async with session.post(
                url, headers=request["headers"], data=body_of(request), allow_redirects=False
            ) as sent:
                assert sent.status in (200, 303), (request["path"], sent.status, await sent.text())

    async def recognized() -> None:
        for email in ("zoe.obrien+demo@example.co.uk", "zoe@example.com", "z@example.com"):
            found = await people(suite, email=email)
            assert len(found) == 1, email
            assert found[0]["scores"] is not None, email
            assert found[0]["profile"], email

    await eventually(recognized, within=20)
    zoe = (await people(suite, email="zoe.obrien+demo@example.co.uk"))[0]
    assert zoe["profile"]["last_name"]["value"] == "O'Brien & Søn"
    assert {"kind": "phone", "value": "+41446681800"}.items() <= next(
        each for each in zoe["identifiers"] if each["kind"] == "phone"
    ).items()
