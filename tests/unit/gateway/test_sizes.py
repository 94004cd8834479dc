"""What a request costs on disk: no capture is larger than was stated, and all of a batch take a stated factor of its
bytes.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.limits import BATCH_BYTES, CAPTURE_BYTES, COMPLETED_FACTOR, ENVELOPE_BYTES, EVENT_BYTES
from contracts.values import InteractionKind
from gateway.domain.batch import BatchReading, read_batch, read_single
from gateway.domain.body import inflate, parse
from gateway.domain.refusal import CaptureRefused, RefusalKind
from tests.unit.gateway.recordings import arrival
from tests.unit.gateway.test_bodies import anything, events

TINY = {"type": "track", "event": "e", "userId": "u"}

# large values among small ones: long texts, numbers that are longer written out, lists,
# and a company that stands in four places
large = st.one_of(
    st.integers(0, 40_000).map(lambda length: "x" * length),
    st.integers(0, 6_000).map(lambda length: [1e15] * length),
    st.integers(0, 12_000).map(lambda length: "\N{NULL}" * length),
    st.integers(0, 12_000).map(lambda length: {"company": {"name": "x" * length}}),
    anything,
)
contexts = st.dictionaries(st.sampled_from(("traits", "app", "page", "groupId")), large, max_size=3)
large_events = st.builds(
    lambda event, context, traits: {
        **TINY,
        **(event if isinstance(event, dict) else {}),
        "context": context,
        "traits": traits,
    },
    events,
    contexts,
    st.dictionaries(st.sampled_from(("company", "email", "note")), large, max_size=2),
)
batches = st.lists(st.one_of(st.just(TINY), events, large_events), min_size=1, max_size=60)


def read(raw: bytes) -> BatchReading:
    return read_batch(parse(raw), len(raw), arrival())


@settings(max_examples=80)
@given(batches, st.none() | contexts, st.integers(1, 40))
def test_no_batch_makes_more_than_was_stated(batch: list[Any], context: Any, repeated: int) -> None:
    raw = json.dumps({"batch": batch * repeated, "context": context}).encode()
    try:
        reading = read(inflate(raw, "", BATCH_BYTES))
    except CaptureRefused as refused:
        assert refused.fault in (RefusalKind.TOO_LARGE, RefusalKind.MALFORMED)  # noqa: PT017
        return
    sizes = [len(capture.body) for capture in reading.captures]
    assert max(sizes, default=0) <= CAPTURE_BYTES
    assert sum(sizes) <= COMPLETED_FACTOR * len(raw) + ENVELOPE_BYTES * len(batch) * repeated


@settings(max_examples=60)
@given(large_events)
def test_no_event_makes_a_capture_beyond_its_size(event: dict[str, Any]) -> None:
    raw = json.dumps(event).encode()
    try:
        capture = read_single(parse(inflate(raw, "", EVENT_BYTES)), InteractionKind.IDENTIFY, arrival())
    except CaptureRefused:
        return
    assert len(capture.body) <= CAPTURE_BYTES


@settings(max_examples=80)
@given(st.binary(max_size=200), st.integers(1, 40_000))
def test_nothing_unpacks_to_more_than_was_stated(pattern: bytes, repeated: int) -> None:
    raw = gzip.compress(pattern * repeated, mtime=0)
    try:
        assert len(inflate(raw, "gzip", BATCH_BYTES)) <= max(64 * 1024, 100 * len(raw))
    except CaptureRefused as refused:
        assert refused.fault is RefusalKind.TOO_LARGE  # noqa: PT017


def test_a_batch_whose_context_is_larger_than_an_event_may_be_is_refused_naming_it() -> None:
    with pytest.raises(CaptureRefused) as refusal:
        read(orjson.dumps({"batch": [TINY] * 60, "context": {"junk": "x" * 400_000}}))
    assert (refusal.value.field, refusal.value.fault) == ("context", RefusalKind.TOO_LARGE)


def test_a_batch_whose_context_makes_many_times_its_size_is_refused_naming_it() -> None:
    with pytest.raises(CaptureRefused) as refusal:
        read(orjson.dumps({"batch": [TINY] * 60, "context": {"junk": "x" * 30_000}}))
    assert (refusal.value.field, refusal.value.fault) == ("context", RefusalKind.TOO_LARGE)


def test_an_event_is_judged_with_the_context_of_its_batch() -> None:
    context, note = {"junk": "x" * 20_000}, "y" * 20_000
    reading = read(orjson.dumps({"batch": [TINY, {**TINY, "properties": {"note": note}}], "context": context}))
    assert len(reading.captures) == 1
    assert [(reject.index, reject.field, reject.reason) for reject in reading.rejects] == [
        (1, "event", "is larger than 32 KB, the batch's context included")
    ]


def test_the_context_that_an_sdk_sends_with_many_small_events_is_taken() -> None:
    event = {
        **TINY,
        "messageId": "5b6c4f8e-3d0f-4f3e-9f0e-1c6f3c2d1a00",
        "timestamp": "2026-03-01T08:00:00Z",
        "properties": {"path": "/pricing"},
    }
    reading = read(orjson.dumps({"batch": [event] * 2_000, "context": {"library": {"name": "x"}, "device": "d" * 650}}))
    assert (len(reading.captures), reading.rejects) == (2_000, ())


def test_a_company_that_stands_in_four_places_fits_up_to_the_size_of_an_event() -> None:
    event = {**TINY, "context": {"traits": {"company": {"name": "x" * (EVENT_BYTES - 120)}}}}
    assert EVENT_BYTES - 50 < len(orjson.dumps(event)) <= EVENT_BYTES
    assert 3.9 * EVENT_BYTES < len(read_single(event, InteractionKind.TRACK, arrival()).body) <= CAPTURE_BYTES
