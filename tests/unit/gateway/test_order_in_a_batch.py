"""What happened at one moment is ordered by its position in the batch, whatever the ids hash to."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from contracts.envelope import whole_headers
from contracts.events.gateway import InteractionReceived
from gateway.domain.batch import BatchArrival, read_batch
from gateway.domain.capture import CaptureSender, CaptureSource
from people_kernel.beliefs import rank_of
from semantics.capture import read_captures

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def heard(body: dict[str, object]) -> list[InteractionReceived]:
    arrival = BatchArrival(CaptureSource("src_web"), AT, CaptureSender())
    captures = read_batch(body, len(orjson.dumps(body)), arrival).captures
    subject = captures[0].subject(1)
    return [InteractionReceived.from_wire(whole_headers(subject, one.headers()), one.body) for one in captures]


def test_the_later_of_a_batch_is_believed_where_both_say_the_same_moment() -> None:
    told = [{"type": "identify", "userId": "u1", "messageId": f"m{n}", "traits": {"title": f"T{n}"}} for n in range(70)]
    moment = {"timestamp": "2026-03-02T09:00:00.000Z", "sentAt": "2026-03-02T09:30:00.000Z"}
    captures = heard({"batch": [{**one, **moment} for one in told]})
    ids = [one.interaction.interaction_id for one in captures]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids) == 70
    ranks = [
        rank_of(one.strength, 0, one.capture.interaction.occurred_at, one.capture.interaction.interaction_id)
        for one in read_captures(captures, "US")
    ]
    assert ranks == sorted(ranks)


def test_a_retry_in_another_batch_is_the_same_message() -> None:
    told = [{"type": "track", "event": "x", "userId": "u1", "messageId": f"m{n}"} for n in range(3)]
    first, again = heard({"batch": told}), heard({"batch": told[::-1]})
    assert [one.meta.event_id for one in first] == [one.meta.event_id for one in again[::-1]]
