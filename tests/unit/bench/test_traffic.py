"""The traffic of the pairs has the shares that it is said to have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

import orjson

from bench.pairs import traffic
from bench.pairs.traffic import TimedRequest


def calls(requests: Iterable[TimedRequest]) -> list[dict[str, Any]]:
    return [call for request in requests if request.path == "/v1/batch" for call in orjson.loads(request.body)["batch"]]


def test_web_traffic_is_nine_tenths_page_views() -> None:
    requests = traffic.web("w", 3_000)
    forms = [request for request in requests if request.path == "/v1/forms/default"]
    kinds = Counter(call["type"] for call in calls(requests))
    assert (kinds, len(forms)) == ({"page": 2_700, "track": 240, "identify": 30}, 30)
    assert sum(request.captures for request in requests) == 3_000
    assert max(request.captures for request in requests) == traffic.PER_BATCH


def test_any_number_of_captures_can_be_asked_for() -> None:
    for captures in (1, 99, 250):
        assert sum(request.captures for request in traffic.web("w", captures)) == captures


def test_visitors_come_back_and_no_message_comes_twice() -> None:
    sent = calls(traffic.web("w", 2_000))
    assert len({call["messageId"] for call in sent}) == len(sent)
    assert 350 < len({call["anonymousId"] for call in sent}) <= 500


def test_contenders_get_the_same_and_rounds_do_not() -> None:
    assert traffic.web("w0", 300) == traffic.web("w0", 300)
    first, second = calls(traffic.web("w0", 300)), calls(traffic.web("w1", 300))
    assert not {call["messageId"] for call in first} & {call["messageId"] for call in second}
    assert [call["type"] for call in first] == [call["type"] for call in second]


def test_new_people_are_never_seen_twice() -> None:
    sent = calls(traffic.new("n", 120))
    assert len({call["anonymousId"] for call in sent}) == len(sent) == 120
    assert {call["type"] for call in sent} == {"page"}


def test_a_store_is_filled_with_exactly_so_many_people() -> None:
    sent = calls(traffic.filling("base", range(1_010)))
    kinds = Counter(call["type"] for call in sent)
    assert kinds == {"page": 1_010, "identify": 51}
    assert {call["anonymousId"] for call in sent} == {f"base-{number}" for number in range(1_010)}


def test_half_of_those_who_return_were_filled_in() -> None:
    sent = calls(traffic.returning("r", "base", 1_000, 400))
    known = [call for call in sent if call["anonymousId"].startswith("base-")]
    numbers = {int(call["anonymousId"].partition("-")[2]) for call in known}
    assert len(known) == 200
    assert max(numbers) < 1_000
    assert max(numbers) - min(numbers) > 800
    filled = {call["messageId"] for call in calls(traffic.filling("base", range(1_000)))}
    assert not filled & {call["messageId"] for call in sent}


def test_who_returns_in_every_round_says_something_new_each_time() -> None:
    first, second = (
        {call["messageId"] for call in calls(traffic.returning(f"r{turn}", "base", 5, 400))} for turn in (0, 1)
    )
    assert len(first) == len(second) == 400
    assert not first & second


def test_a_form_is_sent_as_a_browser_sends_it() -> None:
    form = next(
        request for request in traffic.web("w", 200) if request.captures == 1 and request.path.startswith("/v1/forms/")
    )
    assert form.content_type == "application/x-www-form-urlencoded"
    assert parse_qs(form.body.decode())["email"][0].endswith("@bench.example")
