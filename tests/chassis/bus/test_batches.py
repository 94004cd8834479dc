"""How messages are cut into atomic batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.bus.batches import MOST_BYTES, MOST_MESSAGES, by_stream, check_publishable, cut, size_of
from chassis.bus.errors import PublishRefused
from chassis.message import OutMessage
from tests.chassis.bus.builders import a_capture, captures

MEGABYTE = 1_048_576


def test_messages_are_grouped_by_the_stream_their_subject_names_in_the_order_given() -> None:
    one, two, three = a_capture(1), OutMessage("dead.capture.x", {}, b""), a_capture(3)

    assert by_stream([one, two, three]) == {"CAPTURE": [one, three], "DEAD": [two]}


def test_a_batch_takes_500_messages_and_no_more() -> None:
    assert [len(run) for run in cut(captures(MOST_MESSAGES))] == [500]
    assert [len(run) for run in cut(captures(MOST_MESSAGES + 1))] == [500, 1]


def test_a_batch_takes_no_more_than_its_share_of_bytes() -> None:
    runs = list(cut([a_capture(number, size=900_000) for number in range(20)]))

    assert max(sum(map(size_of, run)) for run in runs) <= MOST_BYTES
    assert [len(run) for run in runs] == [8, 8, 4]


def test_a_message_larger_than_a_batch_stands_alone() -> None:
    assert [len(run) for run in cut([a_capture(1), a_capture(2, size=MOST_BYTES + 1), a_capture(3)])] == [1, 1, 1]


def test_nothing_makes_no_batch() -> None:
    assert list(cut([])) == []


@given(st.lists(st.integers(min_value=0, max_value=2_000_000), max_size=30))
def test_cutting_loses_nothing_and_keeps_the_order(sizes: list[int]) -> None:
    messages = [a_capture(number, size=size) for number, size in enumerate(sizes)]

    assert [message for run in cut(messages) for message in run] == messages


@pytest.mark.parametrize("subject", ["", "capture.a b", "capture..x", "capture.*", "capture.>", "capture.x\r\nPUB y 0"])
def test_a_subject_that_is_none_is_refused(subject: str) -> None:
    with pytest.raises(PublishRefused, match="not a subject"):
        check_publishable(OutMessage(subject, {}, b""), MEGABYTE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a b", "x"),
        ("", "x"),
        ("a:b", "x"),
        ("ok", "one\rtwo: forged"),
        ("ok", "one\ntwo: forged"),
        ("Nats-Batch-Id", "other"),
    ],
)
def test_a_header_that_is_none_is_refused(name: str, value: str) -> None:
    with pytest.raises(PublishRefused, match="not a header"):
        check_publishable(OutMessage("capture.x", {name: value}, b""), MEGABYTE)


def test_a_message_just_under_what_the_server_takes_passes_and_one_over_is_refused() -> None:
    check_publishable(a_capture(1, size=MEGABYTE - 1000), MEGABYTE)
    with pytest.raises(PublishRefused, match="more than a message may have"):
        check_publishable(a_capture(1, size=MEGABYTE), MEGABYTE)
