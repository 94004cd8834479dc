"""How reps hear of leads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx

from demo.api import Api
from demo.cast.alert_feeds import OfferSeen, offers
from demo.cast.roster import SEATS, Hired, Way

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def a_rep(way: Way) -> Hired:
    return Hired(next(seat for seat in SEATS if seat.way is way), "rep_1", "rk_1")


def an_event(number: int, kind: str = "offered") -> str:
    return f"id: {number}\nevent: alert\ndata: {json.dumps({'kind': kind, 'referral_id': f'ref_{number}'})}\n\n"


async def first(heard: AsyncIterator[OfferSeen], count: int) -> list[str]:
    found: list[str] = []
    async for offer in heard:
        found.append(offer.referral_id)
        if len(found) == count:
            break
    return found


async def test_a_stream_that_breaks_off_is_resumed_after_the_last_event() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        told = an_event(7) + an_event(8, "withdrawn") if len(asked) == 1 else an_event(9)
        return httpx.Response(200, text=f"retry: 2000\nid: 6\nevent: listening\ndata: {{}}\n\n{told}")

    api = Api("http://rapport.example", "rk_1", httpx.MockTransport(answer))
    assert await first(offers(a_rep(Way.STREAM), api, NOW), 2) == ["ref_7", "ref_9"]
    assert asked[0].url.params["since"] == NOW.isoformat()
    assert "last-event-id" not in asked[0].headers
    assert asked[1].headers["last-event-id"] == "8"
    assert "since" not in asked[1].url.params


async def test_who_asks_now_and_then_is_told_of_a_lead_once() -> None:
    rounds = [["ref_1"], ["ref_1", "ref_2"]]
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        items = [{"referral_id": referral_id} for referral_id in rounds[min(len(asked), len(rounds)) - 1]]
        return httpx.Response(200, json={"items": items, "next_cursor": None})

    api = Api("http://rapport.example", "rk_1", httpx.MockTransport(answer))
    assert await first(offers(a_rep(Way.POLLING), api, NOW), 2) == ["ref_1", "ref_2"]
    assert dict(asked[0].url.params) == {"state": "offered", "rep_id": "rep_1", "limit": "100"}
