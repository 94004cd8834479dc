"""Seeing a batch through to its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chassis.bus.delivery import Delivery
from chassis.bus.errors import BrokerUnavailable, Unparseable
from chassis.bus.observer import Unobserved
from chassis.bus.settlement import Outlets, Settler
from chassis.message import Received
from tests.chassis.bus.builders import QUICK_OUTAGES, OutOfReach


def a_delivery(sequence: int) -> Delivery:
    message = Received(
        "capture.x.0", {"ce-id": str(sequence)}, b"", "CAPTURE", sequence, 1, datetime(2026, 1, 1, tzinfo=UTC)
    )
    return Delivery(message, f"ack.{sequence}", sequence, 0, None)


class Lane:
    """A settler whose effects are written down; nothing waits."""

    def __init__(
        self, *, poison: frozenset[int] = frozenset(), unreadable: frozenset[int] = frozenset(), outages: int = 0
    ) -> None:
        self.poison, self.unreadable, self.outages = poison, unreadable, outages
        self.applied: list[int] = []
        self.acknowledged: list[int] = []
        self.dead: dict[int, str] = {}
        self.waits: list[float] = []
        self.broker_outages = 0
        self.tries = 0

    async def settle(self, count: int) -> None:
        outlets = Outlets(self._acknowledge, self._set_aside, self._pause)
        await Settler(("CAPTURE", "svc"), self._handle, QUICK_OUTAGES, outlets, Unobserved()).settle(
            [a_delivery(n) for n in range(count)]
        )

    async def _handle(self, batch: Sequence[Received]) -> None:
        self.tries += 1
        if self.outages:
            self.outages -= 1
            raise OutOfReach
        sequences = [message.sequence for message in batch]
        if unreadable := self.unreadable & set(sequences):
            raise Unparseable(dict.fromkeys(unreadable, "not JSON"))
        if self.poison & set(sequences):
            raise ValueError("poison")
        self.applied += sequences

    async def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self.acknowledged += [delivery.message.sequence for delivery in deliveries]

    async def _set_aside(self, dead: Sequence[tuple[Received, str]]) -> None:
        if self.broker_outages:
            self.broker_outages -= 1
            raise BrokerUnavailable("away")
        self.dead |= {message.sequence: reason for message, reason in dead}

    async def _pause(self, seconds: float) -> None:
        self.waits.append(seconds)


sequences = st.frozensets(st.integers(min_value=0, max_value=39))


@given(st.integers(min_value=1, max_value=40), sequences, sequences, st.integers(min_value=0, max_value=5))
async def test_whatever_is_bad_the_rest_is_applied_once_and_in_order(
    count: int, poison: frozenset[int], unreadable: frozenset[int], outages: int
) -> None:
    lane = Lane(poison=poison, unreadable=unreadable, outages=outages)

    await lane.settle(count)

    bad = (poison | unreadable) & set(range(count))
    assert lane.applied == [number for number in range(count) if number not in bad]
    assert lane.dead.keys() == bad
    assert sorted(lane.acknowledged) == list(range(count))


async def test_an_outage_kills_nothing_however_long() -> None:
    lane = Lane(outages=500)

    await lane.settle(3)

    assert lane.applied == [0, 1, 2]
    assert not lane.dead
    assert len(lane.waits) == 500


async def test_an_outage_in_between_does_not_count_against_a_poisonous_message() -> None:
    lane = Lane(poison=frozenset({0}), outages=7)

    await lane.settle(1)

    assert lane.waits == [0.02] * 7 + [0.01, 0.02]
    assert lane.dead == {0: "ValueError: poison"}


async def test_a_message_is_not_acknowledged_before_its_dead_letter_is_on_disk() -> None:
    lane = Lane(unreadable=frozenset({1}))
    lane.broker_outages = 3

    await lane.settle(2)

    assert lane.dead == {1: "not JSON"}
    assert lane.acknowledged == [1, 0]
    assert lane.waits == [0.02] * 3


async def test_finding_one_poisonous_message_takes_few_tries() -> None:
    lane = Lane(poison=frozenset({137}))

    await lane.settle(250)

    assert lane.dead.keys() == {137}
    assert lane.tries <= 20  # 8 halvings, their other halves, and 2 further tries of the message alone
