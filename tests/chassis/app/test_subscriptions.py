"""What a service hears, per lane; and that mypy refuses a handler for other events (an `ignore` that is not needed is
an error there).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from chassis.bus.durables import LANE, ConsumerSpec
from chassis.bus.errors import Unparseable
from chassis.context import Context
from chassis.lifespan import consumer_specs
from chassis.message import Received
from chassis.processor import Processor
from chassis.runtime import Runtime
from chassis.subscriptions import Subscription, on, on_any
from tests.chassis.app.bus_words import a_signal
from tests.chassis.app.echo import EchoSettings, SignalEchoed, SignalGiven
from tests.support.service import RunningService

SPEC = ConsumerSpec("recorder", "SIGNAL", ())
SETTINGS = EchoSettings(database_url="sqlite:///unused.db", token_public_key="unused", lanes=2)


async def on_given(events: Sequence[SignalGiven], context: Context) -> None: ...


async def on_both(events: Sequence[SignalGiven | SignalEchoed], context: Context) -> None: ...


def test_exact_handlers_are_taken_and_others_are_not() -> None:
    on(SignalGiven, on_given)
    on(SignalGiven, on_both)
    on_any((SignalGiven, SignalEchoed), on_both)
    on(SignalEchoed, on_given)  # type: ignore[arg-type]
    on_any((SignalGiven, SignalEchoed), on_given)  # type: ignore[arg-type]


def test_each_stream_and_lane_has_a_durable_of_its_own() -> None:
    specs = consumer_specs("echo", SETTINGS, [on_any((SignalGiven, SignalEchoed), on_both)])
    assert [(spec.stream, spec.durable, spec.filters(spec.heard(2))) for spec in specs] == [
        ("ECHO", "echo-0", ["echo.signal.echoed.v1.0"]),
        ("ECHO", "echo-1", ["echo.signal.echoed.v1.1"]),
        ("SIGNAL", "echo-0", ["signal.flag.given.v1.0"]),
        ("SIGNAL", "echo-1", ["signal.flag.given.v1.1"]),
    ]


@pytest.mark.parametrize(
    ("lanes", "heard"),
    [(1, [(0, 1, 2, 3)]), (2, [(0, 2), (1, 3)]), (3, [(0, 3), (1,), (2,)]), (4, [(0,), (1,), (2,), (3,)])],
)
def test_whatever_lanes_a_sender_had_each_number_is_heard_in_one_lane(lanes: int, heard: list[tuple[int, ...]]) -> None:
    specs = [ConsumerSpec("echo", "SIGNAL", (f"signal.flag.given.v1.{LANE}",), lane, lanes) for lane in range(lanes)]
    assert [spec.heard(4) for spec in specs] == heard
    assert specs[0].filters(heard[0]) == [f"signal.flag.given.v1.{number}" for number in heard[0]]


class Recorder:
    """Handlers that write down in which runs they were called."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, list[str]]] = []

    def subscriptions(self) -> list[Subscription]:
        """Both kinds of events, a handler each."""
        return [on(SignalGiven, self.given), on(SignalEchoed, self.echoed)]

    async def given(self, events: Sequence[SignalGiven], context: Context) -> None:
        self.runs.append(("given", [event.text for event in events]))

    async def echoed(self, events: Sequence[SignalEchoed], context: Context) -> None:
        self.runs.append(("echoed", [event.text for event in events]))


def received(text: str, sequence: int, wire_name: str = SignalGiven.wire_name, **headers: str) -> Received:
    """A message as the bus hands it over."""
    message = a_signal(text)
    known = {**message.headers, "ce-type": wire_name, **headers}
    return Received(f"{wire_name}.0", known, message.body, "SIGNAL", sequence, 1, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def recorder() -> Recorder:
    """Writes runs down."""
    return Recorder()


def processor(runtime: Runtime, recorder: Recorder) -> Processor:
    """One durable's worth."""
    return Processor(runtime, SPEC, recorder.subscriptions())


async def test_runs_of_consecutive_events_keep_the_order_of_the_stream(
    service: RunningService, recorder: Recorder
) -> None:
    batch = [
        received("a", 1),
        received("b", 2),
        received("c", 3, SignalEchoed.wire_name),
        received("a", 4),
        received("d", 5),
    ]
    await processor(service.runtime, recorder).apply(batch)
    assert recorder.runs == [("given", ["a", "b"]), ("echoed", ["c"]), ("given", ["d"])]


async def test_all_that_cannot_be_read_is_named_before_anything_is_begun(
    service: RunningService, recorder: Recorder
) -> None:
    torn = Received("signal.flag.given.v1.0", {}, b"{", "SIGNAL", 8, 1, datetime(2026, 3, 1, tzinfo=UTC))
    mislabelled = received("b", 9, **{"ce-type": "another.thing.happened.v1"})
    with pytest.raises(Unparseable) as refusal:
        await processor(service.runtime, recorder).apply([received("a", 7), torn, mislabelled])
    assert sorted(refusal.value.reasons) == [8, 9]
    assert recorder.runs == []
    await processor(service.runtime, recorder).apply([received("a", 7)])
    assert recorder.runs == [("given", ["a"])]


async def test_an_event_that_an_older_release_heard_is_passed_over(service: RunningService, recorder: Recorder) -> None:
    await processor(service.runtime, recorder).apply([received("a", 1, "signal.flag.lowered.v1"), received("b", 2)])
    assert recorder.runs == [("given", ["b"])]
