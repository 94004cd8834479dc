"""Whatever is committed, handed over, read, confirmed and forgotten in whatever order: each row is published once, and
in the order of its stream.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.message import OutMessage
from chassis.store.outbox import Waiting
from chassis.store.relay_queue import RelayQueue

_PAGE = 4
_OWNERS = ("here", "there")
_held = st.sampled_from([frozenset[str](), frozenset[str](), frozenset[str](), frozenset(["here"]), frozenset(_OWNERS)])
_some = st.lists(st.sampled_from(_OWNERS), min_size=1, max_size=5)
_say = st.tuples(st.just("say"), _some, st.sampled_from([True, True, False]))
_look = st.tuples(st.just("look"), _held, st.just([]) | _some)
_publish = st.tuples(st.just("publish"), _held, st.integers(1, 6))
_forget = st.tuples(st.just("forget"), st.booleans())
_catch_up = st.tuples(st.just("catch_up"), st.sampled_from([True, True, True, True, False]))
_steps = st.lists(st.one_of(_catch_up, _say, _look, _publish, _catch_up, _say, _forget), min_size=10, max_size=40)
_thorough = settings(max_examples=150)


class World:
    """An outbox, what of it is in memory, and what was published."""

    def __init__(self) -> None:
        self.pending = RelayQueue(most_rows=7)
        self.stored: dict[int, Waiting] = {}
        self.published: list[Waiting] = []
        self._count = 0

    def say(self, owners: Collection[str], is_handed_over: bool) -> None:
        rows = []
        for owner in owners:
            self._count += 1
            rows.append(Waiting(self._count, OutMessage(f"{owner}.x", {}, b"body")))
        self.stored |= {row.row_id: row for row in rows}
        if is_handed_over:
            self.pending.hand_over(rows)

    def look(self, held: Collection[str], meanwhile: Collection[str] = ()) -> None:
        """As the relay does; `meanwhile` is said and handed over while the answer is on its way."""
        is_read = False
        while not is_read:
            left_out = () if self.pending.is_complete else held
            known = set(self.pending.known())
            rows = [
                row
                for key, row in sorted(self.stored.items())
                if key not in known and row.message.subject[:-2] not in left_out
            ][:_PAGE]
            if meanwhile:
                self.say(meanwhile, True)
            meanwhile = ()
            is_read = self.pending.read(rows, is_all=len(rows) < _PAGE and not left_out)

    def publish(self, held: Collection[str], most: int) -> None:
        rows = self.pending.first(most, held)
        self.published += rows
        self.pending.confirm(row.row_id for row in rows)

    def catch_up(self, is_well: bool) -> None:
        """All that waits is published; or the store fails, and nothing is known any more."""
        if not is_well:
            self.pending.reset()
        while is_well and not self.pending.is_complete:
            self.look(())
            self.publish((), 100)

    def forget(self, is_committed: bool) -> None:
        marks = self.pending.take_marks()
        if is_committed:
            for row_id in marks:
                del self.stored[row_id]
            self.pending.forget(marks)
        else:
            self.pending.keep(marks)


@_thorough
@given(_steps)
def test_each_row_is_published_once_and_in_order(steps: list[tuple[Any, ...]]) -> None:
    world = World()
    for name, *given_ in steps:
        getattr(world, name)(*given_)
    while world.stored:
        world.look(())
        world.publish((), 100)
        world.forget(True)
    assert sorted(row.row_id for row in world.published) == list(range(1, world._count + 1))


@_thorough
@given(_steps)
def test_what_is_always_handed_over_keeps_the_order_of_its_stream(steps: list[tuple[Any, ...]]) -> None:
    world = World()
    for name, *given_ in steps:
        if name == "say":
            world.say(given_[0], True)
        else:
            getattr(world, name)(*given_)
    while world.stored:
        world.look(())
        world.publish((), 100)
        world.forget(True)
    for owner in _OWNERS:
        ids = [row.row_id for row in world.published if row.message.subject == f"{owner}.x"]
        assert ids == sorted(ids)


def test_a_row_that_is_handed_over_after_it_was_read_published_and_forgotten_is_not_published_again() -> None:
    world = World()
    world.look(())
    world.say(["here"], False)
    late = list(world.stored.values())
    world.look(())
    world.publish((), 10)
    world.forget(True)
    world.pending.hand_over(late)
    world.publish((), 10)
    assert [row.row_id for row in world.published] == [1]


def test_more_than_a_page_of_what_others_wrote_is_not_overtaken_by_what_is_handed_over() -> None:
    world = World()
    world.catch_up(True)
    world.say(["here"] * (_PAGE + 2), False)
    world.say(["here"], True)
    world.look(())
    world.publish((), 100)
    world.catch_up(True)
    assert [row.row_id for row in world.published] == list(range(1, _PAGE + 4))


def test_rows_that_are_handed_over_out_of_order_are_put_in_order() -> None:
    world = World()
    world.catch_up(True)
    world.say(["here"] * 2, False)
    first, second = world.stored.values()
    world.pending.hand_over([second])
    world.pending.hand_over([first])
    world.publish((), 100)
    assert [row.row_id for row in world.published] == [1, 2]
