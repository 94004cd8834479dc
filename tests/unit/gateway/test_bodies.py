"""Bytes from outside: whatever they are, they are read or refused, and never break anything further in."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.gateway import InteractionReceived
from contracts.limits import BATCH_BYTES, BATCH_EVENTS, EVENT_BYTES
from gateway.domain.batch import read_batch
from gateway.domain.body import inflate, parse
from gateway.domain.refusal import CaptureRefused, RefusalKind
from tests.unit.gateway.recordings import arrival

GOOD = {"type": "track", "event": "Kept", "userId": "u", "messageId": "good"}

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec=None), max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)
fields = (
    "type",
    "event",
    "name",
    "userId",
    "anonymousId",
    "traits",
    "properties",
    "context",
    "messageId",
    "timestamp",
    "sentAt",
    "groupId",
    "previousId",
)
kinds = st.sampled_from(("identify", "track", "page", "screen", "group", "alias"))
events = (
    st.dictionaries(st.sampled_from(fields), anything).flatmap(
        lambda event: kinds.map(lambda kind: {**event, "type": kind})
    )
    | anything
)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_bodies_are_read(pack: Any) -> None:
    encoding = "gzip" if pack is gzip.compress else "deflate"
    assert inflate(pack(b'{"a":1}'), encoding, 100) == b'{"a":1}'


@pytest.mark.parametrize(
    ("raw", "encoding", "fault"),
    [
        (gzip.compress(bytes(50_000_000), mtime=0), "gzip", RefusalKind.TOO_LARGE),
        (b"x" * (BATCH_BYTES + 1), "", RefusalKind.TOO_LARGE),
        (b"not gzip", "gzip", RefusalKind.MALFORMED),
        (gzip.compress(b'{"a":1}' * 100, mtime=0)[:-12], "gzip", RefusalKind.MALFORMED),
        (b"", "gzip", RefusalKind.MALFORMED),
        (b"{}", "br", RefusalKind.UNSUPPORTED),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_refused(raw: bytes, encoding: str, fault: RefusalKind) -> None:
    with pytest.raises(CaptureRefused) as refusal:
        inflate(raw, encoding, BATCH_BYTES)
    assert refusal.value.fault is fault


@pytest.mark.parametrize("raw", [b"", b"{", b"nope", b"\xff\xfe", b'{"a":}', b"[" * 100_000, b'{"a":' * 3_000])
def test_what_is_not_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(CaptureRefused) as refusal:
        parse(raw)
    assert refusal.value.fault is RefusalKind.MALFORMED


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"a"', b"null", b"true"])
def test_json_that_is_no_object_is_wrong(raw: bytes) -> None:
    with pytest.raises(CaptureRefused) as refusal:
        parse(raw)
    assert (refusal.value.fault, refusal.value.field) == (RefusalKind.WRONG, "body")


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (rb'{"a":"x\u0000y"}', {"a": "x\ufffdy"}),
        (rb'{"a\u0000":"\ud800"}', {"a\ufffd": "\ufffd"}),
        (b'{"a":NaN,"b":-Infinity,"c":1e999}', {"a": None, "b": None, "c": None}),
        (b'{"a":123456789012345678901234567890}', {"a": "123456789012345678901234567890"}),
        (b'{"a":NaN,"b":123456789012345678901234567890}', {"a": None, "b": "123456789012345678901234567890"}),
        (b'{"a":NaN,"b":1234567890123456789}', {"a": None, "b": 1234567890123456789}),
        (b'{"a":[-18446744073709551616, 18446744073709551615]}', {"a": ["-18446744073709551616", 2**64 - 1]}),
        (
            b'{"a":"18446744073709551616","b":0.12345678901234567890}',
            {"a": "18446744073709551616", "b": 0.12345678901234568},
        ),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
    ],
)
def test_what_no_store_can_keep_is_made_harmless(raw: bytes, read: Any) -> None:
    assert parse(raw) == read


@given(
    st.lists(events, max_size=6),
    st.integers(0, 6),
    st.dictionaries(st.sampled_from(("context", "sentAt", "integrations")), anything),
)
def test_no_json_whatsoever_breaks_a_batch_or_takes_a_good_event_with_it(
    others: list[Any], position: int, around: dict[str, Any]
) -> None:
    around = {key: value for key, value in around.items() if key != "context" or isinstance(value, dict | None)}
    batch = [*others[:position], GOOD, *others[position:]]
    raw = json.dumps({**around, "batch": batch}).encode()
    reading = read_batch(parse(raw), len(raw), arrival())
    assert len(reading.captures) + len(reading.rejects) == len(batch)
    said = [InteractionReceived.from_wire(capture.headers(), capture.body) for capture in reading.captures]
    assert [event.body() for event in said] == [capture.body for capture in reading.captures]
    assert "good" in [event.interaction.message_id for event in said]
    assert b"\\u0000" not in b"".join(capture.body for capture in reading.captures)
    assert all(reject.field and reject.reason for reject in reading.rejects)


def test_each_bad_event_of_a_batch_is_named_and_the_rest_is_kept() -> None:
    raw = orjson.dumps({"batch": [GOOD, {"type": "track", "userId": "u"}, 7, {**GOOD, "messageId": "also"}]})
    reading = read_batch(parse(raw), len(raw), arrival())
    assert [orjson.loads(capture.body)["interaction"]["message_id"] for capture in reading.captures] == ["good", "also"]
    assert [(reject.index, reject.field) for reject in reading.rejects] == [(1, "event"), (2, "event")]


def test_an_event_beyond_its_size_is_refused_alone() -> None:
    large = {**GOOD, "properties": {"text": "x" * EVENT_BYTES}}
    raw = orjson.dumps({"batch": [large, GOOD]})
    reading = read_batch(parse(raw), len(raw), arrival())
    assert len(reading.captures) == 1
    assert reading.rejects[0].reason == "is larger than 32 KB, the batch's context included"


def test_what_a_batch_says_for_all_holds_for_each_that_says_nothing_else() -> None:
    events = [GOOD, {**GOOD, "context": {"locale": "de", "page": {"path": "/x"}}}]
    raw = orjson.dumps({"batch": events, "context": {"locale": "en", "app": "shop"}})
    contexts = [
        orjson.loads(capture.body)["interaction"]["context"]
        for capture in read_batch(parse(raw), len(raw), arrival()).captures
    ]
    assert contexts == [{"locale": "en", "app": "shop"}, {"locale": "de", "app": "shop", "page": {"path": "/x"}}]


@pytest.mark.parametrize("batch", [None, {}, "x", 1])
def test_a_batch_without_events_is_refused(batch: Any) -> None:
    with pytest.raises(CaptureRefused) as refusal:
        read_batch({"batch": batch}, 10, arrival())
    assert refusal.value.field == "batch"


def test_a_batch_of_too_many_is_refused_whole() -> None:
    with pytest.raises(CaptureRefused) as refusal:
        read_batch({"batch": [{}] * (BATCH_EVENTS + 1)}, 10, arrival())
    assert refusal.value.fault is RefusalKind.TOO_LARGE
