"""How steps reach the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from demo.cast.alert_feeds import events_of
from demo.errors import Trouble
from demo.market.steps import EntryPoint, Step
from demo.market.timeline import make_market
from demo.traffic.forms import Browser
from demo.traffic.sender import slices
from demo.traffic.treatments import Teasers

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def a_step(number: int, door: EntryPoint = EntryPoint.SITE, kind: str = "page", **more: Any) -> Step:
    known = {"name": "Home", "user_id": None, "anonymous_id": "visitor", "data": {"path": "/"}} | more
    return Step(NOW, "demo-1-0001", f"m{number}", door, kind, **known)


def test_slices_leave_out_nothing_keep_the_order_and_end_with_a_form() -> None:
    steps = make_market("kestrel", 1, 300, NOW).steps
    cut = list(slices(steps))
    assert [step for part in cut for step in part] == list(steps)
    assert all(step.door is not EntryPoint.FORM for part in cut for step in part[:-1])
    assert max(map(len, cut)) == 25


async def test_a_form_is_posted_as_a_browser_does() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(303)

    browser = Browser("http://rapport.example", {"demo": "demo-1-demo"}, httpx.MockTransport(answer))
    context = {"page_url": "https://www.kestrel-desk.example/demo?utm_source=letter"}
    await browser.post(
        a_step(
            1,
            EntryPoint.FORM,
            "form",
            name="demo",
            data={"email": "léa@b.example", "message": "Hello & welcome"},
            context=context,
        )
    )
    (request,) = asked
    assert request.url.path == "/v1/forms/demo-1-demo"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["referer"] == context["page_url"]
    assert request.headers["cookie"] == "ajs_anonymous_id=visitor"
    assert parse_qs(request.content.decode()) == {"email": ["léa@b.example"], "message": ["Hello & welcome"]}


async def test_a_form_that_is_not_taken_ends_the_demo() -> None:
    browser = Browser(
        "http://rapport.example",
        {"demo": "gone"},
        httpx.MockTransport(lambda _: httpx.Response(404, text="no such form")),
    )
    with pytest.raises(Trouble, match="POST /v1/forms/gone gives 404 no such form"):
        await browser.post(
            a_step(1, EntryPoint.FORM, "form", name="demo", context={"page_url": "https://www.kestrel-desk.example/"})
        )


async def test_every_eighth_page_of_the_site_asks_what_to_show() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"treatment": {"name": "A guide"} if len(asked) == 1 else None})

    teasers = Teasers("http://rapport.example", "wk_1", httpx.MockTransport(answer))
    await teasers.look([a_step(number) for number in range(17)])
    await teasers.look([a_step(number, EntryPoint.STAGING) for number in range(17)])
    assert [request.headers["authorization"] for request in asked] == ["Bearer wk_1"] * 2
    assert teasers.shown == {"A guide": 1, "(nothing fits)": 1}


async def test_server_sent_events_are_read_whole() -> None:
    async def lines() -> AsyncIterator[str]:
        for line in (
            "retry: 2000",
            "",
            ": still here",
            "id: 7",
            "event: alert",
            'data: {"a":',
            "data: 1}",
            "",
            "id: 8",
            "data:x",
            "",
        ):
            yield line

    assert [event async for event in events_of(lines())] == [
        {"id": "7", "event": "alert", "data": '{"a":\n1}'},
        {"id": "8", "data": "x"},
    ]
