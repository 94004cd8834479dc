"""The fast reading of events is the plain one, byte for byte: captures, headers, lanes, rejects, refusals, and in the
same order.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.limits import EVENT_LEVELS
from contracts.values import InteractionKind, SourceKind
from gateway.domain import batch as fast
from gateway.domain.body import parse
from gateway.domain.capture import CaptureSender, CaptureSource
from gateway.domain.refusal import CaptureRefused
from tests.unit.gateway.plain import batch as plain
from tests.unit.gateway.recordings import NOW, arrival
from tests.unit.gateway.test_bodies import anything
from tests.unit.gateway.test_sizes import large


def nested(levels: int, inner: Any) -> Any:
    """`inner` in so many objects and arrays, in turns."""
    for level in range(levels):
        inner = {"in": inner} if level % 2 else [inner]
    return inner


deep = st.builds(
    nested,
    st.integers(EVENT_LEVELS - 6, EVENT_LEVELS + 4) | st.sampled_from((2, 240, 300)),
    st.sampled_from((1, "[", {}, [])),
)
wide = st.integers(0, 70).map(lambda count: [{"sku": number} for number in range(count)])
odd = st.one_of(anything, large, deep, wide, st.just("[{" * 40))
words = ("", " u ", "u-1", "a@b.example", "Ada@Example.com ", "x" * 300, "x" * 600, "Signed Up", "inviteSent", "Lead")
names = st.sampled_from((*words, 7, 7.0, 7.5, True, None))
addresses = st.sampled_from(("ada@b.example", " a@b.example", "no address", "", 1, None, {"is": "none"}))
numbers = st.sampled_from(("+44 20 7946 0000", "1234", 442079460000, 12.5, True, "9" * 600, None))
companies: st.SearchStrategy[Any] = st.sampled_from(
    (
        *("Acme", " ", "", 7, [], {}, {"name": " Acme ", "id": 7}, {"name": 7, "id": {}}),
        *({"id": "a", "website": "https://www.acme.test/x"}, {"url": "http://["}),
    )
)
moments: st.SearchStrategy[Any] = st.sampled_from(
    (
        *(
            "2026-11-22T02:50:00.000Z",
            "2026-11-22T02:49:30Z",
            "2026-11-22T02:50:04+00:00",
            "2026-11-22T03:50:00.5+01:00",
            "2026-11-22",
        ),
        *("2026-11-22T02:50:00", "2026-11-25T00:00:00Z", "0001-01-01T00:00:00+14:00", "yesterday", "", "9" * 50),
        *("1763779800", 1763779800, 1763779800123, 1e300, True, None, {}, [1]),
    )
)
pages = st.fixed_dictionaries(
    {}, optional={"path": st.just("/a"), "title": names, "category": names, "email": addresses, "phone": numbers}
)
people = st.fixed_dictionaries(
    {}, optional={"email": addresses, "Email": addresses, "phone": numbers, "company": companies, "x": odd}
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "page": pages | st.just("p"),
        "traits": people | names,
        "ip": names,
        "userAgent": names,
        "groupId": names | deep,
        "x": odd,
    },
)
plausible = st.fixed_dictionaries(
    {"type": st.sampled_from(("identify", "track", "page", "screen", "group", "alias"))},
    optional={
        **dict.fromkeys(
            (
                "userId",
                "user_id",
                "anonymousId",
                "anonymous_id",
                "previousId",
                "groupId",
                "messageId",
                "message_id",
                "event",
                "name",
            ),
            names,
        ),
        **dict.fromkeys(("timestamp", "sentAt", "originalTimestamp", "sent_at"), moments),
        **dict.fromkeys(("category", "writeKey", "integrations", "action"), names | deep),
        "traits": people | odd,
        "properties": pages | odd,
        "context": contexts | odd,
    },
)
# most events are good: userId and event are there unless something else took their place
whole = st.builds(lambda event: {"userId": "u", "event": "Demo Requested", **event}, plausible)
batches = st.fixed_dictionaries(
    {"batch": st.lists(whole | plausible | anything, max_size=12)},
    optional={"context": contexts | anything, "sentAt": moments, "sent_at": moments},
)
arrivals = st.builds(
    arrival,
    st.builds(CaptureSource, st.just("src_1"), st.sampled_from(SourceKind), st.booleans()),
    st.just(NOW),
    st.builds(CaptureSender, st.sampled_from((None, "203.0.113.9")), st.sampled_from((None, "Mozilla/5.0"))),
)


def told(refused: CaptureRefused) -> tuple[Any, ...]:
    return refused.field, refused.reason, refused.fault


def in_full(capture: Any) -> tuple[Any, ...]:
    return capture.event_id, capture.lane_key, capture.subject(1), capture.subject(8), capture.headers(), capture.body


def of_batch(reader: Any, raw: bytes, came: fast.BatchArrival) -> Any:
    """All that comes of a batch.

    The body is parsed for each reader, as neither may rely on what the other left of it.
    """
    try:
        reading = reader.read_batch(parse(raw), len(raw), came)
    except CaptureRefused as refused:
        return told(refused)
    return [in_full(capture) for capture in reading.captures], reading.rejects


def of_single(reader: Any, raw: bytes, kind: InteractionKind, came: fast.BatchArrival) -> Any:
    try:
        return in_full(reader.read_single(parse(raw), kind, came))
    except CaptureRefused as refused:
        return told(refused)


@settings(max_examples=250)
@given(batches, arrivals)
@example(
    {
        "batch": [
            {"type": "track", "event": "e", "userId": "u", "category": nested(64, 1), "properties": {"category": "c"}}
        ]
    },
    arrival(),
)
@example({"batch": [{"type": "track", "userId": nested(64, 1)}]}, arrival())
@example(
    {
        "batch": [
            {"type": "page", "userId": "u", "x": nested(300, 1)},
            {"type": "page", "user_id": "u", "x": nested(300, 1)},
        ]
    },
    arrival(),
)
@example(
    {
        "batch": [
            {"type": "page", "userId": "u", "x": nested(62, 1)},
            {"type": "page", "userId": "u", "x": nested(63, 1)},
        ]
    },
    arrival(),
)
@example(
    {
        "batch": [{"type": "track", "event": "e", "userId": "u", "sent_at": "2026-11-22T02:49:30Z", "timestamp": 1}],
        "sentAt": 5,
    },
    arrival(),
)
def test_a_batch_is_read_as_the_plain_reading_has_it(batch: dict[str, Any], came: fast.BatchArrival) -> None:
    raw = json.dumps(batch).encode()
    assert of_batch(fast, raw, came) == of_batch(plain, raw, came)


@settings(max_examples=200)
@given(
    whole | plausible, st.sampled_from([kind for kind in InteractionKind if kind is not InteractionKind.FORM]), arrivals
)
def test_a_single_event_is_read_as_the_plain_reading_has_it(
    event: dict[str, Any], kind: InteractionKind, came: fast.BatchArrival
) -> None:
    raw = json.dumps(event).encode()
    assert of_single(fast, raw, kind, came) == of_single(plain, raw, kind, came)


@pytest.mark.parametrize("levels", [EVENT_LEVELS - 2, EVENT_LEVELS - 1, EVENT_LEVELS])
def test_depth_is_judged_to_the_level_wherever_it_is(levels: int) -> None:
    for field in ("properties", "context", "traits", "extra", "category", "writeKey", "name", "sentAt", "groupId"):
        deep_one = {"in": nested(levels - 1, 1)}
        raw = orjson.dumps(
            {
                "batch": [
                    {"type": "track", "event": "e", "userId": "u", "properties": {"category": "c"}, field: deep_one}
                ]
            }
        )
        captures, rejects = of_batch(fast, raw, arrival())
        assert (len(captures), len(rejects)) == ((0, 1) if levels == EVENT_LEVELS else (1, 0)), field
        assert (captures, rejects) == of_batch(plain, raw, arrival())
