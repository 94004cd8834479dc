"""What every answer has: an id to ask about it by, and no more bytes than it needs."""

from __future__ import annotations

import re

from tests.unit.gateway.running import Door, PlayedService


async def test_every_answer_has_an_id_and_a_refusal_says_the_same_one(door: Door) -> None:
    for path in ("/v1/sources", "/docs", "/problems"):
        answer = await door.api("GET", path)
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"]), path
    refused = await door.api("GET", "/v1/nowhere")
    assert refused.headers["x-request-id"] == refused.json()["trace_id"]


async def test_an_answer_that_a_service_gave_has_one_id(door: Door, lifecycle: PlayedService) -> None:
    lifecycle.says("GET", "/v1/lifecycle/process", {"stages": []})
    answer = await door.api("GET", "/v1/lifecycle/process")
    assert len(answer.headers.get_list("x-request-id")) == 1


async def test_a_long_answer_is_packed_for_whoever_asks_and_a_short_one_is_not(
    door: Door, lifecycle: PlayedService
) -> None:
    lifecycle.says("GET", "/v1/lifecycle/process", {"stages": ["qualified"] * 500})
    packed = await door.api("GET", "/v1/lifecycle/process", headers={"accept-encoding": "gzip"})
    plain = await door.api("GET", "/v1/lifecycle/process", headers={"accept-encoding": "identity"})
    assert (packed.headers["content-encoding"], packed.json()) == ("gzip", plain.json())
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in (await door.api("GET", "/v1/sources")).headers
