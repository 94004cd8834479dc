"""The lanes of a process: read from a file, and changed without one batch that is under way being miscounted."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from chassis.bus.coalescer import Coalescer, Told
from chassis.fence import Fence
from chassis.lanes import LanePlan, LanePlanRefused, Lanes, read_plan
from chassis.message import OutMessage
from chassis.version import VERSION
from tests.support.eventually import eventually


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it holds said, heard and known"),
        ('{"said": 1}', None),
        ('{"said": 4, "heard": 3, "known": 4}', "4 lanes cannot be heard in 3"),
        ('{"said": 65, "heard": 1, "known": 65}', "from 1 to 64"),
        ('{"spoken": 1}', "spoken"),
    ],
)
def test_a_file_says_what_is_wrong_with_it(tmp_path: Path, text: str, reason: str | None) -> None:
    path = tmp_path / "lanes.json"
    path.write_text(text)
    if reason is None:
        assert read_plan(path) == LanePlan(1, 1, 1)
    else:
        with pytest.raises(LanePlanRefused, match=reason):
            read_plan(path)


def test_what_is_written_is_read_and_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    plan, path = LanePlan(said=4, heard=2, known=6), tmp_path / "lanes.json"
    assert read_plan(path) is None
    path.write_text(plan.written())
    assert read_plan(path) == plan


async def test_a_change_counts_as_made_when_what_was_being_said_has_ended() -> None:
    lanes = Lanes()
    with lanes.saying() as before:
        changing = asyncio.create_task(lanes.change(LanePlan.of(4)))
        await eventually(lambda: lanes.said == 4)
        with lanes.saying() as meanwhile:
            assert (before, meanwhile, lanes.settled_said) == (1, 4, 1)
    await changing
    assert lanes.settled_said == 4


async def test_a_fence_waits_for_nobody_who_came_later() -> None:
    fence = Fence()
    first = fence.enter()
    passing = asyncio.create_task(fence.passed())
    await asyncio.sleep(0)
    later = fence.enter()
    assert not passing.done()
    fence.leave(first)
    await passing
    fence.leave(later)
    await fence.passed()


class SlowBroker:
    """Confirms when it is told to."""

    max_payload = 1_000_000

    def __init__(self) -> None:
        self.under_way: list[Told] = []

    def put_batch(self, messages: Sequence[OutMessage], told: Told, *, size: int, whole: bool = False) -> None:
        self.under_way.append(told)


async def test_captures_that_are_on_their_way_are_waited_for_and_those_behind_them_are_not() -> None:
    broker = SlowBroker()
    coalescer = Coalescer(broker)
    sent = asyncio.create_task(coalescer.publish([OutMessage("capture.a.b.v1.0", {}, b"1")]))
    await eventually(lambda: bool(broker.under_way))
    passing = asyncio.create_task(coalescer.passed())
    await asyncio.sleep(0)
    behind = asyncio.create_task(coalescer.publish([OutMessage("capture.a.b.v1.0", {}, b"2")]))
    await asyncio.sleep(0)
    assert not passing.done()
    broker.under_way.pop(0)(None)
    await passing
    await sent
    await eventually(lambda: bool(broker.under_way))
    broker.under_way.pop(0)(None)
    await behind


async def test_a_process_follows_its_file_and_stays_as_it_is_while_that_cannot_be_read(tmp_path: Path) -> None:
    path, lanes = tmp_path / "lanes.json", Lanes()
    following = asyncio.create_task(lanes.follow(path))
    for text, said in ((LanePlan.of(4).written(), 4), ("nonsense", 4), (LanePlan.of(2).written(), 2)):
        await asyncio.to_thread(path.write_text, text)
        await asyncio.sleep(0.4)
        await eventually(lambda said=said: lanes.settled_said == said)  # type: ignore[misc]
    following.cancel()


def test_the_version_is_told_once() -> None:
    root = Path(__file__).parents[3]
    assert tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"] == VERSION
