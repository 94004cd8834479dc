"""The form endpoint: what browsers get, where they are sent on to, and that no lead is lost while NATS is away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.values import Flag
from gateway.domain.capture import CaptureSender
from gateway.domain.forms.form_body import decode
from gateway.domain.forms.submission import Form, FormReading, Visit, read_form
from gateway.forms import DOUBLE_CLICK, RecentPosts
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.unit.gateway.recordings import NOW, WEB, form_requests
from tests.unit.gateway.running import Door, gateway_settings, open_door

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def post(
    door: Door, data: Any = None, form_id: str = "default", headers: dict[str, str] | None = None, **options: Any
) -> Any:
    return await door.client.post(f"/v1/forms/{form_id}", data=data, headers=headers or {}, **options)


async def test_every_recorded_form_is_on_disk(door: Door) -> None:
    await door.api(
        "POST", "/v1/forms", json={"form_id": "recorded", "name": "Recorded", "return_urls": ["https://acme.test"]}
    )
    posts = [request for request in form_requests() if request.method == "POST"]
    for request in posts:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in ("host", "connection", "content-length")
        }
        query = {"encoding": "UTF-8"} if "encoding" in request.path else {}
        answer = await door.client.post("/v1/forms/recorded", params=query, headers=headers, content=request.body)
        assert answer.status_code == (303 if "WebToLead" in request.path else 200), request.path
    captured = await door.captured()
    # the same JSON came four times within a second
    assert len({event.meta.event_id for event in captured}) == len(posts) - 3
    emails = {identifier.value for event in captured for identifier in event.identifiers if identifier.kind == "email"}
    assert emails == {"zoe.obrien+demo@example.co.uk", "zoe@example.com", "z@example.com"}
    assert {event.interaction.context["locale"] for event in captured} == {"en-US"}


async def test_a_browser_gets_a_page_and_a_script_gets_json(door: Door) -> None:
    page = await post(door, {"email": "a@b.co"}, headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Thank you" in page.text
    script = await post(door, {"email": "a@b.co"}, headers={"accept": "application/json"})
    assert (script.status_code, script.json()) == (200, {"success": True})
    assert script.headers["access-control-allow-origin"] == "*"


async def test_a_browser_whose_form_is_refused_gets_a_page_and_a_script_gets_the_problem(door: Door) -> None:
    for form_id, data, status in (("nosuchform", {"email": "a@b.co"}, 404), ("default", {}, 422)):
        page = await post(door, data, form_id, BROWSER)
        assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "Your message was not sent" in page.text
        script = await post(door, data, form_id, {"accept": "application/json"})
        assert (script.status_code, script.headers["content-type"]) == (status, "application/problem+json")


async def test_only_an_allowed_page_is_returned_to(door: Door) -> None:
    await door.api(
        "POST", "/v1/forms", json={"form_id": "demo", "name": "Demo", "return_urls": ["https://acme.test/thanks"]}
    )
    sent_on = await post(door, {"email": "a@b.co", "retURL": "https://acme.test/thanks/zoë"}, "demo", BROWSER)
    assert (sent_on.status_code, sent_on.headers["location"]) == (303, "https://acme.test/thanks/zo%C3%AB")
    script = await post(door, {"email": "a@b.co", "retURL": "https://acme.test/thanks"}, "demo")
    assert script.json() == {"success": True, "return_url": "https://acme.test/thanks"}
    stranger = await post(door, {"email": "a@b.co", "retURL": "https://evil.test/"}, "demo", BROWSER)
    assert stranger.status_code == 200
    assert "location" not in stranger.headers


async def test_the_visit_s_cookie_joins_and_the_trap_is_flagged(door: Door) -> None:
    await door.api("POST", "/v1/forms", json={"form_id": "trap", "name": "Trap", "honeypot": "fax2"})
    await post(
        door,
        {"email": "a@b.co", "fax2": "x"},
        "trap",
        {"cookie": "x=1; ajs_anonymous_id=anon-7", "referer": "https://acme.test/?utm_source=ad"},
    )
    (event,) = await door.captured()
    assert [identifier.value for identifier in event.identifiers] == ["a@b.co", "anon-7"]
    assert event.interaction.flags == (Flag.HONEYPOT,)
    assert event.interaction.context["campaign"] == {"source": "ad"}
    assert event.interaction.name == "Trap"


async def test_a_large_file_is_dropped_and_the_lead_is_kept(door: Door) -> None:
    answer = await post(
        door, {"email": "a@b.co"}, files={"cv": ("cv.pdf", b"%PDF" + b"\x00" * 4_000_000, "application/pdf")}
    )
    assert answer.status_code == 200
    (event,) = await door.captured()
    assert event.interaction.context["files"] == ["cv.pdf"]


async def test_what_is_no_form_post_is_refused(door: Door) -> None:
    assert (await post(door, {"email": "a@b.co"}, "no-such-form")).status_code == 404
    assert (await post(door, {"email": "a@b.co"}, "%00")).status_code in (400, 404)
    wrong = [
        (b"x", {"content-type": "multipart/form-data"}, 400),
        (b"{", {"content-type": "application/json"}, 400),
        (b"<a/>", {"content-type": "text/xml"}, 415),
        (b"a=1", {"content-type": "application/x-www-form-urlencoded", "content-length": "99999999"}, 413),
        (
            b"&".join(b"f%d=%b" % (number, b"x" * 9_000) for number in range(40)),
            {"content-type": "application/x-www-form-urlencoded"},
            413,
        ),
    ]
    for body, headers, status in wrong:
        answer = await door.client.post("/v1/forms/default", content=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), body[:40]
    assert await door.captured() == []


async def test_a_form_switched_off_is_gone_at_once_and_comes_back(door: Door) -> None:
    for is_enabled, status in ((False, 404), (True, 200)):
        assert (await door.api("PATCH", "/v1/forms/default", json={"is_enabled": is_enabled})).status_code == 200
        assert (await post(door, {"email": "a@b.co"})).status_code == status


async def test_a_form_posted_while_nats_is_away_is_stored_here_and_drained_in_order(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db")) as door:
        nats_server.kill()
        await eventually(lambda: not door.runtime.broker.is_connected)
        answers = [await post(door, {"email": f"{number}@b.co"}) for number in range(5)]
        assert [answer.status_code for answer in answers] == [202] * 5
        refused = await door.send("/v1/track", {"event": "e", "userId": "u"})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["access-control-allow-origin"] == "*"
        nats_server.start()

        async def drained() -> list[str]:
            return [event.identifiers[0].value for event in await door.captured()]

        async def all_there() -> bool:
            return door.runtime.broker.is_ready and await drained() == [f"{number}@b.co" for number in range(5)]

        await eventually(all_there, within=15)


async def test_a_form_stored_here_outlives_the_gateway(nats_server: NatsServer, tmp_path: Path) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "g.db", drain_seconds=0.2)
    async with open_door(settings) as door:
        nats_server.kill()
        await eventually(lambda: not door.runtime.broker.is_connected)
        assert (await post(door, {"email": "kept@b.co"})).status_code == 202
    nats_server.start()
    async with open_door(settings) as door:

        async def there() -> bool:
            return [event.identifiers[0].value for event in await door.captured()] == ["kept@b.co"]

        await eventually(there, within=15)


# --- double clicks
# ------------------------------------------------------------------------------------------------------------


def reading(body: bytes = b"email=a@b.co") -> FormReading:
    return read_form(
        Form("f", WEB, "F"), decode(body, "application/x-www-form-urlencoded"), Visit(CaptureSender()), NOW
    )


@pytest.mark.parametrize(
    ("later", "is_same"),
    [(timedelta(seconds=1), True), (DOUBLE_CLICK, True), (DOUBLE_CLICK + timedelta(seconds=61), False)],
)
def test_a_double_click_is_one_message_even_over_the_turn_of_the_minute(later: timedelta, is_same: bool) -> None:
    recent, first_at = RecentPosts(), NOW.replace(second=59)
    first = recent.message_id(reading(), first_at)
    assert (recent.message_id(reading(), first_at + later) == first) is is_same


def test_a_named_message_is_taken_at_its_word() -> None:
    assert RecentPosts().message_id(reading(b"email=a@b.co&message_id=m-1"), NOW) == "m-1"


async def test_a_form_sent_by_get_is_not_taken_and_both_sides_hear_of_it(door: Door) -> None:
    query = {"email": "zoe@example.com", "first_name": "Zoe", "x" * 400: "1"}
    page = await door.client.get("/v1/forms/default", params=query, headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (405, "text/html; charset=utf-8")
    assert page.headers["allow"] == "POST, OPTIONS"
    assert "was not sent" in page.text
    assert "zoe" not in page.text.lower()
    assert (await door.client.get("/v1/forms/nobodys", params=query, headers=BROWSER)).status_code == 404
    assert await door.captured() == []

    async def is_listed() -> None:
        (listed,) = (await door.api("GET", "/v1/sources/src_default/rejects")).json()["items"]
        assert (listed["field"], listed["excerpt"][:26]) == ("method", "fields: email, first_name,")
        assert 'method="post"' in listed["reason"]
        assert "zoe@" not in listed["excerpt"]

    await eventually(is_listed)
    read = await door.api("GET", "/v1/forms/default", headers=BROWSER)
    assert (read.status_code, read.json()["form_id"]) == (200, "default"), "with a key it is the API's"
