"""What runs in the background ends when it is told to, also where a cancellation gets lost."""

from __future__ import annotations

import asyncio

from chassis.endings import end_tasks


async def test_a_lost_cancellation_is_said_again() -> None:
    lost = []

    async def loses_one() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            lost.append("one")
        await asyncio.sleep(60)

    async def fails() -> None:
        raise ValueError

    tasks = asyncio.create_task(loses_one()), asyncio.create_task(fails())
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await end_tasks(*tasks)
    assert lost == ["one"]
    assert all(task.done() for task in tasks)
