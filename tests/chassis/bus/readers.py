"""Consumers of the tests, in this process and in others."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from chassis.bus.broker import Broker
from chassis.bus.consumer import Consumer, ConsumerSpec
from chassis.bus.observer import Observer
from chassis.bus.retry_policy import RetryPolicy
from chassis.bus.settlement import Handle
from tests.chassis.bus.builders import QUICK, Unremembered

SPEC = ConsumerSpec("scoring", "CAPTURE", ("capture.>",))
SMALL = ConsumerSpec("scoring", "CAPTURE", ("capture.>",), batch_size=10)
"""The same lane; at most ten messages may be out."""

_ROOT = Path(__file__).parents[3]


class Readers:
    """Starts consumers and stops what is left of them."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._consumers: list[Consumer] = []

    async def start(
        self,
        handle: Handle,
        spec: ConsumerSpec = SPEC,
        *,
        patience: RetryPolicy = QUICK,
        observer: Observer | None = None,
        broker: Broker | None = None,
    ) -> Consumer:
        """A consumer that is being read (or stands by)."""
        consumer = Consumer(
            broker or self._broker, spec, Unremembered(handle, spec), patience=patience, observer=observer
        )
        self._consumers.append(consumer)
        await consumer.start()
        return consumer

    async def stop(self) -> None:
        """Stop all of them."""
        for consumer in self._consumers:
            await consumer.stop()


class ReaderProcess:
    """A consumer of SMALL in a process of its own; `numbers` is what it has applied."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.numbers: list[int] = []
        self.is_hanging = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, url: str) -> ReaderProcess:
        """Start it."""
        arguments = (sys.executable, "-m", "tests.chassis.bus.reader_process", url)
        return cls(await asyncio.create_subprocess_exec(*arguments, cwd=_ROOT, stdout=asyncio.subprocess.PIPE))

    async def kill(self) -> None:
        """SIGKILL."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.strip().isdigit():
                self.numbers.append(int(line))
            else:
                self.is_hanging = True
