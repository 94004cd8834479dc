"""What real senders write where something else was meant: empty lists for maps, integers of any length, traits under
any of their names.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.gateway import InteractionReceived
from gateway.domain.batch import read_batch
from gateway.domain.body import parse
from gateway.domain.capture import Capture
from tests.unit.gateway.recordings import arrival


def captures(*events: dict[str, Any], **batch: Any) -> list[InteractionReceived]:
    raw = json.dumps({"batch": list(events), **batch}).encode()
    reading = read_batch(parse(raw), len(raw), arrival())
    assert reading.rejects == ()
    return [said(capture) for capture in reading.captures]


def said(capture: Capture) -> InteractionReceived:
    event = InteractionReceived.from_wire(capture.headers(), capture.body)
    assert event.body() == capture.body
    return event


@pytest.mark.parametrize("field", ["traits", "properties", "context", "integrations"])
def test_an_empty_list_where_a_map_is_meant_is_an_empty_map(field: str) -> None:
    event = {"type": "track", "event": "Signed Up", "userId": "u", "messageId": "m"}
    (empty,) = captures({**event, field: []})
    (absent,) = captures({**event, field: {}})
    assert empty.body() == absent.body()


def test_a_batch_with_an_empty_context_and_events_with_none_are_whole() -> None:
    event = {"type": "track", "event": "Signed Up", "userId": "u", "messageId": "m"}
    assert [one.interaction.context for one in captures(event, {**event, "context": []}, context=[])] == [{}, {}]
    (told,) = captures({**event, "context": []}, context={"app": {"name": "shop"}})
    assert told.interaction.context == {"app": {"name": "shop"}}
    (odd,) = captures({**event, "context": {"traits": [], "page": [], "campaign": []}})
    assert odd.interaction.traits == {}


@given(st.integers(-(10**40), 10**40) | st.integers(2**63 - 9, 2**64 + 9), st.booleans())
def test_an_integer_of_any_length_keeps_its_digits(number: int, beside_nan: bool) -> None:
    raw = b'{"a": {"b": [%d]}, "c": %s}' % (number, b"NaN" if beside_nan else b"1")
    (kept,) = parse(raw)["a"]["b"]
    assert str(kept) == str(number)
    assert isinstance(kept, int) is (-(2**63) <= number < 2**64)


@pytest.mark.parametrize("field", ["userId", "anonymousId", "messageId", "groupId", "previousId"])
def test_two_long_ids_that_differ_by_one_stay_two(field: str) -> None:
    first, second = 110169484474386276334001, 110169484474386276334002
    kind = {"groupId": "group", "previousId": "alias"}.get(field, "identify")
    base = {"type": kind, "userId": "u", "previousId": "p", "groupId": "g", "messageId": "m"}
    one, other = captures({**base, field: first}, {**base, field: second})
    assert str(first) in one.body().decode()
    assert str(second) in other.body().decode()
    assert one.body() != other.body()


def test_digits_within_texts_and_fractions_are_left_as_they_are() -> None:
    text = '{"a": "x: 123456789012345678901234567890,", "b": 0.1234567890123456789012345}'
    assert parse(text.encode()) == {"a": "x: 123456789012345678901234567890,", "b": 0.12345678901234568}


@pytest.mark.parametrize(
    ("traits", "value"),
    [
        ({"E-Mail": "ada@example.com"}, "ada@example.com"), ({"workEmail": "ada@example.com"}, "ada@example.com"),
        ({"email_address": "nobody", "mail": "ada@example.com"}, "ada@example.com"),
        ({"billing_email": "bills@example.com", "email": "ada@example.com"}, "ada@example.com"),
        ({"friend_email": "bob@example.com"}, None),
        ({"manager_email": "bob@example.com", "note": "a@b.example"}, None),
    ],
)  # fmt: skip
def test_an_address_is_found_under_any_of_its_names_and_nobody_else_s(
    traits: dict[str, str], value: str | None
) -> None:
    (event,) = captures({"type": "identify", "userId": "u", "traits": traits})
    assert [one.value for one in event.identifiers if one.kind == "email"] == ([value] if value else [])
